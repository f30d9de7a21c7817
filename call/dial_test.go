package call_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/identity"
)

// dropped is a stream that the callee ends instead of reading its write number
// after.
type dropped struct {
	*wire
	after, writes int
}

func (d *dropped) Write(b []byte) (int, error) {
	if d.writes++; d.writes == d.after {
		d.wire.Close()
		return len(b), nil
	}
	return d.wire.Write(b)
}

// crowded makes a party's first streams end at the callee's door: before the
// message number at is read.
func crowded(p *party, streams, at int) (config call.Config, dials *int) {
	config, dials = p.config(), new(int)
	config.Dial = func(_ context.Context, a identity.Address) (net.Conn, error) {
		w, err := p.net.dial(a)
		if *dials++; err != nil || *dials > streams {
			return w, err
		}
		return &dropped{wire: w, after: at}, nil
	}
	return config, dials
}

// A stream that ends before the callee's message had to make room: the caller
// tries again, thrice in all, a second apart.
func TestAGreetingIsTriedAgain(t *testing.T) {
	for streams, want := range map[int]error{2: nil, 3: call.ErrUnreached} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.callee.onRing = func(c *call.Call) { c.Answer() }
			w.caller.onTalk = func(c *call.Call) { c.HangUp() }
			ctx, cancel := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() { served <- w.callee.serve(ctx) }()
			config, dials := crowded(w.caller, streams, 1)
			began := time.Now()
			c, err := call.Dial(ctx, config, w.callee.key.Address())
			if !errors.Is(err, want) {
				t.Errorf("%d streams dropped: %v", streams, err)
			}
			if took := time.Since(began); *dials != 3 || took < 2*time.Second || took > 3*time.Second {
				t.Errorf("%d dials in %v", *dials, took)
			}
			if err == nil {
				if err := w.caller.live(ctx, c); err != nil {
					t.Error(err)
				}
			}
			cancel()
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}

// A stream that ends before the caller's last message is read is no call: the
// caller says so at once and has nothing to join.
func TestACallThatWasNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- w.callee.serve(ctx) }()
		config, dials := crowded(w.caller, 1, 2)
		c, err := call.Dial(ctx, config, w.callee.key.Address())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := w.caller.live(ctx, c); !errors.Is(err, call.ErrUnreached) {
			t.Errorf("ended with %v", err)
		}
		if took := time.Since(began); took > time.Second || *dials > 1 {
			t.Errorf("after %v and %d dials", took, *dials)
		}
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
