package jitter

import (
	"math"
	"time"
)

const (
	binTime = 10 * time.Millisecond
	bins    = 256 // 2.5 s; later ones count in the last

	recentHalf = 3 * time.Second  // after which a frame counts half
	longHalf   = 40 * time.Second // the same, in the long memory
	every      = 10               // frames after which the target is reckoned anew

	start  = 150 * time.Millisecond // target before anything is known
	settle = 50                     // frames until that is forgotten

	eras = 5   // the fastest frame is sought over so many eras
	era  = 200 // of so many frames

	bridge  = 23600 * time.Microsecond // that added sound is good for,
	nearer  = 25 * time.Millisecond    // where frames are too late by this in the mean;
	farther = 38 * time.Millisecond    // here it no longer matters

	trusted = 0.4 // of the shadow playouts, where frames are late by much
	ordered = 500 // frames in order after which they are believed again

	longestMargin = 130 * time.Millisecond
	marginKept    = 0.999 // of the longest gap, a frame
)

// lateness remembers how late frames came: when each arrived against when it
// would have, had it been as fast as the fastest.
type lateness struct {
	recent, long histogram
	shadow       shadow
	count        int
	begin        bool                // numbers begin with the next frame
	fast         [eras]time.Duration // least of arrival less 20 ms a frame, by era
	base         time.Duration       // the least of them
	target       time.Duration
	newest       int64         // frame
	order        int           // frames since one came after a newer one
	last         time.Duration // the newest frame's lateness
	came         time.Duration // when it came
	near         float64       // 1 where what is later than the target is so by little, 0 where by much
	gap          time.Duration // longest time without a frame, slowly forgotten
}

func (l *lateness) reset() {
	*l = lateness{target: start, near: 1}
	l.shadow.reset()
}

// fastest is when frame n would come if it were as fast as the fastest.
func (l *lateness) fastest(n int64) time.Duration {
	return l.base + time.Duration(n)*FrameTime
}

func (l *lateness) add(now time.Duration, n int64, c *Config) {
	offset := now - time.Duration(n)*FrameTime
	if l.count == 0 {
		l.order = ordered
		l.recent.forget(recentHalf)
		l.long.forget(longHalf)
	}
	switch {
	case l.begin:
		for i := range l.fast {
			l.fast[i] = offset
		}
		l.base, l.came, l.newest, l.begin = offset, now, n, false
	case l.count%era == 0:
		l.fast[l.count/era%eras] = offset
		l.base = min(l.fast[0], l.fast[1], l.fast[2], l.fast[3], l.fast[4])
	case offset < l.fast[l.count/era%eras]:
		l.fast[l.count/era%eras] = offset
		l.base = min(l.base, offset)
	}
	l.last = offset - l.base
	bin := int(max(0, min(l.last/binTime, bins-1)))
	l.recent.add(bin)
	l.long.add(bin)
	l.gap = max(time.Duration(marginKept*float64(l.gap)), now-l.came)
	l.came = now
	l.shadow.add(l.last, l.margin())
	if l.order++; n < l.newest {
		l.order = 0
	}
	l.newest = max(l.newest, n)
	if l.count++; l.count%every == 1 {
		l.retarget(c)
	}
}

// trust in what the shadows say: none where frames overtake each other, as over
// several circuits, because there a late one holds up no other.
func (l *lateness) trust() float64 {
	if l.order < ordered {
		return 0
	}
	return trusted * (1 - l.near)
}

// margin is the cushion to keep: frames come that far apart.
func (l *lateness) margin() time.Duration {
	return min(max(l.gap, FrameTime), longestMargin)
}

// retarget finds the delay that costs the listener least. A frame that comes x
// ms after the delay is over makes a gap of x ms, or of a whole frame when more
// are behind it.
func (l *lateness) retarget(c *Config) {
	perRecent, perLong := 0.5/l.recent.total, 0.5/l.long.total
	best, at := math.Inf(1), 0
	var missing, last, before float64 // later than a frame after bin i; in the two bins in between
	for i := bins - 1; i >= 0; i-- {
		if cost := delayPrice[i] + missingPrice*(missing+0.75*before+0.25*last); cost < best {
			best, at = cost, i
		}
		missing, before, last = missing+before, last, l.recent.bins[i]*perRecent+l.long.bins[i]*perLong
	}
	l.target = time.Duration(at+1)*binTime - l.bridged(at)
	// Where frames are late by much, what other delays would have cost says more of
	// stalls than shares do.
	l.target = between(l.target, l.shadow.best(), l.trust())
	if l.count < settle {
		known := time.Duration(l.count)
		l.target = (known*l.target + (settle-known)*max(start, l.target)) / settle
	}
	l.target = min(max(l.target, c.Min), c.Max)
}

// bridged is how much less is enough because what is later than bin at is later by
// little: such gaps are bridged by sound that is added before it runs out.
func (l *lateness) bridged(at int) time.Duration {
	var beyond, excess float64
	for i := at + 1; i < bins; i++ {
		w := l.recent.bins[i]/l.recent.total + l.long.bins[i]/l.long.total
		beyond += w
		excess += w * float64(i-at)
	}
	if beyond == 0 {
		if l.near = 0; l.count < settle {
			l.near = 1 // come down from the start in small steps
		}
		return 0
	}
	mean := time.Duration(excess / beyond * float64(binTime))
	l.near = float64(max(0, min(farther-mean, farther-nearer))) / float64(farther-nearer)
	return time.Duration(float64(bridge) * l.near)
}

// histogram counts latenesses. What is new weighs more, which makes all that is
// old weigh less.
type histogram struct {
	bins         [bins]float64
	total        float64
	weight, grow float64
}

func (h *histogram) forget(half time.Duration) {
	h.weight, h.grow = 1, math.Exp2(float64(FrameTime)/float64(half))
}

func (h *histogram) add(bin int) {
	h.bins[bin] += h.weight
	h.total += h.weight
	if h.weight *= h.grow; h.weight > 1e9 {
		for i := range h.bins {
			h.bins[i] /= h.weight
		}
		h.total /= h.weight
		h.weight = 1
	}
}
