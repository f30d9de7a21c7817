package voice_test

import (
	"math"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// bands is the loudness in dB of 24 bands, 100 Hz to 7 kHz, each a sixth wider
// than the one below, of the 21 ms of x around at.
func bands(x []float32, at int) (db [24]float64, ok bool) {
	const n = 1024
	if at < n/2 || at+n/2 > len(x) {
		return db, false
	}
	var windowed [n]float64
	for i := range windowed {
		windowed[i] = float64(x[at-n/2+i]) * (0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/n))
	}
	spectrum := voice.Spectrum(windowed[:], n)
	low, total := 2.0, 0.0
	for b := range db {
		high := max(low+2, low*7/6)
		sum := 1e-4 // about -70 dBFS: what is weaker does not matter
		for k := int(low); k < int(high); k++ {
			sum += real(spectrum[k])*real(spectrum[k]) + imag(spectrum[k])*imag(spectrum[k])
		}
		total += sum
		db[b] = 10 * math.Log10(sum)
		low = high
	}
	return db, total > 10
}

// spectralDistance is the mean over time of the root mean square difference of
// the bands of what was heard and of what it stands for, in dB. Where a period
// was left out or repeated, what is heard stands for the middle of both.
func (e *ear) spectralDistance(original []float32) float64 {
	sum, n, next, made := 0.0, 0, 0, 0
	for _, r := range e.runs {
		for ; next < made+r.Samples; next += voice.FrameSamples / 2 {
			media := int(r.Media) + (next-made)*r.Of/r.Samples
			heard, ok := bands(e.out, next)
			said, speaks := bands(original, media)
			if !ok || !speaks || r.Of == 0 {
				continue
			}
			square := 0.0
			for b := range heard {
				square += (heard[b] - said[b]) * (heard[b] - said[b])
			}
			sum += math.Sqrt(square / float64(len(heard)))
			n++
		}
		made += r.Samples
	}
	return sum / float64(n)
}

// The figures are a fence: they were measured, and are to get no worse.
func TestStretchedSpeechSoundsAlike(t *testing.T) {
	x := speech(t)
	for _, test := range []struct {
		speed float32
		most  float64 // dB
	}{{1.1, 0.6}, {1.25, 1.4}, {1.5, 2}, {0.8, 1.2}} {
		e := newEar()
		e.play(x, test.speed, 0)
		d := e.spectralDistance(x)
		t.Logf("speed %g: %.2f dB", test.speed, d)
		if d > test.most {
			t.Errorf("at speed %g the spectrum is %.2f dB off, want at most %.2f", test.speed, d, test.most)
		}
		if j, was := jump(e.out), jump(x); j > 1.05*was {
			t.Errorf("at speed %g: a jump of %.3f, the speech has %.3f", test.speed, j, was)
		}
	}
}

// At no join is there a step that the sound around it has not, nearly.
func TestJoinsMakeNoClick(t *testing.T) {
	x := mix(speech(t), whiteNoise(len(speech(t)), 3e-4))
	for _, speed := range []float32{0.8, 1.25, 2} {
		e := newEar()
		e.play(x, speed, 100*time.Millisecond)
		at, joins, worst := 0, 0, float32(0)
		for i, r := range e.runs {
			joined := i > 0 && (r.Of != r.Samples || r.Media != e.runs[i-1].Media+int64(e.runs[i-1].Of))
			if from, to := at-48, min(len(e.out), at+r.Samples+48); joined && from > 0 {
				near := x[max(0, int(r.Media)-2*960):min(len(x), int(r.Media)+r.Of+2*960)]
				step := jump(e.out[from:min(to, at+960)]) / jump(near)
				joins, worst = joins+1, max(worst, step)
			}
			at += r.Samples
		}
		t.Logf("speed %g: %d joins, the largest step %.2f of those around", speed, joins, worst)
		if worst > 1.5 || joins < 100 {
			t.Errorf("speed %g: in %d joins, a step %.2f times as large as any around it", speed, joins, worst)
		}
	}
}
