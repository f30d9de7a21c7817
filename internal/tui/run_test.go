package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/sottovoce/sotto/internal/api"
)

// page is a terminal that keeps what is written to it, and says when something
// was.
type page struct {
	mu      sync.Mutex
	text    bytes.Buffer
	waiting string
	seen    chan struct{}
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.Write(b)
	if p.waiting != "" && strings.Contains(p.text.String(), p.waiting) {
		p.waiting = ""
		close(p.seen)
	}
	return len(b), nil
}

// However the screen ends, it says why, and gives the terminal back.
func TestRunEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		own  bool
		end  func(*scripted, context.CancelFunc, io.Writer)
		want error
	}{
		{"interrupted", true, func(_ *scripted, cancel context.CancelFunc, _ io.Writer) { cancel() }, context.Canceled},
		{"its phone fails", true, func(p *scripted, _ context.CancelFunc, _ io.Writer) { close(p.events) }, errScripted},
		{"left", false, func(_ *scripted, _ context.CancelFunc, keys io.Writer) { io.WriteString(keys, "q") }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			phone, out := newScripted(), &page{waiting: "your 4 contacts may ring", seen: make(chan struct{})}
			in, keys := io.Pipe()
			defer in.Close()
			phone.events <- status(api.Up)
			ended := make(chan error)
			go func() { ended <- Run(ctx, phone, Options{Own: c.own, In: in, Out: out}) }()
			<-out.seen
			c.end(phone, cancel, keys)
			if err := <-ended; !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("it ends with %v, not %v", err, c.want)
			}
			if text := out.text.String(); !strings.Contains(text, ansi.ResetModeAltScreenSaveCursor) || !strings.HasSuffix(strings.TrimRight(text, "\r\n"), ansi.SetModeTextCursorEnable) && !strings.Contains(text, ansi.SetModeTextCursorEnable) {
				t.Errorf("the terminal is not given back: %q", text)
			}
		})
	}
}

// Whoever speaks by push-to-talk as the screen ends, as with its terminal, is heard
// no more.
func TestRunEndsWhileSpeaking(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	phone, out := newScripted(), &page{waiting: "you speak", seen: make(chan struct{})}
	in, keys := io.Pipe()
	defer in.Close()
	s := status(api.Up)
	s.Status.Calls = []api.Call{{ID: "1", Name: "ann", Phase: api.Talking, Reached: true}}
	phone.events <- s
	ended := make(chan error)
	go func() { ended <- Run(ctx, phone, Options{In: in, Out: out}) }()
	heard := func(want string) {
		t.Helper()
		for got := range phone.asked {
			if got == want {
				return
			}
		}
	}
	heard("contacts")
	io.WriteString(keys, "p")
	heard("mute 1 on")
	io.WriteString(keys, " ")
	heard("mute 1 off")
	<-out.seen
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(phone.asked)
	var last string
	for last = range phone.asked {
	}
	if last != "mute 1 on" {
		t.Errorf("the last that the phone was asked is %q", last)
	}
}

// A phone that lets a slow screen go is listened to anew, and not called gone.
func TestListensAnew(t *testing.T) {
	heard := make(chan tea.Msg, 8)
	again := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		follow(ctx, &slipping{scripted: newScripted()}, time.Now, func(m tea.Msg) { heard <- m }, again)
	}()
	for _, want := range []string{"event", "event", "gone", "event"} {
		got := "gone"
		if _, ok := (<-heard).(eventMsg); ok {
			got = "event"
		}
		if got != want {
			t.Errorf("it hears %s, not %s", got, want)
		}
		if got == "gone" {
			again <- struct{}{}
		}
	}
	cancel()
	<-ended
}

// slipping is a phone that lets its first listener go after a word, is gone for
// the third, and then stays.
type slipping struct {
	*scripted
	times int
}

func (s *slipping) Events(ctx context.Context, take func(api.Event) error) error {
	s.times++
	if s.times == 3 {
		return api.ErrGone
	}
	if err := take(api.Event{Notice: "still there"}); err != nil {
		return err
	}
	if s.times > 3 {
		<-ctx.Done()
	}
	return api.ErrGone
}

// What the phone tells of commands is aimed, in whatever form it is shown.
func TestThePhoneIsAimed(t *testing.T) {
	phone := newScripted()
	phone.events <- api.Event{Status: &api.Status{Rings: "nobody"}}
	phone.events <- api.Event{Notice: "something"}
	close(phone.events)
	var got []string
	err := aimed{phone, func(text string) string { return "aimed: " + text }}.Events(t.Context(), func(e api.Event) error {
		if e.Status != nil {
			got = append(got, e.Status.Rings)
		} else {
			got = append(got, e.Notice)
		}
		return nil
	})
	if !errors.Is(err, errScripted) || strings.Join(got, ", ") != "aimed: nobody, aimed: something" {
		t.Errorf("%q, %v", got, err)
	}
}
