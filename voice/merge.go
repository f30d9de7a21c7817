package voice

import "math"

const (
	joinSize = SampleRate * 10 / 1000  // samples of a join
	stepFrom = SampleRate*10/1000 + 1  // of a gap: shorter ones the codec bridges in step
	fadeFrom = SampleRate * 60 / 1000  // into a gap: the codec's sound begins to give way to noise
	fadeTo   = SampleRate * 120 / 1000 // into a gap: noise alone
)

// blend lets a fade out under b, with the power between theirs: how much they are
// alike says how much they add up.
func blend(out, a, b []float32, likeness float32) {
	likeness = max(0, min(1, likeness))
	step := 1 / float32(len(out))
	w := step / 2
	a, b = a[:len(out)], b[:len(out)]
	for i := range out {
		out[i] = mixed(a[i], b[i], w, likeness)
		w += step
	}
}

func mixed(a, b, w, likeness float32) float32 {
	v := 1 - w
	return (v*a + w*b) / float32(math.Sqrt(float64(v*v+w*w+2*likeness*v*w)))
}

// join is sound that has yet to fade out under what comes next.
type join struct {
	old      [joinSize]float32
	at, size int
	likeness float32
}

func (j *join) pending() bool { return j.at < j.size }
func (j *join) begun() bool   { return j.at > 0 && j.pending() }
func (j *join) left() int     { return j.size - j.at }

// from takes what x begins with to fade out, if so.
func (j *join) from(x []float32, so bool) {
	if so {
		j.at, j.size = 0, copy(j.old[:], x)
	}
}

// over lets it fade out under out, which is the beginning of next.
func (j *join) over(out, next []float32) {
	if !j.pending() {
		return
	}
	if j.at == 0 {
		n := min(j.size, len(next))
		j.likeness = max(0, min(1, likeness(j.old[:n], next[:n], 2)))
	}
	for i := range out[:min(len(out), j.left())] {
		w := (float32(j.at) + 0.5) / float32(j.size)
		out[i] = mixed(j.old[j.at], out[i], w, j.likeness)
		j.at++
	}
}

// Conceal takes sound, at most a frame, that was made up by the codec to follow
// what was heard last, and blends it into noise like the far side's, from 60 ms on
// into the gap until 120 ms. What was held back is made ready first. Sound for
// which there is no room is passed over.
func (s *Stretch) Conceal(sound []float32) { s.conceal(sound, min(len(sound), FrameSamples)) }

// Noise conceals n samples, at most a frame, with noise alone, from 10 ms on.
func (s *Stretch) Noise(n int) { s.conceal(nil, min(n, FrameSamples)) }

func (s *Stretch) conceal(f []float32, n int) {
	if s.room() < outMost || n <= 0 {
		return
	}
	s.pass(s.end - s.at)
	var last [joinSize]float32
	numb := s.numb || f == nil
	if numb && !s.numb && s.made > 0 {
		s.continued(last[:])
	}
	out := s.grow(n)
	s.comfort.read(out)
	for i := range out {
		w := float32(s.gap+i-fadeFrom) / (fadeTo - fadeFrom)
		switch {
		case numb && (s.numb || i >= joinSize), w >= 1:
		case numb:
			out[i] = mixed(last[i], out[i], (float32(i)+0.5)/float32(min(n, joinSize)), 0)
		case w <= 0:
			out[i] = f[i]
		default:
			out[i] = mixed(f[i], out[i], w, 0)
		}
	}
	s.gap = min(s.gap+n, fadeTo+FrameSamples)
	s.numb = numb || s.gap >= fadeTo
	s.tell(Run{n, 0, 0})
	s.tell(Run{})
}

// merge prepares what was heard last, received or made up, to fade out under f.
// After a gap worth it, where both have a pitch, it goes on for up to a period
// until they are in step.
func (s *Stretch) merge(f *Frame) {
	if s.numb {
		s.comfort.read(s.fade.old[:])
		s.fade.at, s.fade.size = 0, joinSize
		return
	}
	var on [joinSize + longestPeriod]float32
	period, periodic := s.continued(on[:])
	wait := 0
	if periodic > voicedFrom && s.gap >= stepFrom {
		shift, in := align(f[:joinSize], on[:joinSize+period])
		if in > voicedFrom && in > likeness(f[:joinSize], on[:joinSize], 2)+0.2 {
			wait = shift
		}
	}
	if wait > 0 {
		copy(s.grow(wait), on[:wait])
		s.tell(Run{wait, 0, 0})
	}
	s.fade.from(on[wait:], true)
}

// continued fills on with the output's last period over and over, the step from
// its end to its beginning spread over 2.5 ms, and says how long that is and how
// much it is like the one before it.
func (s *Stretch) continued(on []float32) (period int, alike float32) {
	tail := s.tail()
	const window = joinSize
	shift, alike := align(tail[tailSize-window:], tail[tailSize-window-longestPeriod:tailSize-shortestPeriod])
	period = longestPeriod - shift
	step := tail[tailSize-1] - tail[tailSize-1-period]
	for i := range on {
		since := i % period
		on[i] = tail[tailSize-period+since] + step*max(0, 1-float32(since)/shortestPeriod)
	}
	return period, alike
}
