package call_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/call"
)

// conversation begins a call that is answered at once, lets the caller do
// something while both talk, and hangs up.
func conversation(t *testing.T, during func(*testing.T, *world, *call.Call)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		rings := 0
		w.callee.onRing = func(c *call.Call) { rings++; c.Answer() }
		w.caller.onTalk = func(c *call.Call) {
			pass(8*time.Second + offGrid) // all paths have joined
			during(t, w, c)
			c.HangUp()
		}
		if a, b := w.run(t.Context()); a != nil || b != nil {
			t.Errorf("ended with %v and %v", a, b)
		}
		if rings != 1 {
			t.Errorf("it rang %d times", rings)
		}
	})
}

func TestPathsJoinWhileItRings(t *testing.T) {
	conversation(t, func(t *testing.T, w *world, c *call.Call) {
		if n := c.Status().Paths; n != call.DefaultPaths {
			t.Errorf("%d paths are open", n)
		}
		if n := len(w.caller.wires()); n != call.DefaultPaths {
			t.Errorf("%d streams were opened", n)
		}
	})
}

// Three of four paths die at once: no gap worth hearing, and they are replaced.
func TestPathsMayDie(t *testing.T) {
	conversation(t, func(t *testing.T, w *world, c *call.Call) {
		before := c.Status().Playout.Concealed
		for _, wire := range w.caller.wires()[:3] {
			wire.Close()
		}
		pass(20 * time.Second)
		s := c.Status()
		if n := s.Playout.Concealed - before; n > 200*time.Millisecond {
			t.Errorf("%v were made up", n)
		}
		if s.Paths != call.DefaultPaths {
			t.Errorf("%d paths are open afterwards", s.Paths)
		}
	})
}

// All paths die at once: the call holds, the caller redials and joins the same
// call, nobody rings again, and speech goes on within a few seconds.
func TestAllPathsDie(t *testing.T) {
	conversation(t, func(t *testing.T, w *world, c *call.Call) {
		for _, wire := range w.caller.wires() {
			wire.Close()
		}
		pass(500 * time.Millisecond)
		if s := c.Status(); s.Paths != 0 || s.Phase != call.Talking {
			t.Errorf("%d paths, %v", s.Paths, s.Phase)
		}
		pass(1500 * time.Millisecond)
		if s := c.Status(); s.Paths == 0 || s.Silence > 100*time.Millisecond {
			t.Errorf("two seconds later %d paths, silent for %v", s.Paths, s.Silence)
		}
	})
}

// The network is away for half a minute: the call is there when it comes back.
func TestALongOutage(t *testing.T) {
	conversation(t, func(t *testing.T, w *world, c *call.Call) {
		w.net.fail(true, w.caller, w.callee)
		pass(30 * time.Second)
		w.net.mend()
		pass(10 * time.Second)
		if s := c.Status(); s.Paths == 0 || s.Silence > 100*time.Millisecond {
			t.Errorf("%d paths, silent for %v", s.Paths, s.Silence)
		}
	})
}

// The tor of the callee dies, which ends no stream at the caller: the paths are
// there and bring nothing. The caller notices, dials anew and drops them.
func TestPathsThatDieWithoutAWord(t *testing.T) {
	conversation(t, func(t *testing.T, w *world, c *call.Call) {
		for _, wire := range w.caller.wires() {
			wire.stall()
		}
		pass(8 * time.Second)
		if s := c.Status(); s.Silence > 100*time.Millisecond {
			t.Errorf("8 s later %d paths, silent for %v", s.Paths, s.Silence)
		}
		pass(10 * time.Second)
		if s := c.Status(); s.Paths < 3 { // the bucket has no more for now
			t.Errorf("18 s later %d paths", s.Paths)
		}
	})
}

// The tor of the caller dies again and again, which ends no stream at the
// callee: paths that bring nothing must not keep fresh ones out.
func TestPathsThatDieAgainAndAgain(t *testing.T) {
	conversation(t, func(t *testing.T, w *world, c *call.Call) {
		for n := range 6 {
			for _, wire := range w.caller.wires() {
				wire.stall()
			}
			pass(8 * time.Second)
			if s := c.Status(); s.Silence > 100*time.Millisecond {
				t.Errorf("the %d. time: 8 s later %d paths, silent for %v", n+1, s.Paths, s.Silence)
			}
		}
	})
}

// A stream that brings a call's tag but not its keys is treated like any
// stranger: nothing is said, and it is closed when the handshake's time is up.
func TestAStolenTagIsNoKey(t *testing.T) {
	conversation(t, func(t *testing.T, w *world, c *call.Call) {
		// A join that has been used, replayed whole, and one with its seal broken.
		joins := w.caller.wires()[1].firstWrite()
		for name, b := range map[string][]byte{"replayed": joins, "broken": append(append([]byte(nil), joins[:400]...), make([]byte, 68)...)} {
			s := w.net.connect(w.callee.key.Address())
			if _, err := s.Write(b); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if n, err := s.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("%s: %d bytes, %v", name, n, err)
			}
			if took := time.Since(began); took < call.HandshakeTime-time.Second || took > call.HandshakeTime+time.Second {
				t.Errorf("%s: closed after %v, a stranger's after %v", name, took, call.HandshakeTime)
			}
		}
		if n := c.Status().Paths; n != call.DefaultPaths {
			t.Errorf("%d paths", n)
		}
	})
}

// The other side vanishes without a word: both notice, and give up after a
// minute.
func TestAPeerThatVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.callee.onRing = func(c *call.Call) { c.Answer() }
		calleeCtx, vanish := context.WithCancel(t.Context())
		defer vanish()
		var noticed time.Duration
		w.caller.onTalk = func(c *call.Call) {
			pass(5*time.Second + offGrid)
			w.net.fail(false, w.caller, w.callee)
			began := time.Now()
			for c.Status().Reached {
				pass(20 * time.Millisecond)
			}
			noticed = time.Since(began)
		}
		caller, callee := w.runWith(t.Context(), calleeCtx)
		if !errors.Is(caller, call.ErrLost) || !errors.Is(callee, call.ErrLost) {
			t.Errorf("ended with %v and %v", caller, callee)
		}
		if noticed > 3*time.Second {
			t.Errorf("noticed after %v", noticed)
		}
	})
}
