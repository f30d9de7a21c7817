package switchboard

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/desk"
)

// errSeveral is that a command does not say which call it is for.
var errSeveral = errors.New("there are several such calls: say which")

// pick is the call with that id or, if id is "", the only one that fits. what
// names those that fit; b.mu is held.
func (b *Board) pick(id, what string, fits func(*line) bool) (*line, error) {
	var found *line
	var names []string
	for _, l := range b.calls {
		switch {
		case !l.shown || l.phase == api.Over || id != "" && l.name != id:
		case id != "" && !fits(l):
			return nil, fmt.Errorf("%w %s: call %s is %s", desk.ErrNoCall, what, id, l.phase)
		case fits(l):
			found = l
			names = append(names, fmt.Sprintf("%s (%s)", l.name, b.called(l)))
		}
	}
	switch len(names) {
	case 0:
		return nil, fmt.Errorf("%w %s", desk.ErrNoCall, what)
	case 1:
		return found, nil
	}
	return nil, fmt.Errorf("%w: %s", errSeveral, strings.Join(names, ", "))
}

func rings(l *line) bool { return !l.outgoing && l.phase == api.Ringing }
func talks(l *line) bool { return l.phase == api.Talking }
func lives(l *line) bool { return l.phase != api.Closing }

// front is the call that has the person's ear, where one has and id names none:
// what is said and muted is for them.
func (b *Board) front(id string) string {
	for _, l := range b.calls {
		if id == "" && l.shown && talks(l) && l.lease.has.Load() == l.lease {
			return l.name
		}
	}
	return id
}

// do asks the desk about a call, and does what it says.
func (b *Board) do(id, what string, fits func(*line) bool, ask func(desk.ID) ([]desk.Act, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, err := b.pick(id, what, fits)
	if err != nil {
		return err
	}
	acts, err := ask(l.id)
	if err != nil {
		return err
	}
	b.act(acts)
	return nil
}

// Answer says yes to a call that rings.
func (b *Board) Answer(id string) error { return b.do(id, "that rings", rings, b.desk.Answer) }

// Decline says no to one.
func (b *Board) Decline(id string) error { return b.do(id, "that rings", rings, b.desk.Decline) }

// HangUp ends a call.
func (b *Board) HangUp(id string) error {
	return b.do(id, "to hang up", lives, b.desk.HangUp)
}

// Hold puts a call on hold, or takes it off.
func (b *Board) Hold(id string, on bool) error {
	fits := func(l *line) bool { return talks(l) && (id != "" || l.call.Status().Holding != on) }
	what := "to put on hold"
	if !on {
		what = "on hold"
	}
	return b.do(id, what, fits, func(id desk.ID) ([]desk.Act, error) { return b.desk.Hold(id, on) })
}

// Mute sends silence in place of the microphone, or ends that.
func (b *Board) Mute(id string, on bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, err := b.pick(b.front(id), "to mute", func(l *line) bool { return lives(l) && l.call != nil })
	if err != nil {
		return err
	}
	l.call.Mute(on)
	b.tellCall(l)
	return nil
}

// talking is the call that is meant where both talk.
func (b *Board) talking(id, what string) (*line, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pick(b.front(id), what, talks)
}

// Record keeps both voices, which the other side is told, or ends that.
func (b *Board) Record(id string, on bool) error {
	l, err := b.talking(id, "to record")
	if err != nil {
		return err
	}
	if b.config.Record == nil {
		return errors.New("this phone cannot record")
	}
	return b.record(l, on)
}

// Say sends a line of text.
func (b *Board) Say(id, text string) error {
	l, err := b.talking(id, "to write in: "+call.ErrNotTalking.Error())
	if err != nil {
		return err
	}
	return b.say(l, text)
}

// Silent is do not disturb.
func (b *Board) Silent(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.desk.NoCalls = on
	b.tellStatus()
}

// PutAway ends the phone.
func (b *Board) PutAway() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away = true; b.stop != nil {
		b.stop(ErrPutAway)
	}
}
