package portaudio

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// feeding is a loudspeaker's card and who feeds it, in virtual time.
type feeding struct {
	*card
	feed
	next    float32 // number of the next sample given
	last    float32 // number of the last one taken
	silent  int     // callbacks that did not get all
	given   []time.Duration
	waiting []time.Duration // of each callback's first sample
}

// answer looks at the card, and gives what is due.
func (f *feeding) answer(now time.Duration) (again time.Duration) {
	n, again := f.look(now, fed{
		f.ring.Written(), f.taken.Load(), time.Duration(f.shared.zero.Load()), f.shared.largest.Swap(0), f.missing.Swap(0),
	})
	piece := make([]float32, n)
	for i := range piece {
		f.next++
		piece[i] = f.next
		f.given = append(f.given, now)
	}
	f.ring.Write(piece)
	return again
}

// callback is the card's, at now.
func (f *feeding) callback(t *testing.T, now time.Duration, out []float32) {
	taken := f.taken.Load()
	f.played(out)
	f.shared.zero.Store(int64(now - long(f.taken.Load(), f.rate())))
	if taken < uint64(len(f.given)) {
		f.waiting = append(f.waiting, now-f.given[taken])
	}
	for _, v := range out {
		if v != 0 && v != f.last+1 {
			t.Fatalf("after %g comes %g", f.last, v)
		}
		if v != 0 {
			f.last = v
		}
	}
	if out[len(out)-1] == 0 {
		f.silent++
	}
}

func (f *feeding) rate() int { return f.card.rate }

// TestWhatTheCardTakesIsThere has cards of many kinds and machines that are late take
// sound: all of it is to be there, in order, and not to wait for long.
func TestWhatTheCardTakesIsThere(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		block       int
		rate        int
		drift       float64       // of the card
		late        time.Duration // callbacks, at most
		woken       time.Duration // we, at most
		twice       int           // of so many callbacks one comes with the next
		stall       time.Duration // after the fifth callback
		most        time.Duration // that a callback's first sample may wait, median
		mayBeSilent int
	}{
		{block: 64, rate: 48000, most: 7 * ms},
		{block: 256, rate: 48000, most: 6 * ms},
		{block: 256, rate: 48000, drift: 3e-4, late: 2 * ms, woken: 2 * ms, most: 7 * ms, mayBeSilent: 2},
		{block: 441, rate: 44100, drift: -3e-4, late: 3 * ms, woken: ms, most: 7 * ms, mayBeSilent: 2},
		{block: 480, rate: 48000, most: 4 * ms},
		{block: 480, rate: 48000, woken: 15 * ms, most: 25 * ms, mayBeSilent: 4},
		{block: 960, rate: 48000, late: ms, woken: ms, most: 6 * ms, mayBeSilent: 2},
		{block: 1024, rate: 48000, late: 5 * ms, most: 9 * ms, mayBeSilent: 2},
		{block: 256, rate: 48000, stall: 1500 * ms, most: 6 * ms, mayBeSilent: 2}, // PulseAudio does so
		{block: 960, rate: 48000, twice: 10, most: 30 * ms, mayBeSilent: 4},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			f := &feeding{card: &card{shared: new(shared), rate: c.rate, channels: 1}, feed: feed{rate: c.rate}}
			random := rand.New(rand.NewPCG(1, 2))
			upTo := func(d time.Duration) time.Duration { return time.Duration(random.Float64() * float64(d)) }
			out := make([]float32, c.block)
			period := f.feed.long(float64(c.block) * (1 + c.drift))
			due, callback, calls := time.Second, time.Second, 0
			for look := 900 * ms; callback < 100*time.Second; {
				if look < callback {
					again := f.answer(look)
					look = max(again, look)
					if random.IntN(20) == 0 {
						look += upTo(c.woken)
					}
					continue
				}
				f.callback(t, callback, out)
				if due += period; c.twice > 0 && random.IntN(c.twice) == 0 {
					f.callback(t, callback, out) // and the next comes when it would have come
					due += period
				}
				if calls++; calls == 5 {
					due += c.stall
				}
				callback = max(due+upTo(c.late), callback)
			}
			slices.Sort(f.waiting)
			wait := f.waiting[len(f.waiting)/2]
			t.Logf("%d callbacks of %d were silent, sound waited %v, %v at most", f.silent, len(f.waiting), wait, f.waiting[len(f.waiting)-1])
			if f.silent > c.mayBeSilent+2 { // the first come before anything is known
				t.Errorf("%d callbacks were silent", f.silent)
			}
			if wait > c.most {
				t.Errorf("sound waits %v", wait)
			}
		})
	}
}

// TestFeedAllocatesNothing: the callbacks themselves are C.
func TestFeedAllocatesNothing(t *testing.T) {
	c := &card{shared: new(shared), rate: 44100, channels: 2}
	f := feed{rate: 44100}
	sound := make([]float32, 2*441)
	if n := testing.AllocsPerRun(1000, func() {
		c.played(sound)
		f.look(monotonic(), fed{c.ring.Written(), c.taken.Load(), time.Duration(c.zero.Load()), c.largest.Swap(0), c.missing.Swap(0)})
		c.heard(sound)
	}); n != 0 {
		t.Errorf("%v allocations a callback", n)
	}
	if c.ring.Written() != 1001*441 {
		t.Error("nothing was heard")
	}
}
