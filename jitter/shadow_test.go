package jitter

import (
	"testing"
	"time"
)

const ms = time.Millisecond

// A stall costs a shadow once, by how much it lacked, and then delay until it has
// fallen; many short ones are worth a delay, one long one is not.
func TestShadowsPriceAStallOnce(t *testing.T) {
	for _, test := range []struct {
		every, held int // frames between stalls, of a stall
		least, most time.Duration
	}{
		{1 << 30, 0, 30 * ms, 30 * ms},  // never: the least there is
		{1500, 50, 30 * ms, 60 * ms},    // a second every half a minute
		{60, 15, 150 * ms, 320 * ms},    // 300 ms at least every 1.2 s
		{200, 100, 300 * ms, 2500 * ms}, // half of the time: it hardly comes down
	} {
		var s shadow
		s.reset()
		for i := range 6000 {
			late := time.Duration(0)
			if in := i % test.every; test.held > 0 && in < test.held {
				late = time.Duration(test.held-in) * FrameTime
			}
			s.add(late, 40*ms)
		}
		if got := s.best(); got < test.least || got > test.most {
			t.Errorf("%d frames held up every %d: %v, want %v to %v", test.held, test.every, got, test.least, test.most)
		}
	}
}

// Half an hour leaves the weights finite, and what was long ago counts no more.
func TestShadowsForget(t *testing.T) {
	var s shadow
	s.reset()
	for i := range 100_000 {
		s.add(max(0, time.Duration(15-i%60))*FrameTime, 40*ms)
	}
	if got := s.best(); got < 150*ms {
		t.Errorf("after half an hour of stalls: %v", got)
	}
	for range 40_000 {
		s.add(0, 40*ms)
	}
	if got := s.best(); got > 40*ms {
		t.Errorf("long after all is well: %v", got)
	}
}

// Shadows know nothing of frames that overtake each other, so nobody asks them then.
func TestShadowsAreNotBelievedWhereFramesOvertake(t *testing.T) {
	var l lateness
	l.reset()
	c := &Config{Min: DefaultMin, Max: DefaultMax}
	for n := range int64(2000) {
		late := time.Duration(0)
		if n%40 < 20 {
			late = time.Duration(20-n%40) * FrameTime
		}
		l.add(time.Duration(n)*FrameTime+late, n, c)
	}
	if l.trust() == 0 {
		t.Fatal("not believed where frames come in order, late by much")
	}
	l.add(2000*FrameTime, 1990, c)
	for n := int64(2000); n < 2000+ordered; n++ {
		if l.trust() != 0 {
			t.Fatalf("believed %d frames after one was overtaken", n-2000)
		}
		l.add(time.Duration(n)*FrameTime+400*ms, n, c)
	}
	if l.trust() == 0 {
		t.Error("never believed again")
	}
}

// Where frames are late by much, a voice is squeezed only when the delay is well
// above the target; where by little, earlier and more gently. So with the frames
// that may be slowed: more of them, where late by little.
func TestTwoRegimes(t *testing.T) {
	for _, test := range []struct {
		near    float64
		surplus time.Duration
		least   float32
		most    float32
	}{
		{0, soften - ms, 1, 1},
		{0, soften + ramp/2, 1.2, 1.3},
		{0, soften + ramp, fastest, fastest},
		{0, time.Second, fastest, fastest},
		{1, softenNear - ms, 1, 1},
		{1, softenNear + rampNear/2, 1.2, 1.3},
		{1, softenNear + rampNear, fastest, fastest},
		{0.5, (soften+softenNear)/2 + ms, 1.001, 1.1},
	} {
		b := New(Config{})
		b.late.near = test.near
		e := Explained{Now: time.Second, Target: 300 * ms, Delay: 300*ms + test.surplus, Cushion: 2 * time.Second}
		b.fitted = e.Now
		b.pace(&e)
		if e.Speed < test.least || e.Speed > test.most || e.Surplus != test.surplus {
			t.Errorf("near %g, %v too late: speed %.3f, surplus %v; want %g to %g", test.near, test.surplus, e.Speed, e.Surplus, test.least, test.most)
		}
	}
}

func TestTheAllowance(t *testing.T) {
	for _, test := range []struct{ near, share float64 }{{0, allowed}, {1, allowedNear}} {
		b := New(Config{})
		b.late.near = test.near
		slowed := 0
		const frames = 10_000
		for range frames {
			e := Explained{Now: time.Second, Target: 300 * ms, Cushion: lowest - ms}
			b.pace(&e)
			if e.Surplus >= 0 {
				t.Fatal("no sound is added")
			}
			if e.Speed < 1 {
				slowed++
			}
		}
		if want := test.share * frames; float64(slowed) < want-2 || float64(slowed) > want+2 {
			t.Errorf("near %g: %d of %d frames slowed, want %.0f", test.near, slowed, frames, want)
		}
		b.slow = 0
		for range 100_000 {
			e := Explained{Target: 300 * ms, Cushion: time.Second}
			b.pace(&e)
		}
		if b.slow != saved {
			t.Errorf("near %g: %g frames saved", test.near, b.slow)
		}
	}
}

// However long the delay, of a hole that never fills as much is made up as parts
// two words.
func TestOfAHoleSixtyMillisecondsAreMadeUp(t *testing.T) {
	for missing := uint32(1); missing < 40; missing++ {
		b := New(Config{})
		now := time.Duration(0)
		for i := range uint32(300) {
			now += FrameTime
			b.Push(now, i, []byte{1})
			if i >= 20 { // ever more delay
				if i%4 == 0 {
					b.Pop(now, 0)
				}
			}
		}
		after := uint32(300) + missing
		b.Push(now, after, []byte{1})
		made := 0
		for range 1000 {
			now += FrameTime
			d := b.Pop(now, 0)
			if d.Action == Conceal {
				made++
			}
			if d.Action == Play && d.Seq == after {
				break
			}
		}
		if made < min(leastGap, int(missing)) {
			t.Errorf("%d frames missing: %d made up", missing, made)
		}
	}
}
