package clean

import "math"

// residual lowers what the filter has left of the echo, frequency by frequency:
// a Wiener gain with decision-directed smoothing (Ephraim and Malah, 1984). What
// is lowered keeps the level of the background, so that the far side does not
// hear the room come and go with its own words.
//
// The windows are not symmetric (after D. Mauler and R. Martin, "A low delay,
// variable resolution, perfect reconstruction spectral analysis-synthesis system",
// 2007): sound is looked at 20 ms at a time, for the sake of frequencies, and made
// again in pieces of 10, overlapping by half. So it comes out a step, 5 ms, later.
type residual struct {
	t      *transform
	look   [2 * hop]float32 // analysis window
	make   [hop]float32     // synthesis window, of the last hop of it; their product is Hann's
	in     [2 * hop]float32
	tail   [step]float32
	echo   [bins]float32 // power of the echo left, smoothed
	spoken [bins]float32 // power that was passed on of the last step
	floor  [bins]float32 // power of the background
	work   [size]float32
	s      spectrum
}

const (
	over     = 1.2    // times what the filter says is left
	leak     = 0.02   // of the echo believed to be there, for what the filter cannot know
	fades    = 0.6    // of the echo left, from one step to the next, at most
	directed = 0.92   // how much the last step's decision counts
	lowest   = 0.001  // gain
	calms    = 0.05   // of the way that the background falls in a step
	grows    = 1.0025 // and rises: 4 dB a second
	nothing  = 1e-12  // power
)

func newResidual(t *transform) *residual {
	r := &residual{t: t}
	// Root of Hann's, slow to rise and quick to fall.
	root := func(i, half int) float32 { return float32(math.Sin(math.Pi / 2 * (float64(i) + 0.5) / float64(half))) }
	for i := range len(r.look) - step {
		r.look[i] = root(i, len(r.look)-step)
	}
	for i := range step {
		fall, rise := root(step-1-i, step), root(i, step)
		r.look[len(r.look)-step+i] = fall
		r.make[i] = rise * rise / r.look[len(r.look)-hop+i]
		r.make[step+i] = fall
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

// suppress replaces sound, of whole steps, by what was cleaned a step before.
func (r *residual) suppress(sound []float32, e *echo) {
	for ; len(sound) >= step; sound = sound[step:] {
		r.take(sound)
		r.t.forward(&r.s, &r.work)
		r.lower(e)
		r.t.backward(&r.work, &r.s)
		r.give(sound)
	}
}

// pass is the same when there is no echo: sound only comes out later.
func (r *residual) pass(sound []float32) {
	for ; len(sound) >= step; sound = sound[step:] {
		r.take(sound)
		r.give(sound)
	}
}

// take puts a step of sound behind what is known, and the windowed whole into work.
func (r *residual) take(sound []float32) {
	copy(r.in[:], r.in[step:])
	copy(r.in[len(r.in)-step:], sound)
	clear(r.work[len(r.in):])
	for i, v := range r.in {
		r.work[i] = v * r.look[i]
	}
}

// give replaces a step of sound by the one before it, as work now is.
func (r *residual) give(sound []float32) {
	made := r.work[len(r.in)-hop:]
	for i := range step {
		sound[i] = r.tail[i] + made[i]*r.make[i]
		r.tail[i] = made[step+i] * r.make[step+i]
	}
}

// lower lowers what is echo in the spectrum.
func (r *residual) lower(e *echo) {
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
}
