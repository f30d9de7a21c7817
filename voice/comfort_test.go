package voice_test

import (
	"math"
	"testing"

	"github.com/sottovoce/sotto/voice"
)

// A long gap after speech in noise: the noise goes on, as loud and of the same
// colour, and no louder anywhere; digital silence stays that.
func TestComfortNoiseIsLikeTheBackground(t *testing.T) {
	said := speech(t)[:10*voice.SampleRate]
	for name, noise := range map[string][]float32{
		"white":   whiteNoise(len(said), 2e-3),
		"pink":    pinkNoise(len(said), 5e-3),
		"loud":    whiteNoise(len(said), 2e-2),
		"silence": make([]float32, len(said)),
	} {
		for _, codec := range []bool{true, false} {
			x := mix(said, noise)
			at := len(x) / 2 / 960 * 960
			if name == "silence" {
				clear(x[at-9600 : at])
			}
			e := gap(x, at, 150, 400, codec)
			far := e.out[at+6*960 : at+150*960] // behind the fading
			want := rootMeanSquare(noise)
			got := rootMeanSquare(far)
			if name == "silence" {
				if got > 1e-5 {
					t.Errorf("silence has %.2g", got)
				}
				continue
			}
			if d := 20 * math.Log10(got/want); math.Abs(d) > 1.5 {
				t.Errorf("%s noise: %.1f dB off", name, d)
			}
			if d := 20 * math.Log10(slope(far)/slope(noise)); math.Abs(d) > 1.5 {
				t.Errorf("%s noise: its colour is %.1f dB off", name, d)
			}
			for i := 0; i+4800 <= len(far); i += 4800 {
				d := 20 * math.Log10(rootMeanSquare(far[i:i+4800])/want)
				if math.Abs(d) > 3 && name != "pink" || math.Abs(d) > 6 { // pink noise itself is that uneven
					t.Errorf("%s noise: 100 ms are %.1f dB off", name, d)
				}
			}
		}
	}
}

// slope is how strong the steps from sample to sample are against the samples.
func slope(x []float32) float64 {
	d := make([]float32, len(x)-1)
	for i := range d {
		d[i] = x[i+1] - x[i]
	}
	return rootMeanSquare(d) / rootMeanSquare(x)
}

// Nothing was learnt, nothing was heard: silence, and no noise of ours.
func TestBeforeAnySoundThereIsSilence(t *testing.T) {
	e := newEar()
	for range 20 {
		e.Noise(voice.FrameSamples)
		e.drain()
	}
	if r := rootMeanSquare(e.out); r != 0 || len(e.out) != 20*960 {
		t.Errorf("%d samples at %g", len(e.out), r)
	}
}
