package switchboard

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/voice"
)

var (
	errCable = errors.New("the cable is gone")
	errCard  = errors.New("no card")
)

// devices are a microphone that says 7 and a loudspeaker that notes what it plays.
type devices struct {
	mu           sync.Mutex
	opened, shut int
	played       []float32
	broken       chan struct{} // closed: the loudspeaker stops
}

func (d *devices) Read(f *voice.Frame) (bool, error) { f[0] = 7; return true, nil }

func (d *devices) Run(ctx context.Context, pull func([]float32)) error {
	tick := time.NewTicker(voice.PullTime)
	defer tick.Stop()
	out := make([]float32, voice.PullSamples)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.broken:
			return errCable
		case <-tick.C:
		}
		out[0] = 99 // which must be overwritten
		pull(out)
		d.mu.Lock()
		d.played = append(d.played, out[0])
		d.mu.Unlock()
	}
}

func (d *devices) last() float32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.played[len(d.played)-1]
}

func (d *devices) open(context.Context) (call.Sound, error) {
	d.opened++
	return call.Sound{Source: d, Sink: d, Close: func() { d.shut++ }}, nil
}

// talker is a call with a lease, whose sound is one number.
type talker struct {
	lease *lease
	sound call.Sound
	mu    sync.Mutex
	pulls int
	stop  context.CancelFunc
	ended chan error
}

func (h *handset) talk(t *testing.T, number float32) *talker {
	t.Helper()
	a := &talker{lease: h.lease(), ended: make(chan error, 1)}
	a.lease.take()
	var err error
	if a.sound, err = a.lease.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	a.stop = stop
	go func() {
		a.ended <- a.sound.Sink.Run(ctx, func(out []float32) {
			a.mu.Lock()
			a.pulls++
			a.mu.Unlock()
			out[0] = number
		})
	}()
	return a
}

func (a *talker) pulled() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pulls
}

func (a *talker) hangUp() error {
	a.stop()
	err := <-a.ended
	a.sound.Close()
	return err
}

func (a *talker) hears() bool {
	var f voice.Frame
	ok, err := a.sound.Source.Read(&f)
	return ok && err == nil && f[0] == 7
}

// TestMicrophoneClosesFirst ends the last call while the loudspeaker does not stop.
func TestMicrophoneClosesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shut, let := make(chan struct{}), make(chan struct{})
		h := &handset{open: func(context.Context) (call.Sound, error) {
			return call.Sound{Source: voice.Silence(), Sink: held(let), Close: func() { close(shut) }}, nil
		}}
		a := h.talk(t, 1)
		go a.hangUp()
		synctest.Wait()
		select {
		case <-shut:
		default:
			t.Error("the microphone is open")
		}
		close(let)
	})
}

// held is a loudspeaker that stops when it is let.
type held chan struct{}

func (h held) Run(context.Context, func([]float32)) error { <-h; return nil }

// One microphone and one loudspeaker, opened once, which one call has at a time;
// the others go on being pulled, and are not heard.
func TestOneCallHasTheHandset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &devices{broken: make(chan struct{})}
		h := &handset{open: d.open}
		second := func() { <-time.After(time.Second); synctest.Wait() }
		one := h.talk(t, 1)
		second()
		if d.last() != 1 || !one.hears() {
			t.Errorf("the first is not heard: %v", d.last())
		}
		two := h.talk(t, 2)
		before := one.pulled()
		second()
		if d.last() != 2 || !two.hears() || one.hears() {
			t.Errorf("the second is not heard, or the first is: %v", d.last())
		}
		if n := one.pulled() - before; n < 99 || n > 101 {
			t.Errorf("the first is pulled %d times in a second", n)
		}
		one.lease.take()
		second()
		if d.last() != 1 || !one.hears() || two.hears() {
			t.Error("the first has it again")
		}
		one.lease.leave() // on hold, like the other
		second()
		if d.last() != 0 {
			t.Errorf("nobody is to be heard, and %v is", d.last())
		}
		two.lease.take()
		if err := one.hangUp(); err != nil || d.shut != 0 {
			t.Errorf("%v, closed %d times", err, d.shut)
		}
		second()
		if d.last() != 2 || !two.hears() {
			t.Error("the second is heard no more")
		}
		if err := two.hangUp(); err != nil || d.opened != 1 || d.shut != 1 {
			t.Errorf("%v, opened %d times and closed %d times", err, d.opened, d.shut)
		}
		// The next call opens them anew, and each is told of a loudspeaker that stops.
		one, two = h.talk(t, 1), h.talk(t, 2)
		close(d.broken)
		for _, a := range []*talker{one, two} {
			err := <-a.ended
			if a.ended <- err; !errors.Is(err, errCable) {
				t.Errorf("%v", err)
			}
			if err := a.hangUp(); !errors.Is(err, errCable) {
				t.Error(err)
			}
		}
		if d.opened != 2 || d.shut != 2 {
			t.Errorf("opened %d times and closed %d times", d.opened, d.shut)
		}
		h.open = func(context.Context) (call.Sound, error) { return call.Sound{}, errCard }
		if _, err := h.lease().Open(t.Context()); !errors.Is(err, errCard) || h.users != 0 {
			t.Errorf("%v, %d users", err, h.users)
		}
	})
}
