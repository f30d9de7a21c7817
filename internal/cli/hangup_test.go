package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// A window that closes sends SIGHUP more than once, where a second signal ends
// sotto at once: it does not while calls are to be hung up, nor does a pipe that is
// broken.
func TestAWindowThatClosesLeavesTimeToHangUp(t *testing.T) {
	ctx, stop := signal.NotifyContext(t.Context(), syscall.SIGHUP)
	defer stop()
	end := outlive()
	defer end()
	self := func(s syscall.Signal) {
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			t.Fatal(err)
		}
	}
	self(syscall.SIGHUP)
	<-ctx.Done()
	stop()
	last := make(chan os.Signal, 1)
	signal.Notify(last, syscall.SIGUSR1)
	defer signal.Stop(last)
	self(syscall.SIGHUP) // would end the test
	self(syscall.SIGUSR1)
	<-last
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	l := newLive(w)
	select {
	case <-l.lost:
		t.Error("it is lost, and nothing was written")
	default:
	}
	l.say("into the void")
	l.say("and again")
	<-l.lost
}

// listened is a phone that tells of one call, which is hung up.
type listened struct {
	api.Phone
	events chan api.Event
	hungUp string

	recorded []bool
}

func (l *listened) Listen() (<-chan api.Event, func()) { return l.events, func() {} }

func (l *listened) HangUp(id string) error {
	l.hungUp = id
	l.events <- api.Event{Call: &api.Call{ID: id, Phase: api.Over, End: &api.End{}}}
	return nil
}

func (l *listened) Record(id string, on bool) error {
	l.recorded = append(l.recorded, on)
	return nil
}

// served is a client of a phone.
func served(t *testing.T, phone api.Phone) *api.Client {
	dir := t.TempDir()
	socket, err := api.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- (&api.Server{Phone: phone, Exit: exitCode}).Serve(ctx, socket) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	client, err := api.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// r alone records nothing: it may be the wrong key. r again does, if it comes
// neither at once nor late; another ends that.
func TestRecordingIsAskedForTwice(t *testing.T) {
	phone := &listened{}
	c := &console{phone: served(t, phone)}
	talk := api.Call{ID: "1", Name: "ann", Phase: api.Talking}
	text := shows(c, callEvent(talk))
	said := func() string { return c.live.out.(*bytes.Buffer).String() }
	press := func(want ...bool) {
		t.Helper()
		if err := c.press(t.Context(), 'r'); err != nil || !slices.Equal(phone.recorded, want) {
			t.Errorf("%v: recorded %v, want %v", err, phone.recorded, want)
		}
	}
	press()
	if got := strings.TrimPrefix(said(), text); got != "to record both voices, of which ann is told: wait a moment, then r again, within 3 s\n" {
		t.Error(got)
	}
	s := c.find("1")
	later := func(d time.Duration) {
		s.pressed = s.pressed.Add(-d)
		if !s.asked.IsZero() {
			s.asked = s.asked.Add(-d)
		}
	}
	for range 30 { // held down for three seconds
		press()
		later(again / 30)
	}
	later(again)
	press() // too late: asked anew
	later(repeats)
	press(true)
	s.Recording = true
	for range 30 { // and held
		later(again / 30)
		press(true)
	}
	later(repeats)
	press(true, false)
	s.Recording = false
	later(repeats)
	press(true, false) // asked anew
}

// When the terminal is gone a call is hung up, and the phone of one's own put away.
func TestATerminalThatIsGone(t *testing.T) {
	for name, only := range map[string]string{"sotto up": "", "sotto call": "1"} {
		for how, gone := range map[string]func(keys chan byte, l *live){
			"no more keys":       func(keys chan byte, _ *live) { close(keys) },
			"nothing is written": func(_ chan byte, l *live) { l.say("") },
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				phone := &listened{events: make(chan api.Event, 4)}
				client := served(t, phone)
				keys := make(chan byte)
				r, w := io.Pipe()
				r.CloseWithError(syscall.EIO)
				con := &console{live: newLive(w), phone: client, only: only, keys: keys, ready: make(chan struct{})}
				ended := make(chan error, 1)
				phone.events <- api.Event{Status: &api.Status{Phase: api.Calling, Calls: []api.Call{{ID: "1", Phase: api.Dialing}}}}
				if how == "no more keys" {
					con.live = newLive(io.Discard)
				}
				ready := con.ready
				go func() { ended <- con.run(t.Context()) }()
				<-ready
				gone(keys, con.live)
				select {
				case err := <-ended:
					if !errors.Is(err, errInterrupted) {
						t.Error(err)
					}
				case <-time.After(time.Minute):
					t.Error("it stays")
				}
				if phone.hungUp != only {
					t.Errorf("hung up: %q", phone.hungUp)
				}
			})
		}
	}
}
