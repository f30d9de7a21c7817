package tui

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// scripted is a phone that tells what it is given, and keeps what it is asked.
type scripted struct {
	events chan api.Event // closed: it is gone
	asked  chan string
	fail   error
	known  []api.Contact
}

func newScripted() *scripted {
	return &scripted{
		events: make(chan api.Event, 64), asked: make(chan string, 64),
		known: []api.Contact{{Name: "ann", Verified: true}, {Name: "bob"}, {Name: "eve", Blocked: true}},
	}
}

var errScripted = errors.New("the phone has stopped")

func (p *scripted) Events(ctx context.Context, take func(api.Event) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-p.events:
			if !ok {
				return errScripted
			}
			if err := take(e); err != nil {
				return err
			}
		}
	}
}

func (p *scripted) note(words ...string) error {
	p.asked <- strings.Join(words, " ")
	return p.fail
}

func (p *scripted) Call(_ context.Context, whom string) (api.Call, error) {
	return api.Call{}, p.note("call", whom)
}
func (p *scripted) Answer(_ context.Context, id string) error  { return p.note("answer", id) }
func (p *scripted) Decline(_ context.Context, id string) error { return p.note("decline", id) }
func (p *scripted) HangUp(_ context.Context, id string) error  { return p.note("hangup", id) }
func (p *scripted) Mute(_ context.Context, id string, on bool) error {
	return p.note("mute", id, onOff(on, "on", "off"))
}

func (p *scripted) Hold(_ context.Context, id string, on bool) error {
	return p.note("hold", id, onOff(on, "on", "off"))
}

func (p *scripted) Record(_ context.Context, id string, on bool) error {
	return p.note("record", id, onOff(on, "on", "off"))
}
func (p *scripted) Say(_ context.Context, id, text string) error { return p.note("say", id, text) }
func (p *scripted) Silent(_ context.Context, on bool) error {
	return p.note("silent", onOff(on, "on", "off"))
}

func (p *scripted) Contacts(context.Context) ([]api.Contact, error) {
	return p.known, p.note("contacts")
}

// typist is Plain with somebody who types and somebody who listens.
type typist struct {
	t     *testing.T
	phone *scripted
	in    *io.PipeWriter
	lines chan string
	ended chan error
}

func newTypist(t *testing.T, ctx context.Context) *typist {
	ty := &typist{t: t, phone: newScripted(), lines: make(chan string, 256), ended: make(chan error, 1)}
	in, keys := io.Pipe()
	said, out := io.Pipe()
	ty.in = keys
	go func() {
		err := Plain(ctx, ty.phone, Options{In: in, Out: out})
		in.Close()
		out.Close()
		ty.ended <- err
	}()
	go func() {
		for s := bufio.NewScanner(said); s.Scan(); {
			ty.lines <- s.Text()
		}
	}()
	return ty
}

// hears waits until all is quiet and gives what was said.
func (ty *typist) hears() string {
	synctest.Wait()
	var all []string
	for len(ty.lines) > 0 {
		all = append(all, <-ty.lines)
	}
	return strings.Join(all, "\n")
}

func (ty *typist) types(lines ...string) {
	for _, l := range lines {
		if _, err := io.WriteString(ty.in, l+"\n"); err != nil {
			ty.t.Fatal(err)
		}
	}
	synctest.Wait()
}

func (ty *typist) asks(want ...string) {
	ty.t.Helper()
	synctest.Wait()
	for _, w := range want {
		if len(ty.phone.asked) == 0 {
			ty.t.Errorf("the phone was not asked %q", w)
		} else if got := <-ty.phone.asked; got != w {
			ty.t.Errorf("the phone was asked %q, not %q", got, w)
		}
	}
	if n := len(ty.phone.asked); n > 0 {
		ty.t.Errorf("the phone was asked %d things more, first %q", n, <-ty.phone.asked)
	}
}

// A whole call in lines, as a golden file: none moves the cursor.
func TestPlain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ty := newTypist(t, t.Context())
		var said strings.Builder
		hear := func(events ...api.Event) {
			for _, e := range events {
				ty.phone.events <- e
			}
			said.WriteString(ty.hears() + "\n")
		}
		types := func(line string, asks ...string) {
			said.WriteString("> " + line + "\n")
			ty.types(line)
			ty.asks(asks...)
			said.WriteString(ty.hears() + "\n")
		}
		hear()
		for _, percent := range []int{5, 40, 45, 90} {
			e := status(api.Starting)
			e.Status.Tor = api.Tor{Percent: percent, Summary: "Loading"}
			hear(e)
		}
		hear(status(api.Publishing), status(api.Up))
		types("help")
		types("answer")
		types("contacts", "contacts")
		types("call ann", "call ann")
		c := talking()
		for _, p := range []api.CallPhase{api.Dialing, api.Ringing, api.Talking} {
			c.Phase = p
			hear(change(c), change(c))
		}
		types("status")
		types("say hello there", "say 1 hello there")
		hear(api.Event{Text: &api.Text{Call: "1", Text: "hello there", Mine: true}}, api.Event{Text: &api.Text{Call: "1", Text: "\x1b[2Jhi"}})
		types("mute", "mute 1 on")
		c.Muted, c.Held, c.Recorded, c.Reached, c.Quality.Word = true, true, true, false, "poor"
		hear(change(c))
		types("status")
		types("mute", "mute 1 off")
		c.Muted, c.Held, c.Recorded, c.Reached, c.Quality.Word = false, false, false, true, "good"
		hear(change(c))
		types("hold", "hold 1 on")
		types("record", "record 1 on")
		hear(change(stranger()))
		types("decline", "decline 2")
		s := stranger()
		s.Phase, s.End = api.Over, &api.End{Exit: 5, Error: "declined"}
		hear(change(s), api.Event{Missed: &api.Missed{Name: "bob", Why: "you were busy with another"}}, api.Event{Notice: "the disk is full"})
		for i := range 12 { // a stranger who calls and calls
			hear(api.Event{Missed: &api.Missed{At: begun.Add(time.Duration(i) * time.Second), Why: "not in your contacts"}})
		}
		both := stranger()
		hear(change(both))
		both.Phase, both.End = api.Over, &api.End{Instead: "1"}
		hear(change(both))
		hear(change(stranger()), status(api.Up, c)) // it has ended while nobody listened
		types("dance")
		types("say")
		types("silent", "silent on")
		cut := status(api.Up, c)
		cut.Status.Tor.Offline, cut.Status.Tor.Warning = true, "no way into the Tor network"
		hear(cut, cut, status(api.Up, c))
		ty.phone.fail = errors.New("the call is over already")
		types("hangup", "hangup 1")
		c.Phase, c.End = api.Over, &api.End{}
		hear(change(c))
		golden(t, "plain.txt", said.String())
		if strings.ContainsAny(said.String(), "\x1b\r\a") {
			t.Error("there is more than text")
		}
		ty.types("quit")
		if err := <-ty.ended; err != nil {
			t.Error(err)
		}
	})
}

func TestPlainEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ty := newTypist(t, t.Context())
		ty.phone.events <- status(api.Up)
		ty.hears()
		ty.in.Close()
		if err := <-ty.ended; err != nil {
			t.Errorf("at the end of its input: %v", err)
		}
		ty = newTypist(t, t.Context())
		ty.hears()
		close(ty.phone.events)
		synctest.Wait()
		if err := <-ty.ended; !errors.Is(err, errScripted) {
			t.Errorf("without a phone: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ty = newTypist(t, ctx)
		ty.hears()
		cancel()
		if err := <-ty.ended; !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: %v", err)
		}
	})
}

// Commands that are there before the phone has said anything, as in a pipe, wait
// for that.
func TestPlainInAPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ty := newTypist(t, t.Context())
		typed := make(chan error, 1)
		go func() {
			_, err := io.WriteString(ty.in, "status\nmute\n")
			ty.in.Close()
			typed <- err
		}()
		if said := ty.hears(); strings.Contains(said, "the phone is") {
			t.Errorf("before it knows of the phone it says %q", said)
		}
		ty.phone.events <- status(api.Up, talking())
		said := ty.hears()
		if err := errors.Join(<-typed, <-ty.ended); err != nil {
			t.Error(err)
		}
		if !strings.Contains(said, "the phone is up") || strings.Contains(said, "no call") {
			t.Errorf("it says\n%s", said)
		}
		ty.asks("mute 1 on")
	})
}
