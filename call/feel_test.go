package call_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/call"
)

// What the caller says does not arrive for two seconds: the one who listens knows
// within half a second, the one who speaks in that and the way back; the mark of
// what was heard stands still meanwhile, and how late each hears the other was
// told in time.
func TestNotReachingYou(t *testing.T) {
	for _, way := range []time.Duration{30 * time.Millisecond, 150 * time.Millisecond, 400 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.net.delay = way
			w.callee.onRing = func(c *call.Call) { c.Answer() }
			var before, said, stuck, after call.Status
			var listener, speaker time.Duration
			w.caller.onTalk = func(c *call.Call) {
				pass(15*time.Second + offGrid)
				other := w.callee.call
				before, said = c.Status(), other.Status()
				for _, wire := range w.caller.wires() {
					wire.out.hold(true)
				}
				began := time.Now()
				for time.Since(began) < 2*time.Second {
					pass(10 * time.Millisecond)
					if listener == 0 && !other.Status().Reached {
						listener = time.Since(began)
					}
					if speaker == 0 && c.Status().Unheard >= call.NoticeTime {
						speaker = time.Since(began)
					}
				}
				stuck = c.Status()
				for _, wire := range w.caller.wires() {
					wire.out.hold(false)
				}
				pass(3 * time.Second)
				after = c.Status()
				c.HangUp()
			}
			if a, b := w.run(t.Context()); a != nil || b != nil {
				t.Fatal(a, b)
			}
			t.Logf("%v one way: told after %v and %v; heard %v and %v late, as they say %v and %v",
				way, listener, speaker, before.MouthToEar, said.MouthToEar, before.MouthToEarThere, said.MouthToEarThere)
			const most = 500 * time.Millisecond
			if listener == 0 || listener > most || speaker == 0 || speaker > most+way {
				t.Errorf("%v one way: told after %v and %v", way, listener, speaker)
			}
			for _, s := range []call.Status{before, said} {
				if off := s.MouthToEar - s.MouthToEarThere; off.Abs() > 75*time.Millisecond {
					t.Errorf("%v one way: %v here, %v there", way, s.MouthToEar, s.MouthToEarThere)
				}
				if off := s.MouthToEar - way - s.Playout.Level - 26*time.Millisecond; off < 0 || off > 40*time.Millisecond {
					t.Errorf("%v one way: %v from mouth to ear", way, s.MouthToEar)
				}
				if behind := s.TalkedFor - s.HeardUpTo; !s.Reached || s.Unheard > 100*time.Millisecond || behind < way || behind > 2*way+150*time.Millisecond {
					t.Errorf("%v one way, all well: %+v", way, s)
				}
			}
			if gone := stuck.HeardUpTo - before.HeardUpTo; gone > 2*way || stuck.Reached == false {
				t.Errorf("%v one way: the mark went on by %v", way, gone)
			}
			if after.Unheard > 100*time.Millisecond || after.TalkedFor-after.HeardUpTo > 2*way+150*time.Millisecond {
				t.Errorf("%v one way, well again: %+v", way, after)
			}
		})
	}
}
