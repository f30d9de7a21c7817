package listen

import (
	"math"

	"github.com/sottovoce/sotto/voice"
)

// frames tell how each frame of the trace was rendered.
type frames struct {
	covered []float64 // samples of it that were played
	out     []float64 // samples that they sounded
}

func render(pieces []piece, n int) frames {
	f := frames{make([]float64, n), make([]float64, n)}
	for _, p := range pieces {
		for m := p.media; m < p.media+p.of; {
			k := m / voice.FrameSamples
			end := min((k+1)*voice.FrameSamples, p.media+p.of)
			f.covered[k] += float64(end - m)
			f.out[k] += float64(end-m) / float64(p.of) * float64(p.samples)
			m = end
		}
	}
	return f
}

// rendered tells whether half of a frame or more was.
func (f *frames) rendered(k int) bool { return f.covered[k] >= voice.FrameSamples/2 }

// speed is how fast a frame was played.
func (f *frames) speed(k int) float64 {
	if f.out[k] == 0 {
		return 1
	}
	return f.covered[k] / f.out[k]
}

func (f *frames) stretched() float64 {
	var other, all float64
	for k, n := range f.out {
		all += n
		if math.Abs(f.speed(k)-1) > unlike {
			other += n
		}
	}
	return 100 * share(other, all)
}

// missing fills in what was not rendered. reach is how far it was played.
func (fr *frames) missing(f *Figures, ks kinds, reach int64) {
	var speech, unplayed, lost, cut float64
	for k := range fr.covered {
		if !ks.speech(k) {
			whole := float64(min(max(0, reach-int64(k)*voice.FrameSamples), voice.FrameSamples))
			cut += whole - fr.covered[k]
			continue
		}
		speech++
		lost += voice.FrameSamples - fr.covered[k]
		if !fr.rendered(k) {
			unplayed++
		}
	}
	f.Unplayed, f.SpeechCut = 100*share(unplayed, speech), 100*share(lost, speech*voice.FrameSamples)
	f.Cut = 100 * share(cut, float64(reach))
}

// voice fills in how fast voiced speech was played.
func (fr *frames) voice(f *Figures, ks kinds) {
	var all, squeezed, slowed float64
	for k := range fr.covered {
		if !ks.voiced(k) || !fr.rendered(k) {
			continue
		}
		all++
		switch s := fr.speed(k); {
		case s > 1+unlike:
			squeezed++
		case s < 1-unlike:
			slowed++
		}
	}
	f.Squeezed, f.Slowed = 100*share(squeezed, all), 100*share(slowed, all)
}
