package voice_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sottovoce/sotto/voice"
)

const pieceSamples = voice.SampleRate / 100 // 10 ms

func classes(x []float32) []voice.Class {
	var a voice.Activity
	out := make([]voice.Class, 0, len(x)/pieceSamples)
	for ; len(x) >= pieceSamples; x = x[pieceSamples:] {
		out = append(out, a.Classify(x[:pieceSamples]))
	}
	return out
}

// share of a class, in percent.
func share(classes []voice.Class, of voice.Class) float64 {
	n := 0
	for _, c := range classes {
		if c == of {
			n++
		}
	}
	return 100 * float64(n) / float64(len(classes))
}

// whiteNoise has the given root mean square.
func whiteNoise(n int, rms float64) []float32 {
	random := rand.New(rand.NewPCG(3, 4))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(random.NormFloat64() * rms)
	}
	return x
}

// pinkNoise falls by 3 dB an octave: a sum of noises that change ever more slowly.
func pinkNoise(n int, rms float64) []float32 {
	random := rand.New(rand.NewPCG(5, 6))
	x := make([]float32, n)
	var rows [12]float64
	for i := range x {
		sum := 0.0
		for r := range rows {
			if i%(1<<r) == 0 {
				rows[r] = random.NormFloat64()
			}
			sum += rows[r]
		}
		x[i] = float32(sum * rms / math.Sqrt(float64(len(rows))))
	}
	return x
}

func tone(n int, hertz, peak float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(peak * math.Sin(2*math.Pi*hertz*float64(i)/voice.SampleRate))
	}
	return x
}

func mix(a, b []float32) []float32 {
	x := make([]float32, len(a))
	for i := range x {
		x[i] = a[i] + b[i]
	}
	return x
}

func joined(parts ...[]float32) []float32 {
	var x []float32
	for _, p := range parts {
		x = append(x, p...)
	}
	return x
}

func rootMeanSquare(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(max(1, len(x))))
}

func TestSteadyNoiseIsAPauseBeforeLong(t *testing.T) {
	const second = voice.SampleRate
	for name, noise := range map[string]func(int, float64) []float32{"white": whiteNoise, "pink": pinkNoise} {
		for _, rms := range []float64{0, 1e-5, 1e-3, 1e-2, 1e-1} {
			c := classes(noise(10*second, rms))
			if s := share(c[250:], voice.Pause); s < 99.9 {
				t.Errorf("%s noise of %g: after 2.5 s %.1f %% pause", name, rms, s)
			}
			if s := share(c, voice.Voiced); s > 0 {
				t.Errorf("%s noise of %g: %.1f %% voiced", name, rms, s)
			}
		}
	}
}

func TestATonePassesForAVoiceFromTheStart(t *testing.T) {
	for _, hertz := range []float64{100, 150, 200, 300} {
		if s := share(classes(tone(5*voice.SampleRate, hertz, 0.3))[3:], voice.Voiced); s < 99.9 {
			t.Errorf("%g Hz: %.1f %% voiced", hertz, s)
		}
	}
	if s := share(classes(tone(20*voice.SampleRate, 100, 0.03))[1200:], voice.Pause); s < 99 {
		t.Errorf("a hum after 12 s: %.1f %% pause", s)
	}
}

// Bursts of noise in silence, and in noise 20 dB weaker: what is classed as what,
// to the piece.
func TestBurstsAndTheirHangover(t *testing.T) {
	for _, background := range []float64{0, 0.005} {
		x := whiteNoise(4*voice.SampleRate, background)
		copy(x[3*voice.SampleRate:], whiteNoise(voice.SampleRate/5, 0.05))
		c := classes(x)[290:]
		for i, got := range c[:60] {
			want := voice.Pause
			if i >= 10 && i < 30+8 { // 200 ms, and 80 ms more
				want = voice.Unvoiced
			}
			if got != want {
				t.Errorf("background %g: piece %d from the burst is %d, want %d", background, i-10, got, want)
			}
		}
	}
	click := make([]float32, voice.SampleRate)
	click[voice.SampleRate/2] = 0.5
	if s := share(classes(click), voice.Pause); s < 97 {
		t.Errorf("a click makes %.0f ms of speech", 1000-10*s)
	}
}

// Real speech, its own pauses being digital silence, which tells the truth.
func TestSpeechInNoise(t *testing.T) {
	clean := speech(t)
	for _, test := range []struct {
		snr    float64 // dB
		missed float64 // at most so much of what is voiced, percent
	}{{30, 0.1}, {20, 0.5}, {10, 3.5}} {
		level := rootMeanSquare(clean) * math.Pow(10, -test.snr/20)
		for name, noise := range map[string]func(int, float64) []float32{"white": whiteNoise, "pink": pinkNoise} {
			c := classes(mix(clean, noise(len(clean), level)))
			voicedLost, voiced, found, pauses := 0, 0, 0, 0
			for i, truth := range classes(clean) {
				switch {
				case i < 250: // it may pass for speech so long
				case truth == voice.Voiced:
					voiced++
					if c[i] == voice.Pause {
						voicedLost++
					}
				case truth == voice.Pause:
					pauses++
					if c[i] == voice.Pause {
						found++
					}
				}
			}
			if lost := 100 * float64(voicedLost) / float64(voiced); lost > test.missed {
				t.Errorf("%g dB of %s noise: %.2f %% of what is voiced passes for a pause", test.snr, name, lost)
			}
			if f := 100 * float64(found) / float64(pauses); f < 95 {
				t.Errorf("%g dB of %s noise: only %.1f %% of the pauses are found", test.snr, name, f)
			}
		}
	}
}

func TestSpeechAtTheStartIsSpeech(t *testing.T) {
	middle := speech(t)[10*voice.SampleRate:]
	if s := share(classes(middle)[:50], voice.Pause); s > 0 {
		t.Errorf("%.0f %% of the first half second is a pause", s)
	}
}

// Digital silence put into speech is found, but for the hangover.
func TestInsertedSilenceIsFound(t *testing.T) {
	clean := speech(t)
	for at := voice.SampleRate; at+voice.SampleRate < len(clean); at += voice.SampleRate * 7 / 4 {
		x := joined(clean[:at], make([]float32, voice.SampleRate/2), clean[at:])
		if s := share(classes(x)[at/pieceSamples+1:][:49], voice.Pause); s < 80 {
			t.Errorf("at %d: %.0f %% of half a second found", at, s)
		}
	}
}

func TestWhatIsNoSoundDoesNotStickInTheDetector(t *testing.T) {
	var a voice.Activity
	bad := make([]float32, pieceSamples)
	for i := range bad {
		bad[i] = float32([]float64{math.NaN(), math.Inf(1), -1e30}[i%3])
	}
	a.Classify(nil)
	for range 100 {
		a.Classify(bad)
	}
	silence := make([]float32, pieceSamples)
	for i := range 300 {
		if c := a.Classify(silence); c != voice.Pause && i > 20 {
			t.Fatalf("piece %d of silence is %d", i, c)
		}
	}
}

func BenchmarkActivity(b *testing.B) {
	x := speech(b)
	var a voice.Activity
	at := 0
	b.ReportAllocs()
	for b.Loop() {
		a.Classify(x[at : at+pieceSamples])
		at = (at + pieceSamples) % (len(x) - pieceSamples)
	}
}
