package clean

import "math"

// residual lowers what the filter has left of the echo, frequency by frequency:
// a Wiener gain with decision-directed smoothing (Ephraim and Malah, 1984). What
// is lowered keeps the level of the background, so that the far side does not
// hear the room come and go with its own words. Sound comes out a hop later.
type residual struct {
	t      *transform
	window [2 * hop]float32 // square root of Hann's: its square and the next hop's add up to 1
	in     [2 * hop]float32
	tail   [hop]float32
	echo   [bins]float32 // power of the echo left, smoothed
	spoken [bins]float32 // power that was passed on of the last hop
	floor  [bins]float32 // power of the background
	work   [size]float32
	s      spectrum
}

const (
	over     = 1.2   // times what the filter says is left
	leak     = 0.02  // of the echo believed to be there, for what the filter cannot know
	fades    = 0.5   // of the echo left, from one hop to the next, at most
	directed = 0.9   // how much the last hop's decision counts
	lowest   = 0.001 // gain
	calms    = 0.1   // of the way that the background falls in a hop
	grows    = 1.005 // and rises: 4 dB a second
	nothing  = 1e-12 // power
)

func newResidual(t *transform) *residual {
	r := &residual{t: t}
	for i := range r.window {
		r.window[i] = float32(math.Sin(math.Pi * (float64(i) + 0.5) / (2 * hop)))
	}
	return r
}

// background follows that of a bin, which grows with what is in it only if that is
// not echo, and gives the gain with which the bin is as loud.
func (r *residual) background(k int, in float32, own bool) float32 {
	switch {
	case in < r.floor[k]:
		r.floor[k] += calms * (in - r.floor[k])
	case own:
		r.floor[k] = r.floor[k]*grows + nothing
	}
	return max(lowest, min(1, float32(math.Sqrt(float64(r.floor[k]/(in+nothing))))))
}

// suppress replaces sound, a hop long, by the cleaned hop before it.
func (r *residual) suppress(sound []float32, e *echo) {
	copy(r.in[:], r.in[hop:])
	copy(r.in[hop:], sound)
	clear(r.work[len(r.in):])
	for i, v := range r.in {
		r.work[i] = v * r.window[i]
	}
	r.t.forward(&r.s, &r.work)
	var high, n float32
	for k := range r.s {
		in := power(r.s[k])
		if k >= band {
			own := high > n/2
			g := max(high/n, r.background(k, in, own))
			r.s[k] *= complex(g, 0)
			continue
		}
		left := over*e.residual[k] + leak*share*power(e.y[k])
		r.echo[k] = max(left, fades*r.echo[k]+(1-fades)*left)
		prior := directed*r.spoken[k]/(r.echo[k]+nothing) + (1-directed)*max(in/(r.echo[k]+nothing)-1, 0)
		g := prior / (1 + prior)
		if least := r.background(k, in, in > 2*r.echo[k]); g*g*in < r.floor[k] {
			g = least
		}
		r.spoken[k] = g * g * in
		r.s[k] *= complex(g, 0)
		if k > band/2 {
			high += g
			n++
		}
	}
	r.t.backward(&r.work, &r.s)
	for i := range sound {
		sound[i] = r.tail[i] + r.work[i]*r.window[i]
		r.tail[i] = r.work[hop+i] * r.window[hop+i]
	}
}
