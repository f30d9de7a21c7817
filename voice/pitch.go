package voice

import "math"

// The pitch of voices, 80 to 400 Hz, as ITU-T G.711 Appendix I has it nearly.
const (
	shortestPeriod = SampleRate * 25 / 10000  // 2.5 ms
	longestPeriod  = SampleRate * 125 / 10000 // 12.5 ms
)

// Where a pitch is looked for first: 4 kHz holds the first harmonics of a voice.
const (
	coarse       = 12 // samples made one
	coarseWindow = longestPeriod / coarse
)

// pitchMeter tells how much the last 12.5 ms of what it hears are like what was
// one period of a voice before.
type pitchMeter struct {
	low    [2 * coarseWindow]float32 // the last 25 ms at 4 kHz, above 100 Hz
	sum    float32                   // of part samples that are not one of low yet
	part   int
	steady float32 // what is below 100 Hz
}

// hear takes the next samples.
func (p *pitchMeter) hear(piece []float32) {
	fresh := (p.part + len(piece)) / coarse
	if drop := min(fresh, len(p.low)); drop > 0 {
		copy(p.low[:], p.low[drop:])
	}
	at := len(p.low) - fresh
	for _, x := range piece {
		p.sum += x
		if p.part++; p.part < coarse {
			continue
		}
		x := p.sum / coarse
		p.sum, p.part = 0, 0
		if !(x > -1e3 && x < 1e3) {
			x = 0
		}
		p.steady += (x - p.steady) * 0.15
		if at >= 0 {
			p.low[at] = x - p.steady
		}
		at++
	}
}

// correlation is the best over all periods, at most 1; 0 when there is no peak.
func (p *pitchMeter) correlation() float64 {
	window := p.low[coarseWindow:]
	own := energy(window)
	theirs := energy(p.low[coarseWindow-shortestPeriod/coarse+1:][:coarseWindow])
	var at [coarseWindow - shortestPeriod/coarse + 3]float32 // one more on each side, to tell a peak
	lag := shortestPeriod/coarse - 1
	for i := range at {
		if lag > coarseWindow {
			at[i] = at[i-1]
			break
		}
		from, to := coarseWindow-lag, 2*coarseWindow-lag
		at[i] = dot(window, p.low[from:to]) / float32(math.Sqrt(float64(max(own*theirs, 1e-24))))
		if lag < coarseWindow {
			theirs += p.low[from-1]*p.low[from-1] - p.low[to-1]*p.low[to-1]
		}
		lag++
	}
	best := float32(0)
	for i := 1; i < len(at)-1; i++ {
		if at[i] > best && at[i] >= at[i-1] && at[i] >= at[i+1] {
			best = at[i]
		}
	}
	return float64(best)
}

func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

func energy(a []float32) float32 { return dot(a, a) }

// align looks where in b, which is longer, a fits best: a is most like
// b[shift:shift+len(a)]. likeness is the normalised correlation there, −1 to 1.
// It looks at 4 kHz first and then close by; it takes about 3 µs. a has at most
// 12.5 ms, b at most 25 ms.
func align(a, b []float32) (shift int, like float32) {
	var lowA [coarseWindow]float32
	var lowB [2 * coarseWindow]float32
	x, y := shrink(lowA[:], a), shrink(lowB[:], b)
	best := float32(math.Inf(-1))
	power := energy(y[:len(x)])
	for k := 0; k <= len(y)-len(x); k++ {
		d := dot(x, y[k:k+len(x)])
		if d *= float32(math.Abs(float64(d))) / max(power, 1e-12); d > best {
			best, shift = d, k*coarse
		}
		if k+len(x) < len(y) {
			power += y[k+len(x)]*y[k+len(x)] - y[k]*y[k]
		}
	}
	for _, step := range [...]int{4, 1} {
		middle := shift
		like = -2
		for k := max(0, middle-2*step); k <= min(len(b)-len(a), middle+2*step); k += step {
			if l := likeness(a, b[k:k+len(a)], 3+step); l > like {
				like, shift = l, k
			}
		}
	}
	return shift, like
}

// shrink averages every 12 samples of x into one of low.
func shrink(low, x []float32) []float32 {
	n := min(len(low), len(x)/coarse)
	for i := range n {
		var sum float32
		for _, v := range x[i*coarse : (i+1)*coarse] {
			sum += v
		}
		low[i] = sum
	}
	return low[:n]
}

// likeness is the normalised correlation of every stride-th sample, 0 if either
// is silent.
func likeness(a, b []float32, stride int) float32 {
	var ab, aa, bb float32
	b = b[:len(a)]
	for i := 0; i < len(a); i += stride {
		ab += a[i] * b[i]
		aa += a[i] * a[i]
		bb += b[i] * b[i]
	}
	if l := ab / float32(math.Sqrt(float64(aa*bb))); l == l {
		return l
	}
	return 0
}
