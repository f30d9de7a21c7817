package switchboard

import (
	"errors"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/internal/api"
)

// text tells of a line of text.
func (b *Board) text(l *line, text string, mine bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tell(api.Event{Text: &api.Text{Call: l.name, At: time.Now().Round(time.Millisecond), Mine: mine, Text: text}})
}

// record begins or ends the keeping of both voices.
func (b *Board) record(l *line, on bool) error {
	l.recording.Lock()
	defer l.recording.Unlock()
	b.mu.Lock()
	stop, c := l.stop, l.call
	b.mu.Unlock()
	if on == (stop != nil) {
		return nil
	}
	if !on {
		stop()
		b.set(l, nil)
		return nil
	}
	path, stop, err := b.config.Record(c)
	if err != nil {
		if b.config.RecordAll {
			b.Notice(err.Error())
		}
		return err
	}
	b.set(l, func() {
		stop()
		b.Notice("recorded to " + path)
	})
	b.Notice("recording to " + path + ", and the other side is told")
	return nil
}

func (b *Board) set(l *line, stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.stop = stop
	b.tellCall(l)
}

var errSilence = errors.New("there is nothing to say in that text")

// say sends a line of text.
func (b *Board) say(l *line, text string) error {
	text = control.Text([]byte(text))
	if text == "" {
		return errSilence
	}
	b.mu.Lock()
	c := l.call
	b.mu.Unlock()
	if c == nil {
		return call.ErrNotTalking
	}
	if err := c.Say(text); err != nil {
		return err
	}
	b.text(l, text, true)
	return nil
}

// Contacts are those who have names.
func (b *Board) Contacts() []api.Contact {
	all := []api.Contact{}
	for _, c := range b.config.Gate.Book().List() {
		if c.Name != "" {
			all = append(all, describeContact(c))
		}
	}
	return all
}

func describeContact(c contact.Contact) api.Contact {
	return api.Contact{Name: c.Name, Address: c.Address.Onion(), Verified: c.Verified, Blocked: c.Blocked, Auto: c.Auto}
}
