package portaudio

import (
	"math"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// feed decides how much sound a loudspeaker is given, and when: as late as can be,
// since what comes after that is late for all of it. It is a plain value, without
// a clock.
//
//	callback        ▲               ▲               ▲       each takes a unit
//	given       ▲   │           ▲   │           ▲   │
//	            └lead┘          └lead┘
//
// When a callback will come is known from those before: by their count and the
// earliest of late, as a callback can be late but not early. Lead is what giving
// takes, and by how much this machine has lately woken us too late. So what waits
// to be played is a unit and the lead just before a callback.
type feed struct {
	rate     int           // of the card
	callback float64       // samples that one takes
	unit     float64       // given at a time, of whole callbacks
	largest  [2]int64      // callback, of this era and the one before
	era      time.Duration // when this one began
	zero     time.Duration // when the first sample would have been taken, had no callback been late
	late     time.Duration // by which we looked at most, of late, which fades
	due      time.Duration // when we wanted to look; 0: the first time
	looked   time.Duration
}

// card's state as feed is shown it.
type fed struct {
	written, taken   uint64 // of the ring
	zero             time.Duration
	largest, missing int64 // since the last look
}

const (
	leastUnit  = 9 * time.Millisecond    // given at a time: each takes a wake-up
	lead       = 1000 * time.Microsecond // for a machine that is never late
	unsure     = 3 * time.Millisecond    // how late it is thought to be before anything is known
	mostLate   = 40 * time.Millisecond
	lateHalves = 15 * time.Second
	eraTime    = 10 * time.Second
	zeroGrows  = 1e-3 // of the time: cards drift
	firstLook  = 5 * time.Millisecond
	leastWait  = time.Millisecond / 2
	mostWait   = 50 * time.Millisecond // until it is seen that the device has gone, or the call ended
)

// look says how many samples at the card's rate to give now, and when to look
// again.
func (f *feed) look(now time.Duration, c fed) (n int, again time.Duration) {
	f.learn(now, c)
	if f.unit == 0 { // nothing was taken yet
		first := int(float64(f.rate) * voice.PullTime.Seconds())
		f.due = now + firstLook
		return max(0, first-int(c.written)), f.due
	}
	lead := lead + f.late*5/4
	held := float64(c.written - c.taken)
	want := math.Floor(held/f.callback) * f.callback // whole callbacks
	at := func() time.Duration { return f.zero + f.long(float64(c.taken)+want+f.callback) - lead }
	for at() <= now && want < voice.RingSize/2 {
		want += f.unit
		n = int(math.Ceil(want - held))
	}
	f.due = min(max(at(), now+leastWait), now+min(f.long(f.unit)+lead, mostWait))
	return n, f.due
}

// learn follows the card's clock and the machine's.
func (f *feed) learn(now time.Duration, c fed) {
	since := now - f.looked
	if f.looked = now; f.due == 0 {
		f.late, f.era, since = unsure, now, 0
	}
	f.late = time.Duration(float64(f.late) * math.Exp2(-since.Seconds()/lateHalves.Seconds()))
	woken := time.Duration(0)
	if f.due > 0 {
		woken = min(now-f.due, mostLate)
		f.late = max(f.late, woken)
	}
	if now-f.era > eraTime {
		f.era, f.largest = now, [2]int64{0, f.largest[0]}
	}
	f.largest[0] = max(f.largest[0], c.largest)
	if c.taken == 0 {
		return
	}
	began := f.unit == 0
	f.callback = float64(max(f.largest[0], f.largest[1], 1))
	f.unit = f.callback * math.Ceil(float64(f.rate)*leastUnit.Seconds()/f.callback)
	f.zero += time.Duration(zeroGrows * float64(since))
	// What was missing moves the count against the clock, and shows that it came
	// too late by as much, but for what we know of.
	if missing := f.long(float64(c.missing)); began || missing > 0 {
		f.zero = c.zero
		if !began {
			f.late = min(mostLate, f.late+max(0, missing-woken))
		}
	}
	if f.zero = min(f.zero, c.zero); f.zero < c.zero-mostLate {
		f.zero = c.zero // the card stood still
	}
}

// long is how long n samples of the card sound.
func (f *feed) long(n float64) time.Duration {
	return time.Duration(n / float64(f.rate) * float64(time.Second))
}
