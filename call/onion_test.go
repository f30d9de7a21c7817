package call_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/oniontest"
)

// node runs a party's Node, attached to tor, until the test ends.
func node(t *testing.T, tor *oniontest.Tor) *onion.Node {
	t.Helper()
	n, err := onion.New(onion.Config{Dir: t.TempDir(), Wire: tor, Running: onion.Running{Control: oniontest.Control}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return n
}

// A whole call over two Nodes: circuits are lost and stall, the callee's tor is
// killed and comes back. Nobody rings again, and speech goes on each time.
func TestACallOverNodesOutlivesItsCircuitsAndItsTor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		onions := oniontest.New()
		t.Cleanup(onions.Close)
		onions.Delay(60 * time.Millisecond)
		w := newWorld(t)
		calleeTor := onions.Tor(oniontest.Script{Upload: time.Second})
		callee := node(t, calleeTor)
		caller := node(t, onions.Tor(oniontest.Script{}))
		listener, err := callee.Listen(t.Context(), w.callee.key, onion.Service{})
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()

		rang := 0
		w.callee.onRing = func(c *call.Call) { rang++; c.Answer() }
		good := func(when string) {
			t.Helper()
			for began := time.Now(); ; pass(100 * time.Millisecond) {
				s := w.caller.call.Status()
				if s.Paths > 0 && s.Silence < 100*time.Millisecond {
					t.Logf("%s: speech again after %v over %d paths", when, time.Since(began), s.Paths)
					return
				}
				if time.Since(began) > 45*time.Second {
					t.Fatalf("%s: %+v", when, s)
				}
			}
		}
		w.caller.onTalk = func(c *call.Call) {
			pass(10 * time.Second)
			good("talking")
			circuits := onions.Circuits()
			if len(circuits) < call.DefaultPaths {
				t.Errorf("%d circuits", len(circuits))
			}
			circuits[0].Close()
			for _, other := range circuits[1:] {
				other.Stall(500 * time.Millisecond)
			}
			pass(2 * time.Second)
			good("a circuit lost, the others stalled")
			for _, c := range onions.Circuits() {
				c.Close()
			}
			pass(time.Second)
			good("all circuits lost")
			calleeTor.Kill()
			pass(2 * time.Second)
			calleeTor.Start()
			pass(time.Second)
			good("the callee's tor killed and started")
			c.HangUp()
		}
		over := func(p *party, n *onion.Node) call.Config {
			config := p.config()
			config.Dial = n.Reach
			return config
		}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		line := call.Line{Config: over(w.callee, callee), Handle: func(ctx context.Context, c *call.Call) { w.callee.ended <- w.callee.live(ctx, c) }}
		go func() { served <- line.Serve(ctx, listener) }()
		c, err := call.Dial(ctx, over(w.caller, caller), w.callee.key.Address())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.caller.live(ctx, c); err != nil {
			t.Error(err)
		}
		if err := <-w.callee.ended; err != nil {
			t.Error(err)
		}
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if rang != 1 {
			t.Errorf("it rang %d times", rang)
		}
	})
}
