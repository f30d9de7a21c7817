// Package announce tells the person of calls by other means than a terminal: a
// notification on the desktop, and a program of theirs that is run.
//
// Neither is told an address. A notification names a contact, or says "a
// stranger". The program has in its environment what can be said of a call, and
// nothing on its command line, where all users of a machine could read it; no
// shell takes part. Whoever wants to know more asks the phone for SOTTO_CALL.
package announce

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// Config says how to announce.
type Config struct {
	Desktop bool        // notifications, where there is a session bus
	Hook    string      // path of a program; "": none
	Socket  string      // of the phone, for the program
	Warn    func(error) // is told, once each, what does not work; it must not block
}

// Limits of the program's runs.
const (
	hookTime    = 30 * time.Second
	hookMost    = 4                // at a time; what comes meanwhile is left out
	momentsMost = 100              // that wait
	quietTime   = 10 * time.Second // between two missed calls of strangers that are told of
)

// Moment is something that happens to a call.
type Moment struct {
	Event    string // "ringing", "talking", "over", "missed"
	Call     string // its id; "" of missed ones
	Name     string // "": a stranger
	Incoming bool
}

// Follow turns the phone's events into moments.
type Follow struct {
	phases map[string]api.CallPhase
	missed time.Time // when a stranger's missed call was last told of
}

// Next gives what e means, if it is anything.
func (f *Follow) Next(e api.Event, now time.Time) (m Moment, ok bool) {
	if f.phases == nil {
		f.phases = map[string]api.CallPhase{}
	}
	switch {
	case e.Missed != nil:
		if e.Missed.Name == "" {
			if now.Sub(f.missed) < quietTime {
				return m, false
			}
			f.missed = now
		}
		return Moment{Event: "missed", Name: e.Missed.Name, Incoming: true}, true
	case e.Call == nil:
		return m, false
	}
	c := e.Call
	before := f.phases[c.ID]
	f.phases[c.ID] = c.Phase
	m = Moment{Call: c.ID, Name: c.Name, Incoming: !c.Outgoing}
	switch {
	case c.Phase == before:
		return m, false
	case c.Phase == api.Ringing && !c.Outgoing:
		m.Event = "ringing"
	case c.Phase == api.Talking:
		m.Event = "talking"
	case c.Phase == api.Over:
		delete(f.phases, c.ID)
		m.Event = "over"
	default:
		return m, false
	}
	return m, true
}

// Run announces what events bring, until they end.
func Run(ctx context.Context, events <-chan api.Event, c Config) {
	var group sync.WaitGroup
	defer group.Wait()
	var desk *desktop
	if c.Desktop {
		desk = newDesktop(ctx, c.Warn)
		defer desk.close()
	}
	room := make(chan struct{}, hookMost)
	var once sync.Once
	// Who listens too slowly is told no more, and a desktop can take seconds while a
	// peer writes hundreds of lines.
	moments := make(chan Moment, momentsMost)
	go func() {
		defer close(moments)
		var follow Follow
		for e := range events {
			if m, ok := follow.Next(e, time.Now()); ok {
				select {
				case moments <- m:
				default:
				}
			}
		}
	}()
	for m := range moments {
		desk.show(m)
		if c.Hook == "" {
			continue
		}
		select {
		case room <- struct{}{}:
		default:
			continue
		}
		group.Go(func() {
			defer func() { <-room }()
			if err := run(ctx, c, m); err != nil && ctx.Err() == nil {
				once.Do(func() { c.Warn(fmt.Errorf("the hook does not do what it should: %w", err)) })
			}
		})
	}
}

// environment is this process's own without what is sotto's business.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "SOTTO_") || strings.HasPrefix(v, "TOR_CONTROL_")
	})
}

// run runs the program for a moment.
func run(ctx context.Context, c Config, m Moment) error {
	ctx, cancel := context.WithTimeout(ctx, hookTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Hook)
	direction := "out"
	if m.Incoming {
		direction = "in"
	}
	cmd.Env = append(environment(), "SOTTO_EVENT="+m.Event, "SOTTO_CALL="+m.Call, "SOTTO_NAME="+m.Name,
		"SOTTO_DIRECTION="+direction, "SOTTO_SOCKET="+c.Socket)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // no terminal's signal, nor its own children left
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 2 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it has started, and does not heed the first
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && !exit.Exited() {
		return fmt.Errorf("%s was ended after %v", c.Hook, hookTime)
	}
	return err
}
