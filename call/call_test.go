package call_test

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/jitter"
)

// offGrid keeps what people do away from the instants of the ticks, where the
// fake clock would leave the order to chance.
const offGrid = 7 * time.Millisecond

// talkFor lets a call be answered one second in and hung up by the caller
// after d.
func talkFor(t *testing.T, w *world, d time.Duration) (caller, callee error) {
	t.Helper()
	w.callee.onRing = func(c *call.Call) {
		pass(time.Second + offGrid)
		if !c.Answer() {
			t.Error("nothing to answer")
		}
	}
	w.caller.onTalk = func(c *call.Call) {
		pass(d + offGrid)
		c.HangUp()
	}
	return w.run(t.Context())
}

func TestBothHearEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		caller, callee := talkFor(t, w, 10*time.Second)
		if caller != nil || callee != nil {
			t.Fatalf("ended with %v and %v", caller, callee)
		}
		if w.caller.peer != w.callee.key.Address() || w.callee.peer != w.caller.key.Address() {
			t.Error("somebody talked to somebody else")
		}
		for name, side := range map[string][2]*party{"caller": {w.caller, w.callee}, "callee": {w.callee, w.caller}} {
			heard, said := side[0].sink.values(), side[1].source.said
			if len(said) < 480 {
				t.Fatalf("the one the %s listens to said %d frames in 10 s", name, len(said))
			}
			// What is heard is a run of what was said, nothing missing in it.
			if len(heard) < 480 {
				t.Fatalf("the %s heard %d frames of %d", name, len(heard), len(said))
			}
			for i, v := range heard[1:] {
				if v != heard[i]+1 {
					t.Fatalf("the %s heard %v after %v", name, v, heard[i])
				}
			}
		}
		for _, p := range []*party{w.caller, w.callee} { // tick and capture
			if opened, closed := p.alarms.opened.Load(), p.alarms.closed.Load(); opened != 2 || closed != 2 {
				t.Errorf("%d alarms, %d closed", opened, closed)
			}
		}
		s := w.caller.status
		if s.Playout.ConcealedPercent() > 2 || s.Skipped > 0 || s.RoundTrip < 40*time.Millisecond || s.RoundTrip > 100*time.Millisecond {
			t.Errorf("%+v", s)
		}
	})
}

// passes notes when frames passed.
type passes struct {
	mu                sync.Mutex
	captured, playing map[uint32]time.Time
}

func (p *passes) Captured(frame uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.captured[frame] = time.Now()
}

func (p *passes) Playing(frame uint32, in time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.playing[frame] = time.Now().Add(in)
}

// The first words are heard as soon as all others: a call does not begin with a delay
// that has to be squeezed out of them.
func TestFirstWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, p := range []*party{w.caller, w.callee} {
			p.probe = &passes{captured: map[uint32]time.Time{}, playing: map[uint32]time.Time{}}
		}
		if caller, callee := talkFor(t, w, 3*time.Second); caller != nil || callee != nil {
			t.Fatalf("ended with %v and %v", caller, callee)
		}
		for name, side := range map[string][2]*party{"caller": {w.caller, w.callee}, "callee": {w.callee, w.caller}} {
			ear, mouth := side[0].probe.(*passes), side[1].probe.(*passes)
			first := slices.Min(slices.Collect(maps.Keys(mouth.captured)))
			delay := func(frame uint32) time.Duration { return ear.playing[frame].Sub(mouth.captured[frame]) }
			early, late := delay(first), delay(first+100)
			if d := (early - late).Abs(); d > 2*time.Millisecond || early < 33*time.Millisecond || early > 33*time.Millisecond+jitter.DefaultMin+20*time.Millisecond {
				t.Errorf("the %s hears the first frame after %v, one of 2 s later after %v", name, early, late)
			}
		}
	})
}

// The wire is the same whatever is said: the same times, the same sizes, from
// m3 to half a second after the hang-up, in speech, silence and mute.
func TestTheWireNeverChanges(t *testing.T) {
	logs := map[string][2][]write{}
	for _, kind := range []string{"speech", "silence", "muted", "no microphone", "hold", "chat", "recording"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			for _, p := range []*party{w.caller, w.callee} {
				p.source.silent = kind == "silence"
				p.source.dead = kind == "no microphone"
				p.muted = kind == "muted"
			}
			var read []string
			switch kind {
			case "hold":
				w.callee.onTalk = func(c *call.Call) { c.Hold(true); pass(2 * time.Second); c.Hold(false) }
			case "recording":
				w.callee.onTalk = func(c *call.Call) { c.Record(&tape{}); pass(2 * time.Second); c.Record(nil) }
				w.caller.onRecorded = func(bool) { w.caller.call.Record(&tape{}) }
			case "chat":
				w.callee.onText = func(text string) { read = append(read, text) }
				w.callee.onTalk = func(c *call.Call) { c.Say("hello") }
				w.caller.onText = func(text string) {
					for range 3 {
						w.caller.call.Say(strings.Repeat("a long line ", 50))
					}
				}
				defer func() {
					if len(read) != 3 || len(read[2]) != 599 {
						t.Errorf("%d lines of text were read", len(read))
					}
				}()
			}
			if a, b := talkFor(t, w, 5*time.Second); a != nil || b != nil {
				t.Fatal(a, b)
			}
			logs[kind] = [2][]write{w.caller.log(), w.callee.log()}
		})
	}
	for side, name := range []string{"caller", "callee"} {
		want := logs["speech"][side]
		for kind, log := range logs {
			if len(log[side]) != len(want) {
				t.Fatalf("%s, %s: %d writes, in speech %d", name, kind, len(log[side]), len(want))
			}
			for i, wr := range log[side] {
				if wr != want[i] {
					t.Fatalf("%s, %s: write %d is %+v, in speech %+v", name, kind, i, wr, want[i])
				}
			}
		}
		// One second of ringing (it rings a trip after m3), the talk, the half
		// second after it: one block every 20 ms, exactly, by the paths in turn.
		// (The last 150 of them: no path joins any more.)
		used := map[int]bool{}
		records := want[len(want)-150:]
		for i, wr := range records[1:] {
			if wr.size != 468 || wr.at-records[i].at != 20*time.Millisecond {
				t.Fatalf("%s: write %d: %d bytes, %v after the one before", name, i, wr.size, wr.at-records[i].at)
			}
			used[wr.path] = true
		}
		if len(used) < 3 {
			t.Errorf("%s: went by paths %v alone", name, used)
		}
		for _, wr := range want {
			if wr.size%468 != 0 {
				t.Fatalf("%s: a write of %d bytes", name, wr.size)
			}
		}
		if len(want) < 320 || len(want) > 345 {
			t.Fatalf("%s: %d writes in a call of 6.5 s", name, len(want))
		}
	}
}

// The microphone opens when both have said yes, and not before.
func TestTheMicrophoneOpensOnlyOnceBothAgreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var answered time.Time
		w.callee.onRing = func(c *call.Call) {
			pass(3 * time.Second)
			for _, p := range []*party{w.caller, w.callee} {
				if n := p.opened(); n != 0 {
					t.Errorf("%d microphones open while it rings", n)
				}
			}
			answered = time.Now()
			c.Answer()
		}
		w.caller.onTalk = func(c *call.Call) {
			pass(time.Second)
			c.HangUp()
		}
		if a, b := w.run(t.Context()); a != nil || b != nil {
			t.Fatal(a, b)
		}
		for _, p := range []*party{w.caller, w.callee} {
			if p.opened() != 1 || p.openedAt.Before(answered) || p.closed != 1 {
				t.Errorf("opened %d times, %v after the answer, closed %d times", p.opened(), p.openedAt.Sub(answered), p.closed)
			}
		}
	})
	for name, onRing := range map[string]func(*call.Call){
		"declined": func(c *call.Call) { c.Decline() },
		"busy":     func(c *call.Call) { c.Busy() },
		"ignored":  func(*call.Call) {},
		"hung up":  func(c *call.Call) { c.HangUp() },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.callee.onRing = onRing
			w.run(t.Context())
			if w.caller.opened()+w.callee.opened() != 0 {
				t.Errorf("%s: a microphone was opened", name)
			}
		})
	}
}

func TestHowCallsEnd(t *testing.T) {
	sleep := func(d time.Duration, then func(*call.Call)) func(*call.Call) {
		return func(c *call.Call) { pass(d); then(c) }
	}
	answer := func(c *call.Call) { c.Answer() }
	for name, test := range map[string]struct {
		onRing         func(*call.Call)                // at the callee
		onRingOut      func(*call.Call)                // at the caller
		onTalk         func(*world) func(c *call.Call) // at the callee
		caller, callee error
		takes          time.Duration
	}{
		"declined":            {onRing: sleep(time.Second, func(c *call.Call) { c.Decline() }), caller: call.ErrDeclined, callee: call.ErrDeclined, takes: 2 * time.Second},
		"busy":                {onRing: func(c *call.Call) { c.Busy() }, caller: call.ErrBusy, callee: call.ErrBusy, takes: time.Second},
		"no answer":           {onRing: func(*call.Call) {}, caller: call.ErrNoAnswer, callee: call.ErrNoAnswer, takes: 46 * time.Second},
		"the caller gives up": {onRing: func(*call.Call) {}, onRingOut: sleep(5*time.Second, func(c *call.Call) { c.HangUp() }), caller: call.ErrCancelled, callee: call.ErrNoAnswer, takes: 6 * time.Second},
		"the callee hangs up": {onRing: answer, onTalk: func(*world) func(*call.Call) {
			return sleep(3*time.Second, func(c *call.Call) { c.HangUp() })
		}, takes: 4 * time.Second},
		"the network breaks for good": {onRing: answer, onTalk: func(w *world) func(*call.Call) {
			return sleep(3*time.Second, func(*call.Call) { w.net.fail(true, w.caller) })
		}, caller: call.ErrLost, callee: call.ErrLost, takes: 64 * time.Second},
		"the network stands still": {onRing: answer, onTalk: func(w *world) func(*call.Call) {
			return sleep(3*time.Second, func(*call.Call) { w.net.fail(false, w.caller, w.callee) })
		}, caller: call.ErrLost, callee: call.ErrLost, takes: 64 * time.Second},
		"no sound card at the callee": {onRing: func(c *call.Call) { c.Answer() }, onTalk: func(w *world) func(*call.Call) {
			return func(*call.Call) {}
		}, caller: call.ErrFailed, callee: errNoCard, takes: time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.callee.onRing, w.caller.onRing = test.onRing, test.onRingOut
			if test.onTalk != nil {
				w.callee.onTalk = test.onTalk(w)
			}
			w.callee.noCard = errors.Is(test.callee, errNoCard)
			began := time.Now()
			caller, callee := w.run(t.Context())
			if !errors.Is(caller, test.caller) || !errors.Is(callee, test.callee) || (test.caller == nil) != (caller == nil) {
				t.Errorf("%s: ended with %v and %v", name, caller, callee)
			}
			if took := time.Since(began); took > test.takes {
				t.Errorf("%s: took %v", name, took)
			}
		})
	}
}

// The end of Run's context is a hang-up like any other: the other side is told.
func TestAnInterruptHangsUpForBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		w.callee.onRing = func(c *call.Call) { c.Answer() }
		w.caller.onTalk = func(*call.Call) { pass(2 * time.Second); cancel() }
		caller, callee := w.runWith(ctx, t.Context())
		if caller != nil || callee != nil {
			t.Errorf("ended with %v and %v", caller, callee)
		}
	})
}

// A circuit that stands still blocks no tick, is not filled beyond its cap,
// and nothing is caught up afterwards.
func TestAStalledCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.caller.paths = 1
		w.callee.onRing = func(c *call.Call) { c.Answer() }
		var during, after call.Status
		w.caller.onTalk = func(c *call.Call) {
			pass(2 * time.Second)
			before := c.Status()
			w.caller.wires()[0].stall()
			pass(2 * time.Second)
			during = c.Status()
			w.caller.wires()[0].resume()
			pass(2 * time.Second)
			after = c.Status()
			if n := during.Sent - before.Sent; n > 65 {
				t.Errorf("%d records went into a circuit that stood still", n)
			}
			if during.Skipped < 30 {
				t.Errorf("only %d ticks were skipped in 2 s", during.Skipped)
			}
			if n := after.Sent - during.Sent; n > 101 {
				t.Errorf("%d records in the 2 s after the stall", n)
			}
			c.HangUp()
		}
		if a, b := w.run(t.Context()); a != nil || b != nil {
			t.Fatal(a, b)
		}
		// All that was sent came, but for what was on its way at the end.
		if s := w.callee.status; w.caller.status.Sent-s.Received > 3 {
			t.Errorf("%d records sent, %d received", w.caller.status.Sent, s.Received)
		}
	})
}

// A second call while one is on: the handler says busy, the first goes on.
func TestASecondCallerIsToldBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var once sync.Once
		w.callee.onRing = func(c *call.Call) {
			busy := true
			once.Do(func() { busy = false })
			if busy {
				c.Busy()
			} else {
				c.Answer()
			}
		}
		second := newParty(t, w.net)
		w.caller.onTalk = func(c *call.Call) {
			if err := second.dial(t.Context(), w.callee.key.Address()); !errors.Is(err, call.ErrBusy) {
				t.Errorf("the second caller: %v", err)
			}
			pass(time.Second)
			c.HangUp()
		}
		if a, _ := w.run(t.Context()); a != nil {
			t.Error(a)
		}
	})
}

// Streams that are no callers: each is closed without a word, within the
// handshake's time, and a caller gets through all the while.
func TestStreamsThatAreNoCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- w.callee.serve(ctx) }()
		var silent []net.Conn
		for i := range 100 {
			conn := w.net.connect(w.callee.key.Address())
			silent = append(silent, conn)
			go conn.Write(make([]byte, []int{0, 1, 16, 1403, 1404, 5000}[i%6]))
		}
		synctest.Wait()
		w.callee.onRing = func(c *call.Call) { c.Decline() }
		if err := w.caller.dial(t.Context(), w.callee.key.Address()); !errors.Is(err, call.ErrDeclined) {
			t.Errorf("a caller among them: %v", err)
		}
		began := time.Now()
		for i, conn := range silent {
			if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
				t.Fatalf("stream %d was told something", i)
			}
		}
		if took := time.Since(began); took > call.HandshakeTime {
			t.Errorf("some were kept for %v", took)
		}
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
