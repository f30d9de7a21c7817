package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/sottovoce/sotto/internal/api"
)

// hear takes what the phone tells.
func (m *Model) hear(e api.Event) tea.Cmd {
	m.gone = nil
	switch {
	case e.Status != nil:
		return m.hearStatus(*e.Status)
	case e.Call != nil:
		m.put(*e.Call)
		return m.ring()
	case e.Text != nil:
		if c := m.call(e.Text.Call); c != nil {
			text := *e.Text
			text.Text = clean(text.Text)
			c.texts = append(c.texts, text)
			c.texts = c.texts[max(0, len(c.texts)-maxTexts):]
		}
	case e.Missed != nil:
		m.status.Missed = append(m.status.Missed, *e.Missed)
		m.status.Missed = m.status.Missed[max(0, len(m.status.Missed)-maxMissed):]
		m.tell(false, missedWords(*e.Missed))
	case e.Notice != "":
		m.tell(false, e.Notice)
	}
	return nil
}

// hearStatus takes the whole phone, and asks for its contacts, which are not in
// it.
func (m *Model) hearStatus(s api.Status) tea.Cmd {
	m.known, m.status = true, s
	m.status.Missed = slices.Clone(s.Missed[max(0, len(s.Missed)-maxMissed):])
	for _, c := range slices.Clone(m.calls) {
		if !slices.ContainsFunc(s.Calls, func(o api.Call) bool { return o.ID == c.ID }) {
			m.drop(c.ID)
		}
	}
	for _, c := range s.Calls {
		m.put(c)
	}
	return tea.Batch(m.do(action{verb: list}), m.ring())
}

// put takes what was told of a call: a new one, a change, its end.
func (m *Model) put(c api.Call) {
	known := m.call(c.ID)
	if c.Phase == api.Over {
		if c.End != nil && c.End.Instead != "" { // both have dialled each other: one call goes on
			m.show(c.End.Instead)
			m.drop(c.ID)
		} else {
			m.drop(c.ID)
			if c.End != nil && c.End.Again && c.Outgoing {
				m.choose(c.Name) // Enter calls again
			}
			failed := c.End != nil && c.End.Error != ""
			if words := endWords(c); words != "" && (known != nil || failed && c.Outgoing) {
				m.note(notice{at: m.now, bad: failed, stays: failed && c.Outgoing, text: clean(words)})
			}
		}
		return
	}
	if known == nil {
		m.unask() // y may be for this one
		if len(m.calls) == 0 {
			m.forget(func(n notice) bool { return !n.stays || c.Outgoing }) // they are of what was before
		}
		known = &talk{came: m.now}
		m.calls = append(m.calls, known)
		known.put(m.now, c)
		if m.current() == nil || c.Outgoing {
			m.show(c.ID)
		}
		return
	}
	known.put(m.now, c)
	if c.ID == m.shown && c.Phase != api.Talking {
		m.unask()
		if m.writing == chat {
			m.stopWriting()
		}
	}
}

// show brings a call to the screen.
func (m *Model) show(id string) {
	if m.shown == id || m.call(id) == nil {
		return
	}
	m.shown = id
	m.unask()
	if m.writing == chat {
		m.stopWriting()
	}
}

// unask takes back a question about the call that was shown.
func (m *Model) unask() {
	if m.doubt == toRecord {
		m.doubt = none
	}
}

// drop forgets a call, and shows another one.
func (m *Model) drop(id string) {
	m.calls = slices.DeleteFunc(m.calls, func(c *talk) bool { return c.ID == id })
	if len(m.calls) == 0 {
		m.doubt = none // there is nothing to ask about
	}
	if m.shown != id {
		return
	}
	m.unask()
	m.shown = ""
	if m.writing == chat {
		m.stopWriting()
	}
	if len(m.calls) > 0 {
		m.show(m.calls[0].ID)
	}
}

// choose chooses the contact of that name.
func (m *Model) choose(name string) {
	if i := slices.IndexFunc(m.listed(), func(o api.Contact) bool { return o.Name == clean(name) }); i >= 0 {
		m.chosen = i
	}
}

func (m *Model) stopWriting() { m.writing, m.line = nothing, nil }
