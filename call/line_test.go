package call_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/call"
)

// The end of the callee's context is a hang-up too, though its address goes
// down with it: the caller is told, and does not wait for a lost connection.
func TestTheCalleesInterruptHangsUpForBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		w.callee.onRing = func(c *call.Call) { c.Answer() }
		w.callee.onTalk = func(*call.Call) { pass(2*time.Second + offGrid); cancel() }
		caller, callee := w.runWith(t.Context(), ctx)
		if caller != nil || callee != nil {
			t.Errorf("ended with %v and %v", caller, callee)
		}
	})
}

// What is muted is not heard, which no look at the wire could tell.
func TestMute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.caller.muted = true
		if a, b := talkFor(t, w, 3*time.Second); a != nil || b != nil {
			t.Fatal(a, b)
		}
		if heard := w.callee.sink.values(); len(heard) != 0 {
			t.Errorf("%d frames of a muted microphone were heard", len(heard))
		}
		if heard := w.caller.sink.values(); len(heard) < 100 {
			t.Errorf("only %d frames of the other were", len(heard))
		}
	})
}

// A tick that comes late is skipped: the next one is on the grid, and none is
// sent twice as fast.
func TestALateTickIsSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.caller.paths = 1
		w.callee.onRing = func(c *call.Call) { c.Answer() }
		w.caller.onTalk = func(c *call.Call) { pass(time.Second + offGrid); c.HangUp() }
		w.caller.onPhase = func(p call.Phase) {
			if p == call.Talking {
				pass(105 * time.Millisecond) // the machine is busy: the tick stands still
			}
		}
		if a, b := w.run(t.Context()); a != nil || b != nil {
			t.Fatal(a, b)
		}
		log := w.caller.log()[3:] // after m1 and m3
		late, missed := 0, uint64(0)
		for i, wr := range log[1:] {
			switch gap := wr.at - log[i].at; {
			case gap == 20*time.Millisecond:
			case gap > 100*time.Millisecond && gap%(20*time.Millisecond) == 0:
				late++
				missed = uint64(gap/(20*time.Millisecond)) - 1
			default:
				t.Errorf("record %d comes %v after the one before", i+1, gap)
			}
		}
		if late != 1 {
			t.Errorf("%d gaps", late)
		}
		if n := w.caller.status.Skipped; n != missed {
			t.Errorf("%d ticks are counted as skipped, %d were", n, missed)
		}
	})
}

// Nobody's memory is for strangers to fill: with 64 handshakes under way the
// oldest gives way, long before its time is up.
func TestTheOldestStrangerGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		served := make(chan error, 1)
		go func() { served <- w.callee.serve(ctx) }()
		var silent []net.Conn
		for range 100 {
			silent = append(silent, w.net.connect(w.callee.key.Address()))
			synctest.Wait()
		}
		for i, conn := range silent {
			conn.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := conn.Read(make([]byte, 1))
			if closed := !isTimeout(err); closed != (i < 36) {
				t.Errorf("stream %d closed at once: %v (%v)", i, closed, err)
			}
		}
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// A stranger can make keys without end, and calls with them that nobody
// answers. Few of them live at a time, and one who is welcome gets through.
func TestUnansweredCallsGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.callee.ended = make(chan error, 100)
		w.callee.onRing = func(c *call.Call) {
			if c.Peer == w.caller.key.Address() {
				c.Answer()
			}
		}
		w.caller.onTalk = func(c *call.Call) { pass(time.Second); c.HangUp() }
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		served := make(chan error, 1)
		go func() { served <- w.callee.serve(ctx) }()
		over := make(chan error, 30)
		for range 30 {
			stranger := newParty(t, w.net)
			stranger.paths = 1
			go func() { over <- stranger.dial(ctx, w.callee.key.Address()) }()
			pass(100 * time.Millisecond)
		}
		pass(time.Second)
		if n := len(over); n != 22 {
			t.Errorf("%d of 30 unanswered calls were ended", n)
		}
		if err := w.caller.dial(ctx, w.callee.key.Address()); err != nil {
			t.Errorf("one who is welcome: %v", err)
		}
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		for range 30 {
			<-over
		}
	})
}

// A listener that fails is closed: an address must not stay published with
// nobody behind it.
func TestAListenerThatFailsIsClosed(t *testing.T) {
	l := &failing{err: errors.New("broken")}
	line := call.Line{Handle: func(context.Context, *call.Call) {}}
	if err := line.Serve(t.Context(), l); !errors.Is(err, l.err) {
		t.Errorf("%v", err)
	}
	if !l.closed {
		t.Error("it is not closed")
	}
}

type failing struct {
	net.Listener
	err    error
	closed bool
}

func (f *failing) Accept() (net.Conn, error) { return nil, f.err }
func (f *failing) Close() error              { f.closed = true; return nil }

// Who lost a call and calls anew is not kept out by what is left of it.
func TestWhoCallsAnewHasLostTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.callee.onRing = func(c *call.Call) { c.Answer() }
		callerCtx, vanish := context.WithCancel(t.Context())
		talked := false
		again := newParty(t, w.net)
		again.key = w.caller.key
		again.onTalk = func(c *call.Call) { talked = true; c.HangUp() }
		w.caller.onTalk = func(*call.Call) {
			pass(2*time.Second + offGrid)
			w.net.fail(false, w.caller, w.callee)
			vanish()
		}
		calleeCtx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- w.callee.serve(calleeCtx) }()
		if err := w.caller.dial(callerCtx, w.callee.key.Address()); err != nil && !errors.Is(err, context.Canceled) {
			t.Logf("the first call: %v", err)
		}
		pass(4 * time.Second)
		w.net.mend()
		if err := again.dial(t.Context(), w.callee.key.Address()); err != nil || !talked {
			t.Errorf("the second call ended with %v, talked: %v", err, talked)
		}
		select {
		case err := <-w.callee.ended:
			if !errors.Is(err, call.ErrLost) {
				t.Errorf("the first call ended with %v at the callee", err)
			}
		default:
			t.Error("the first call goes on")
		}
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
