package tui

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// profile is the variable that makes the test program a screen, of the phone of
// the profile in that folder.
const profile = "SOTTO_TEST_SCREEN"

func TestMain(m *testing.M) {
	home := os.Getenv(profile)
	if home == "" {
		os.Exit(m.Run())
	}
	if err := screenOf(home); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func screenOf(home string) error {
	client, err := api.Dial(home)
	if err != nil {
		return err
	}
	w := wound{client, new(atomic.Pointer[time.Time])}
	w.now.Store(&begun)
	return Run(context.Background(), w, Options{clock: func() time.Time { return *w.now.Load() }})
}

// wound is a phone with a clock that the phone itself winds: a notice that is a
// time sets it. No other clock counts, so pages do not depend on how fast a
// machine is.
type wound struct {
	*api.Client
	now *atomic.Pointer[time.Time]
}

const winds = "it is "

func (w wound) Events(ctx context.Context, take func(api.Event) error) error {
	return w.Client.Events(ctx, func(e api.Event) error {
		if at, ok := strings.CutPrefix(e.Notice, winds); ok {
			now, err := time.Parse(time.RFC3339Nano, at)
			w.now.Store(&now)
			return err
		}
		return take(e)
	})
}

// puppet is a phone behind the API that tells what a test says, and keeps what
// it is asked.
type puppet struct {
	events chan api.Event
	asked  chan string
}

func (p *puppet) Status() api.Status { return api.Status{} }

// Listen serves one screen.
func (p *puppet) Listen() (<-chan api.Event, func()) { return p.events, func() {} }

func (p *puppet) Contacts() []api.Contact       { return friends }
func (p *puppet) History() (api.History, error) { return api.History{}, nil }

func (p *puppet) note(words ...string) error {
	p.asked <- strings.Join(words, " ")
	return nil
}

func (p *puppet) Call(_ context.Context, whom string) (api.Call, error) {
	return api.Call{}, p.note("call", whom)
}
func (p *puppet) Answer(id string) error        { return p.note("answer", id) }
func (p *puppet) Decline(id string) error       { return p.note("decline", id) }
func (p *puppet) HangUp(id string) error        { return p.note("hangup", id) }
func (p *puppet) Mute(id string, on bool) error { return p.note("mute", id, onOff(on, "on", "off")) }

func (p *puppet) Hold(id string, on bool) error { return p.note("hold", id, onOff(on, "on", "off")) }

func (p *puppet) Record(id string, on bool) error {
	return p.note("record", id, onOff(on, "on", "off"))
}
func (p *puppet) Say(id, text string) error { return p.note("say", id, text) }
func (p *puppet) Reread() error             { return nil }
func (p *puppet) Silent(on bool)            { p.note("silent", onOff(on, "on", "off")) }
func (p *puppet) PutAway()                  { p.note("put away") }
