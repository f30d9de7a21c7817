package call_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/voice"
)

// tape notes what it is given, and when it was first.
type tape struct {
	mu          sync.Mutex
	first, last time.Time
	said, heard []float32
}

func (p *tape) note(to *[]float32, v float32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last = time.Now(); p.first.IsZero() {
		p.first = p.last
	}
	*to = append(*to, v)
}

func (p *tape) Said(f *voice.Frame) { p.note(&p.said, f[0]) }
func (p *tape) Heard(out []float32) { p.note(&p.heard, slices.Max(out)) }
func run(v []float32) (silent, n int) { // how many silent ones, and of the others
	for _, s := range v {
		if s == 0 {
			silent++
		} else if s > 0 {
			n++
		}
	}
	return silent, n
}

// A recording begins after the other side has been told, holds what went out
// (silence while muted) and what was heard, and ends with it.
func TestARecordingIsAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		kept := &tape{}
		type news struct {
			on bool
			at time.Time
		}
		var told []news
		var asked, stopped time.Time
		var before, during, after call.Status
		w.caller.onRecorded = func(on bool) { told = append(told, news{on, time.Now()}) }
		w.callee.onRing = func(c *call.Call) {
			if err := c.Record(kept); !errors.Is(err, call.ErrNotRecordable) {
				t.Errorf("while it rings: %v", err)
			}
			pass(time.Second + offGrid)
			c.Answer()
		}
		w.callee.onTalk = func(c *call.Call) {
			pass(time.Second)
			asked = time.Now()
			if err := errors.Join(c.Record(kept), c.Record(kept)); err != nil {
				t.Error(err)
			}
			before = c.Status()
			pass(time.Second)
			c.Mute(true)
			pass(time.Second)
			during = w.caller.call.Status()
			if s := c.Status(); !s.Recording || s.Announced {
				t.Errorf("while it records: %+v", s)
			}
			if err := errors.Join(c.Record(nil), c.Record(nil)); err != nil {
				t.Error(err)
			}
			stopped = time.Now()
			pass(time.Second)
			after = w.caller.call.Status()
		}
		w.caller.onTalk = func(c *call.Call) { pass(5*time.Second + offGrid); c.HangUp() }
		if a, b := w.run(t.Context()); a != nil || b != nil {
			t.Fatal(a, b)
		}
		if len(told) != 2 || !told[0].on || told[1].on {
			t.Fatalf("the other side was told %v", told)
		}
		if before.Recording || !before.Announced || !during.Recorded || after.Recorded {
			t.Errorf("at first %+v, there %+v, then %+v", before, during, after)
		}
		if !kept.first.After(told[0].at) || kept.first.Sub(asked) > 200*time.Millisecond || kept.last.After(stopped) {
			t.Errorf("asked for at 0, told at %v, the first sample at %v, the last %v after the end",
				told[0].at.Sub(asked), kept.first.Sub(asked), kept.last.Sub(stopped))
		}
		silent, spoken := run(kept.said)
		if silent < 45 || silent > 55 || spoken < 35 || spoken > 50 {
			t.Errorf("of a second said and a second muted the tape has %d and %d frames", spoken, silent)
		}
		if _, heard := run(kept.heard); heard < 80 {
			t.Errorf("of two seconds heard the tape has %d pulls", heard)
		}
		values := slices.DeleteFunc(kept.heard, func(v float32) bool { return v <= 0 })
		if !slices.IsSorted(values) {
			t.Errorf("heard %v", values)
		}
	})
}
