package voice

import (
	"math"
	"time"
)

const (
	besideMost  = SampleRate * 60 / 1000 // samples that it may fall behind, when callbacks come late
	besideGlide = SampleRate / 1000      // samples off that are made up for within a frame
)

// Beside fills f with what came at the same time as a frame of another bridge,
// came being that one's [Bridge.Came]; silence stands for what is missing.
// Between the two is a constant delay, whatever the other does to keep its own
// level, which an echo canceller could not follow: a tenth of a millisecond in a
// second is too much for it. Read and Take are not used with it.
func (b *Bridge) Beside(now, came time.Duration, f *Frame) {
	clear(f[:])
	switch news := b.watch(now); {
	case !b.open && !news:
		return
	case !b.open:
		b.card.begin(now, time.Duration(b.zero.Load()))
		b.open, b.apart, b.spare = true, 0, besideMost
	case b.since > bridgeStall: // it begins anew when there is sound again
		b.open = false
		b.slips++
		return
	}
	from := came.Seconds() - b.apart
	if at := b.card.came(from); math.Abs(at-b.place()) > besideGlide {
		b.move(at)
	}
	to := b.card.came(from + FrameTime.Seconds())
	b.rate = max(0, (to-b.place())/FrameSamples)
	if b.take(f) {
		return
	}
	if missing := to + bridgeTaps + 1 - float64(b.ring.Written()); missing > 0 && missing <= b.spare {
		b.apart += missing / SampleRate
		b.spare -= missing
	}
	b.advance()
}
