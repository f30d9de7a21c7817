package clean

import "github.com/sottovoce/sotto/voice"

// echo is an adaptive filter that learns the way from loudspeaker to microphone
// and takes away what comes by it: a partitioned-block Kalman filter in the
// frequency domain (after F. Kuech et al., ICASSP 2014, and G. Enzner and
// P. Vary, 2006). It assumes the way to change slowly, knows for each part and
// frequency how wrong it still may be, and learns by that much against what the
// near side says: fast at first and again after a change, hardly at all while
// both speak. So nothing needs to detect double talk.
//
//	x  what was played, the newest size samples, every hop    X their spectrum
//	y  the echo believed to come of it: W₀·X + W₁·X(a hop ago) + …
//	e  what the microphone has less y: what is passed on, and learnt from
type echo struct {
	t            *transform
	jump         jump
	x            [size]float32
	past         [parts][band]complex64 // spectra of what was played, past[newest] now
	now          int                    // index of the newest
	w            [parts][band]complex64 // the way, a hop of its response a part
	wrong        [parts][band]float32   // mean square of how wrong w is
	near         [band]float32          // power of what is not echo in e
	young        int                    // hops in which the clocks are still being learnt
	turn         int                    // the part that is made causal next
	resting      bool                   // there is nothing of what was played, meanwhile
	kept, leaked float32                // what is left of wrong and w

	y, error spectrum
	residual [band]float32 // power of the echo that is still in error, by the filter's own account
	rate     [band]float32 // at which is learnt
	work     [size]float32
	believed [hop]float32
}

const (
	hop   = 480                            // samples between transforms, 10 ms
	step  = hop / 2                        // the same, where what comes out waits for the next
	parts = 32                             // of the way: 320 ms, for the card's delays, the air and what a room adds
	band  = 8000*size/voice.SampleRate + 1 // bins learnt: up to 8 kHz

	keep       = 0.998               // of the way from one hop to the next: how much it is believed to change
	keepYoung  = 0.99                // the same in the first hops, when the two clocks are hardly known,
	young      = 300                 // which are so many
	leaks      = 0.9997              // of w, a hop: what was learnt of noise is forgotten, or it adds up
	nearKeep   = 0.97                // of near
	firstWrong = 0.03                // of each part
	causal     = 2                   // parts that are straightened a hop
	share      = float32(hop) / size // of a spectrum's power that a hop in it has
)

func newEcho(t *transform) *echo {
	e := &echo{t: t, young: young}
	e.jump.wait = young // until it is known what could be elsewhere
	for p := range e.wrong {
		for k := range e.wrong[p] {
			e.wrong[p][k] = firstWrong
		}
	}
	return e
}

// cancel takes the echo of played, as far as it is known, from mic, in place,
// unless that would make it louder. Both are a hop long. error and residual hold their spectra afterwards.
func (e *echo) cancel(mic, played []float32) {
	e.wake()
	copy(e.x[:], e.x[hop:])
	copy(e.x[size-hop:], played)
	e.t.forward(&e.y, &e.x)
	e.now = (e.now + parts - 1) % parts
	copy(e.past[e.now][:], e.y[:])

	e.believe()
	e.t.backward(&e.work, &e.y)
	y := e.work[size-hop:]
	copy(e.believed[:], y)
	for i, heard := range mic {
		y[i] = heard - y[i]
	}
	heard, left := meanSquare(mic), meanSquare(y)
	later := e.jump.follow(mic, e.believed[:], heard, left)
	clear(e.work[:size-hop])
	better := left < heard
	if better {
		copy(mic, y)
	}
	e.t.forward(&e.error, &e.work)
	e.learn()
	if later != 0 {
		e.move(later)
	}
	if !better { // it is all left, then
		for k := range e.residual {
			e.residual[k] += share * power(e.y[k])
		}
	}
}

// rest lets a hop pass in which nothing of what was played is heard any more: what
// comes is all the near side's.
func (e *echo) rest(mic []float32) {
	if !e.resting {
		e.x, e.past = [size]float32{}, [parts][band]complex64{}
		e.resting, e.kept, e.leaked = true, 1, 1
	}
	clear(e.work[:size-hop])
	copy(e.work[size-hop:], mic)
	e.t.forward(&e.error, &e.work)
	e.hear()
	e.kept *= keep * keep
	e.leaked *= leaks
}

// wake makes up for what the way may have changed in a rest, in which nothing was
// learnt: it is no surer than before, and what has leaked away is wrong by so much.
func (e *echo) wake() {
	if !e.resting {
		return
	}
	for p := range e.w {
		w, wrong := &e.w[p], &e.wrong[p]
		for k := range w {
			gone := (1 - e.leaked) * (1 - e.leaked) * power(w[k])
			w[k] *= complex(e.leaked, 0)
			wrong[k] = max(wrong[k], e.kept*wrong[k]+(1-e.kept)*power(w[k])) + gone
		}
	}
	e.resting = false
}

// keep is how much of the way is believed to stay in this hop, its square.
func (e *echo) keep() float32 {
	if e.young--; e.young > 0 {
		return keepYoung * keepYoung
	}
	e.young = 0
	return keep * keep
}

// hear follows what is not echo in error.
func (e *echo) hear() {
	for k := range e.near {
		e.near[k] = nearKeep*e.near[k] + (1-nearKeep)*power(e.error[k])
	}
}

func (e *echo) learn() {
	kept := e.keep()
	e.hear()
	for k := range e.rate {
		e.residual[k] *= share
		e.rate[k] = 1 / (e.residual[k] + e.near[k] + 1e-9)
	}
	e.correct(kept)
	for range causal {
		e.straighten(e.turn)
		e.turn = (e.turn + 1) % parts
	}
}

// straighten lets a part say nothing about what is not its own hop.
func (e *echo) straighten(p int) {
	var s spectrum
	copy(s[:], e.w[p][:])
	e.t.backward(&e.work, &s)
	clear(e.work[hop:])
	e.t.forward(&s, &e.work)
	copy(e.w[p][:], s[:])
}
