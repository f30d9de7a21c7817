package voice

// How far a change of speed goes.
const (
	slowest      = 0.5
	fastest      = 2
	voicedSlow   = 2. / 3
	voicedFast   = 1.5
	speedStep    = 0.1                     // a frame
	brake        = 0.3                     // a frame: when sound runs out there is no time
	leastWish    = SampleRate * 5 / 1000   // surplus or lack for which speech is touched
	unvoicedMost = SampleRate * 60 / 1000  // surplus or lack at which speech without pitch goes twice, half as fast
	leastPause   = SampleRate * 80 / 1000  // of a pause that is heard before it is squeezed
	leastUncut   = SampleRate * 100 / 1000 // the same, before it is cut: 60 ms are to be left, and after the codec a word's end seems nearer
	beforeSpeech = SampleRate * 20 / 1000  // of a pause that is known and not cut, if a word begins
	leastCut     = SampleRate * 5 / 1000   // worth a join
	overWhich    = SampleRate * 100 / 1000 // samples of output of which squeezed voice is at most half
	mostDebt     = FrameSamples            // of speed that what was said did not allow
	nearVoice    = SampleRate * 20 / 1000  // after a voice, sound may still be one
	look         = shortestPeriod          // between two attempts
	unlikeBurst  = 8                       // ratio of energies: a plosive begins
	unvoicedFrom = SampleRate * 5 / 1000   // shortest piece that is left out of noise
	squeezesKept = overWhich/shortestPeriod + 2
)

// pace decides when a period is left out or played twice.
type pace struct {
	speed     float32 // approached to what is wished
	surplus   float32 // samples there are too many; negative: too few
	debt      float32 // samples of output made more than wished; less when negative
	period    int     // found last
	pass      int     // samples to be heard as they came before the next change
	quiet     int     // samples heard since speech last stood out
	paused    int     // samples heard of this pause
	still     int     // samples heard since anything stood out even a little
	voiceless int     // samples heard since the last of a voice

	squeezed [squeezesKept]struct {
		end int64 // of the output
		n   int
	}
	next int
}

// approach follows the wish gradually, but returns to 1 at once.
func (p *pace) approach(wish float32) {
	if p.speed == 0 {
		p.speed, p.period = 1, look
	}
	if wish != wish {
		wish = 1
	}
	wish = max(slowest, min(fastest, wish))
	before := p.speed
	if wish == 1 {
		p.speed = 1
	}
	p.speed += max(-brake, min(speedStep, wish-p.speed))
	if (before-1)*(p.speed-1) <= 0 {
		p.debt, p.pass = 0, 0
	}
}

// rest forgets what there is no more of after a gap.
func (p *pace) rest() { p.debt, p.pass, p.quiet, p.paused, p.still = 0, 0, 0, 0, 0 }

// heard counts received sound that was heard.
func (p *pace) heard(of piece, n int) {
	p.pass = max(0, p.pass-n)
	if p.quiet += n; !of.weak {
		p.quiet = 0
	}
	if p.paused += n; of.class != Pause {
		p.paused = 0
	}
	if p.still += n; of.faint {
		p.still = 0
	}
	if p.voiceless += n; of.class == Voiced {
		p.voiceless = 0
	}
}

// mayCut reports whether enough of a pause was heard for the rest, from here on,
// to be cut.
func (p *pace) mayCut(here piece) bool {
	return !here.faint && p.paused >= leastUncut && p.still >= hangover+leastPause
}

// rate at which sound of a class is to be played.
func (p *pace) rate(c Class) float32 {
	switch {
	case c == Voiced:
		return max(voicedSlow, min(voicedFast, p.speed))
	case p.surplus > leastWish:
		return min(fastest, max(1+2*(p.speed-1), 1+p.surplus/unvoicedMost))
	case p.surplus < -leastWish:
		return max(slowest, min(p.speed, 1+p.surplus/unvoicedMost))
	case p.speed > 1:
		return min(fastest, 1+2*(p.speed-1))
	}
	return p.speed
}

// owe counts n samples, played as they came, that were to be played at rate.
func (p *pace) owe(n int, rate float32) {
	p.debt += float32(n) * (1 - 1/rate)
	p.debt = max(-mostDebt, min(mostDebt, p.debt))
}

// wait is how many samples have to be heard as they came before a squeezed run of
// n, which would end the output at sample end, leaves the last 100 ms at 1.5 at
// most.
func (p *pace) wait(end int64, n int) int {
	over := n - overWhich/2
	for _, q := range p.squeezed {
		over += max(0, min(q.n, int(q.end-end)+overWhich))
	}
	from := end - overWhich
	for i := range p.squeezed { // from the oldest, which is the first to be over
		q := p.squeezed[(p.next+i)%squeezesKept]
		if q.end <= from || over <= 0 {
			continue
		}
		first := max(from, q.end-int64(q.n))
		if n := int(q.end - first); over > n {
			over -= n
			continue
		}
		return int(first-from) + over
	}
	return max(0, over)
}

// hurried counts n samples of squeezed sound, which end the output at sample end.
func (p *pace) hurried(end int64, n int) {
	p.squeezed[p.next].end, p.squeezed[p.next].n = end, n
	p.next = (p.next + 1) % squeezesKept
}
