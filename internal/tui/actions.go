package tui

import (
	"context"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/sottovoce/sotto/internal/api"
)

// action is one thing that is asked of the phone.
type action struct {
	verb verb
	call string
	text string // whom to call, what to say
	on   bool
}

type verb int

const (
	dial verb = iota
	answer
	decline
	hangUp
	mute
	hold
	record
	say
	silent
	list
)

// doneMsg is how an action ended.
type doneMsg struct {
	at       time.Time
	action   action
	err      error
	contacts []api.Contact
}

var (
	errGone = errors.New("the phone has stopped")
	errSlow = errors.New("the phone does not answer: look at where it runs")
)

// ask asks it of the phone.
func (a action) ask(ctx context.Context, phone Phone) doneMsg {
	done := doneMsg{action: a}
	switch a.verb {
	case dial:
		_, done.err = phone.Call(ctx, a.text)
	case answer:
		done.err = phone.Answer(ctx, a.call)
	case decline:
		done.err = phone.Decline(ctx, a.call)
	case hangUp:
		done.err = phone.HangUp(ctx, a.call)
	case mute:
		done.err = phone.Mute(ctx, a.call, a.on)
	case hold:
		done.err = phone.Hold(ctx, a.call, a.on)
	case record:
		done.err = phone.Record(ctx, a.call, a.on)
	case say:
		done.err = phone.Say(ctx, a.call, a.text)
	case silent:
		done.err = phone.Silent(ctx, a.on)
	case list:
		done.contacts, done.err = phone.Contacts(ctx)
	}
	if errors.Is(done.err, context.DeadlineExceeded) {
		done.err = errSlow
	}
	return done
}

// do asks for an action, after those that were asked for before.
func (m *Model) do(a action) tea.Cmd {
	if a.verb == list && len(m.queue) > 1 && m.queue[len(m.queue)-1] == a {
		return nil // it waits already
	}
	m.queue = append(m.queue, a)
	if len(m.queue) > 1 {
		return nil
	}
	return m.next()
}

// next starts the first action of the queue.
func (m *Model) next() tea.Cmd {
	if len(m.queue) == 0 {
		if m.quit {
			return tea.Quit
		}
		return nil
	}
	a, perform := m.queue[0], m.perform
	return func() tea.Msg { return perform(a) }
}

// done takes how the first action of the queue ended.
func (m *Model) done(d doneMsg) tea.Cmd {
	if len(m.queue) == 0 || m.queue[0] != d.action {
		return nil // of a phone that was gone meanwhile
	}
	m.queue = m.queue[1:]
	switch {
	case d.err != nil:
		m.note(notice{at: m.now, bad: true, stays: d.action.verb == dial, text: clean(d.err.Error())})
	case d.action.verb == answer:
		m.show(d.action.call)
	case d.action.verb == list:
		m.contacts = d.contacts
		for i := range m.contacts {
			m.contacts[i].Name = clean(m.contacts[i].Name)
		}
		m.chosen = max(0, min(m.chosen, len(m.listed())-1))
	}
	return m.next()
}
