package jitter

import (
	"math"
	"time"
)

const (
	shadows   = 40   // delays that are tried
	shadowed  = 4    // frames after which the shadows move
	fallMost  = 8.0  // ms that the delay falls a frame at most,
	fallOver  = 115. // from so many ms above what it is to be
	bridgedBy = 19.0 // ms that added sound is good for
	dear      = 60.0 // ms of delay that are as bad as one percent missing
	perMove   = float32(FrameTime/time.Millisecond) * shadowed
)

// aims are the delays tried, in ms: every 10 up to 180, then ever fewer up to 2.5 s.
var aims = func() (a [shadows]float32) {
	for i := range a {
		a[i] = float32(30 + 10*i)
		if i > 15 {
			a[i] = 180 * float32(math.Pow(2500./180, float64(i-15)/(shadows-16)))
		}
	}
	return a
}()

// shadow plays the same arrivals at many delays side by side, without sound: a
// frame that comes later than the delay makes a gap and raises the delay to its
// own, from where it falls as fast as speech can be squeezed. So a stall of a
// second costs once, however many frames it held up, and what it costs afterwards
// is the delay until it has fallen.
type shadow struct {
	delay        [shadows]float32 // ms, now
	recent, long account
	late         float32 // ms, of the latest frame since they moved
	frames       int     // since they moved
}

// account is what each delay has cost, in ms weighed by how long ago that was.
type account struct {
	delay, missing      [shadows]float32
	total, weight, grow float32
}

func (s *shadow) reset() {
	*s = shadow{delay: aims}
	s.recent.forget(recentHalf)
	s.long.forget(longHalf)
}

func (a *account) forget(half time.Duration) {
	a.weight, a.grow = 1, float32(math.Exp2(shadowed*float64(FrameTime)/float64(half)))
}

// add tells of a frame late by so much, while so much cushion is kept.
func (s *shadow) add(late, margin time.Duration) {
	s.late = max(s.late, float32(late)/float32(time.Millisecond))
	if s.frames++; s.frames < shadowed {
		return
	}
	s.move(s.late, float32(margin)/float32(time.Millisecond))
	s.late, s.frames = 0, 0
}

func (s *shadow) move(late, margin float32) {
	recent, long := s.recent.weight, s.long.weight
	for i, d := range s.delay {
		if late > d {
			gap := late - d
			gap *= gap / (gap + bridgedBy)
			s.recent.missing[i] += recent * gap
			s.long.missing[i] += long * gap
			d = late
		} else {
			d = max(min(d, late+margin), d-shadowed*fallMost*min(1, (d-aims[i])*(1/fallOver)))
		}
		s.delay[i] = d
		s.recent.delay[i] += recent * d
		s.long.delay[i] += long * d
	}
	s.recent.step()
	s.long.step()
}

func (a *account) step() {
	a.total += a.weight
	if a.weight *= a.grow; a.weight > 1e6 {
		for i := range a.delay {
			a.delay[i] /= a.weight
			a.missing[i] /= a.weight
		}
		a.total /= a.weight
		a.weight = 1
	}
}

// best is the delay that has cost the listener least.
func (s *shadow) best() time.Duration {
	if s.long.total == 0 {
		return start
	}
	recent, long := 0.5/s.recent.total, 0.5/s.long.total
	least, at := float32(math.Inf(1)), 0
	for i := range s.delay {
		missing := recent*s.recent.missing[i] + long*s.long.missing[i]
		if cost := recent*s.recent.delay[i] + long*s.long.delay[i] + 100*dear/perMove*missing; cost < least {
			least, at = cost, i
		}
	}
	return time.Duration(aims[at] * float32(time.Millisecond))
}
