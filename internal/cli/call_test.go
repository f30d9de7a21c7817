package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// hotline is a phone whose calls end one after the other as they are told to.
type hotline struct {
	api.Phone
	ends []api.End

	mu     sync.Mutex
	made   []string
	events chan api.Event
}

func (h *hotline) Status() api.Status { return api.Status{PID: 1, Phase: api.Up} }

// Call makes a call that is over before its caller knows that it has begun.
func (h *hotline) Call(_ context.Context, whom string) (api.Call, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.made = append(h.made, whom)
	n := len(h.made)
	call := api.Call{ID: strconv.Itoa(n), Name: "ann", Phase: api.Dialing, Outgoing: true}
	over := call
	over.Phase, over.End = api.Over, &h.ends[n-1]
	if h.events != nil {
		h.events <- api.Event{Call: &call}
		h.events <- api.Event{Call: &over}
	}
	return call, nil
}

func (h *hotline) Listen() (<-chan api.Event, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = make(chan api.Event, 3)
	h.events <- api.Event{Status: &api.Status{PID: 1, Phase: api.Up}}
	return h.events, func() {}
}

// redialled calls until it is no use any more, and gives what was said.
func redialled(t *testing.T, times int, ends ...api.End) (calls int, last *api.Call, said string, err error) {
	t.Helper()
	home, err := os.MkdirTemp("", "cli") // short, for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(home)
	h := &hotline{ends: ends}
	l, err := api.Listen(home)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- (&api.Server{Phone: h, Exit: exitCode}).Serve(ctx, l) }()
	phone, err := api.Dial(home)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cc := &callCommand{redial: times, pause: time.Millisecond}
	last, err = cc.talk(t.Context(), phone, newLive(&out), nil, "ann", func(api.Call) {})
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if slices.ContainsFunc(h.made, func(whom string) bool { return whom != "ann" }) {
		t.Errorf("%q were called", h.made)
	}
	return len(h.made), last, out.String(), err
}

// It calls again while that may help, and so often as was said.
func TestRedial(t *testing.T) {
	busy := api.End{Exit: exitDeclined, Error: "busy", Again: true}
	declined := api.End{Exit: exitDeclined, Error: "declined"}
	for _, c := range []struct {
		name  string
		times int
		ends  []api.End
		calls int
		exit  int
	}{
		{"not asked for", 0, []api.End{busy}, 1, exitDeclined},
		{"taken at last", 3, []api.End{busy, busy, {}}, 3, exitDone},
		{"no more", 2, []api.End{busy, busy, busy, {}}, 3, exitDeclined},
		{"of no use", 5, []api.End{busy, declined, {}}, 2, exitDeclined},
	} {
		calls, last, said, err := redialled(t, c.times, c.ends...)
		if err != nil || calls != c.calls || last.End.Exit != c.exit {
			t.Errorf("%s: %d calls, %+v, %v", c.name, calls, last, err)
		}
		if n := strings.Count(said, "busy; calling again in 0:00"); n != calls-1 {
			t.Errorf("%s: said %d times:\n%s", c.name, n, said)
		}
	}
}

func TestRestEndsByAKey(t *testing.T) {
	for key, want := range map[byte]error{'q': errInterrupted, ctrlC: errInterrupted, 'x': nil} {
		keyboard := make(chan byte, 1)
		keyboard <- key
		pause := time.Hour
		if want == nil {
			pause = time.Millisecond
		}
		if err := rest(t.Context(), pause, keyboard); !errors.Is(err, want) {
			t.Errorf("%q: %v", key, err)
		}
	}
}
