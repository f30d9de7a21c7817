package voice

import (
	"math"
	"time"
)

// steady learns when a card's samples would come if no callback were ever late:
// its clock, as seen from the monotonic one.
//
// Zero is when sample 0 would have come, counted back from the newest by the
// nominal rate; with the card's drift it moves along a line. A callback can be
// late but not early, so the least of a third of a second is what lies on that
// line (as in NTP's clock filter). The line is the best through all of them at
// first, and later through those of the last 20 s, weighed.
//
//	zero ▲   ·      ·  ·
//	     │·    · ·  _·__·_·      line: zero + slope · (t − at)
//	     │__·_·__·▔
//	     └──────────────────▶ t
//
// Times are seconds.
type steady struct {
	at          float64 // the moment that zero is for
	zero, slope float64

	seen            int     // callbacks since at
	least           float64 // distance from the line of one of them
	offsets, slopes int     // windows that zero and slope are made of
	behind          float64 // how late callbacks are that are all as late
	times           int     // and how many of them there were in a row
}

const (
	steadyLong  = 0.3   // s, of a window
	steadyLeast = 4     // callbacks in one
	steadyMost  = 60    // windows: 18 s
	steadyPrior = 2     // windows that slope 0 counts for in the beginning
	steadyEarly = 0.001 // s: nothing is earlier than the line by so much, unless that is wrong
	steadyLate  = 0.002 // s: what is later may have been lost sound,
	steadyTimes = 4     // when it is as late again and again, while a busy machine catches up
)

// begin takes sound to come as it just did.
func (s *steady) begin(now time.Duration, zero time.Duration) {
	s.at, s.zero = now.Seconds(), zero.Seconds()
	s.seen, s.offsets, s.times = 0, 0, 0
}

// look takes note of the newest callback, and says by how much it was late, in
// seconds, and whether the line was begun anew: sound was lost, or there is more.
func (s *steady) look(now, zero time.Duration) (late float64, anew bool) {
	t := now.Seconds()
	late = zero.Seconds() - s.zeroAt(t)
	switch {
	case late < steadyLate:
		s.times = 0
	case s.times == 0 || math.Abs(late-s.behind) > steadyEarly:
		s.times, s.behind = 1, late
	default:
		s.times, s.behind = s.times+1, min(s.behind, late)
	}
	switch {
	case late < 0 && s.offsets == 0: // nothing is known yet
		s.zero, late = s.zero+late, 0
	case late < -steadyEarly:
		s.again(t, late)
		return 0, true
	case s.times == steadyTimes:
		late -= s.behind
		s.again(t, s.behind)
		return late, true
	}
	if s.seen == 0 || late < s.least {
		s.least = late
	}
	s.seen++
	if long := t - s.at; long >= steadyLong && s.seen >= steadyLeast {
		s.zero, s.at, s.seen = s.zeroAt(t), t, 0
		s.learn(s.least, long)
	}
	return late, false
}

// again lets the line go on elsewhere, as steep as it is.
func (s *steady) again(t, off float64) {
	s.zero, s.at = s.zeroAt(t)+off, t
	s.seen, s.offsets, s.times = 0, 0, 0
}

// learn moves the line by what the least of a window was off.
func (s *steady) learn(off, long float64) {
	s.offsets = min(s.offsets+1, steadyMost)
	n := float64(s.offsets)
	s.zero += off * 2 * (2*n - 1) / (n * (n + 1))
	if s.offsets > 1 {
		s.slopes = min(s.slopes+1, steadyMost)
		n = float64(s.slopes + steadyPrior)
		s.slope += off * 6 / (n * (n + 1)) / long
		s.slope = max(-mostDrift, min(mostDrift, s.slope))
	}
}

func (s *steady) zeroAt(t float64) float64 { return s.zero + s.slope*(t-s.at) }

// drift is of the card's rate, from 1.
func (s *steady) drift() float64 { return -s.slope }

// came is how many samples have come by t.
func (s *steady) came(t float64) float64 { return (t - s.zeroAt(t)) * SampleRate }

// when is its inverse.
func (s *steady) when(sample float64) float64 {
	return (sample/SampleRate + s.zero - s.slope*s.at) / (1 - s.slope)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
