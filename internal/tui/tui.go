// Package tui is the screen of a phone: what sotto shows when it is called with
// no command. It knows the phone only through the calls that [Phone] names, the
// same that every program has (docs/api.md), so it can be closed while the phone
// goes on, and opened again.
//
// The [Model] is a plain value. What happens comes to it as messages, each with
// its time: what the phone tells, keys, the size of the terminal, a tick every
// second while something on the screen counts. It answers with what to ask of
// the phone, one thing after the other, so that "speak" and "be silent" can
// never change places. Everything it shows follows from the messages.
//
//	                     ┌────────────── events, with their time ─────────────┐
//	terminal ── keys ──▶ Update ── actions, in order ──▶ one command ──▶ Phone
//	         ◀── View ── Model
//
// The page shown follows from the calls there are:
//
//	the phone is gone   why, and what to do
//	no call             the way into the network, contacts, missed calls
//	it rings here       who, with the whole address: y or n
//	a call              who, how long, how well it is heard, what was written
//
// A page is a stack of blocks with ranks: where the terminal is low, lines of
// the least important block go first. No line is ever wider than the terminal,
// whatever way it measures. Colours follow the terminal's background, and
// nothing is told by a colour alone. The screen is drawn at most ten times a
// second, and only when it has changed.
//
// [Plain] tells the same as lines, for screen readers and pipes.
package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/sottovoce/sotto/internal/api"
)

// Phone is what the screen asks of a phone; a client of internal/api is one.
type Phone interface {
	Events(ctx context.Context, take func(api.Event) error) error
	Call(ctx context.Context, whom string) (api.Call, error)
	Answer(ctx context.Context, id string) error
	Decline(ctx context.Context, id string) error
	HangUp(ctx context.Context, id string) error
	Mute(ctx context.Context, id string, on bool) error
	Hold(ctx context.Context, id string, on bool) error
	Record(ctx context.Context, id string, on bool) error
	Say(ctx context.Context, id, text string) error
	Silent(ctx context.Context, on bool) error
	Contacts(ctx context.Context) ([]api.Contact, error)
}

// Options are the screen's. The zero value is a screen on the terminal of this
// process, for a phone that stays when the screen is left.
type Options struct {
	Own bool      // the phone ends with the screen, and with it every call
	In  io.Reader // keys; nil: the terminal
	Out io.Writer // nil: standard output

	// Aim gives the commands that a text tells to give what they need to be for
	// this phone's profile; nil: nothing.
	Aim func(text string) string

	clock func() time.Time // nil: time.Now
}

func (o Options) aim(text string) string {
	if o.Aim == nil {
		return text
	}
	return o.Aim(text)
}

// aimed is a phone that tells of commands as they are to be given.
type aimed struct {
	Phone
	aim func(string) string
}

func (a aimed) Events(ctx context.Context, take func(api.Event) error) error {
	return a.Phone.Events(ctx, func(e api.Event) error {
		if e.Status != nil {
			e.Status.Rings = a.aim(e.Status.Rings)
		}
		e.Notice = a.aim(e.Notice)
		return take(e)
	})
}

// framesPerSecond bounds how often the screen is drawn.
const framesPerSecond = 10

// Run shows the phone until the person leaves, or ctx ends. A phone of its own
// that is gone is an error; another's may come back.
func Run(ctx context.Context, phone Phone, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	if o.clock == nil {
		o.clock = time.Now
	}
	m := New(o.clock(), o.Own)
	m.clock, m.aim = o.clock, o.aim
	m.perform = func(a action) tea.Msg {
		done := a.ask(ctx, phone)
		done.at = o.clock()
		return done
	}
	again := make(chan struct{}, 1)
	m.listen = func() tea.Msg {
		select {
		case again <- struct{}{}:
		default:
		}
		return nil
	}
	options := []tea.ProgramOption{tea.WithContext(ctx), tea.WithFPS(framesPerSecond), tea.WithoutSignalHandler(), tea.WithColorProfile(palette(os.Environ())), tea.WithFilter(func(_ tea.Model, msg tea.Msg) tea.Msg {
		if k, ok := msg.(tea.KeyPressMsg); ok {
			return keyMsg{o.clock(), tea.Key(k)}
		}
		return msg
	})}
	if o.In != nil {
		options = append(options, tea.WithInput(o.In))
	}
	if o.Out != nil {
		options = append(options, tea.WithOutput(o.Out), tea.WithWindowSize(80, 24)) // where it has no size of its own
	}
	program := tea.NewProgram(m, options...)
	var group sync.WaitGroup
	group.Go(func() { follow(ctx, aimed{phone, o.aim}, o.clock, program.Send, again) })
	_, err := program.Run()
	ended := ctx.Err()
	cancel()
	group.Wait()
	m.close(context.WithoutCancel(ctx), phone)
	switch {
	case m.failure != nil:
		return m.failure
	case errors.Is(err, tea.ErrProgramKilled) && ended != nil:
		return ended
	case err != nil:
		return fmt.Errorf("the screen: %w", err)
	}
	return nil
}

// closing is how long the phone is waited for when the screen ends.
const closing = 2 * time.Second

// close closes the microphones that push-to-talk has opened: however the screen has
// ended, nobody is there any more who could let go of the key.
func (m *Model) close(ctx context.Context, phone Phone) {
	ctx, cancel := context.WithTimeout(ctx, closing)
	defer cancel()
	for _, c := range m.calls {
		if c.push {
			_ = phone.Mute(ctx, c.ID, true) // a phone that is gone has closed it itself
		}
	}
}

// listen gives take the phone's events until ctx ends, take gives an error or the
// phone is gone, and says why. Who stood still for so long that the phone has let
// go of them listens anew.
func listen(ctx context.Context, phone Phone, take func(api.Event) error) error {
	var gone error
	for {
		heard, refused := false, false
		err := phone.Events(ctx, func(e api.Event) error {
			heard = true
			err := take(e)
			refused = err != nil
			return err
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case refused:
			return err
		case heard:
			gone = err // or so it says
			continue
		case gone != nil:
			return gone
		case err == nil:
			return errGone
		}
		return err
	}
}

// follow brings the phone's events until ctx ends. When the phone is gone it waits
// until it is to look again.
func follow(ctx context.Context, phone Phone, clock func() time.Time, send func(tea.Msg), again <-chan struct{}) {
	for {
		err := listen(ctx, phone, func(e api.Event) error {
			send(eventMsg{clock(), e})
			return nil
		})
		if ctx.Err() != nil {
			return
		}
		send(goneMsg{err})
		select {
		case <-ctx.Done():
			return
		case <-again:
		}
	}
}
