package voice_test

import (
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice"
)

var demoClip = sync.OnceValues(func() (*voice.Clip, error) {
	return voice.OpenWAV("../internal/demo/speech.wav")
})

// speech is the clip that the demo speaks: real sentences and pauses. It is
// shared: do not write to it.
func speech(t testing.TB) []float32 {
	t.Helper()
	c, err := demoClip()
	if err != nil {
		t.Fatal(err)
	}
	return c.Samples
}

func TestSpeechIsLongEnough(t *testing.T) {
	c := voice.Clip{Samples: speech(t)}
	if c.Duration() < 21*time.Second {
		t.Errorf("%v of speech, the demo needs 21 s", c.Duration())
	}
	if info, err := os.Stat("../internal/demo/speech.wav"); err != nil || info.Size() > 720_000 {
		t.Errorf("%v bytes, error %v: too large for a repository", info.Size(), err)
	}
}

// TestCompareDelayed shifts speech both ways, at other loudness and with noise.
func TestCompareDelayed(t *testing.T) {
	sent := speech(t)
	random := rand.New(rand.NewPCG(1, 2))
	for _, delay := range []int{0, 1, 312, 4800, 48000 * 3, -960, -48000} {
		heard := make([]float32, max(0, delay))
		heard = append(heard, sent[max(0, -delay):]...)
		for i := range heard {
			heard[i] = heard[i]/2 + float32(random.NormFloat64())*0.003
		}
		m := voice.Compare(sent, heard)
		want := time.Duration(delay) * time.Second / voice.SampleRate
		if d := (m.Lag - want).Abs(); d > 200*time.Microsecond {
			t.Errorf("delay %v: measured %v", want, m.Lag)
		}
		if m.Envelope < 0.98 {
			t.Errorf("delay %v: envelope %.3f", want, m.Envelope)
		}
	}
}

// TestCompareTellsApart: other sound must not pass for the speech.
func TestCompareTellsApart(t *testing.T) {
	sent := speech(t)[:10*voice.SampleRate]
	backwards := make([]float32, len(sent))
	noise := make([]float32, len(sent))
	choppy := make([]float32, len(sent))
	for i := range sent {
		backwards[i] = sent[len(sent)-1-i]
		noise[i] = rand.Float32() - 0.5
		choppy[i] = sent[i] * float32(i/4800%2)
	}
	for name, heard := range map[string][]float32{"backwards": backwards, "noise": noise, "every other 100 ms lost": choppy} {
		if m := voice.Compare(sent, heard); m.Envelope > 0.75 {
			t.Errorf("%s: envelope %.3f", name, m.Envelope)
		}
	}
	if m := voice.Compare(sent, make([]float32, len(sent))); m != (voice.Match{}) {
		t.Errorf("silence: %+v", m)
	}
	if m := voice.Compare(nil, sent); m != (voice.Match{}) {
		t.Errorf("nothing: %+v", m)
	}
}

func BenchmarkCompare(b *testing.B) {
	sent := speech(b)
	for b.Loop() {
		voice.Compare(sent, sent[voice.FrameSamples:])
	}
}

func TestLevel(t *testing.T) {
	var l voice.Level
	if l.RMS() != voice.Quiet || l.Peak() != voice.Quiet {
		t.Fatalf("before anything: %g, %g dB", l.RMS(), l.Peak())
	}
	var sine, silence voice.Frame
	for i := range sine {
		sine[i] = float32(0.5 * math.Sin(2*math.Pi*1000*float64(i)/voice.SampleRate))
	}
	l.Add(sine[:])
	if rms, peak := l.RMS(), l.Peak(); math.Abs(rms+9.03) > 0.02 || math.Abs(peak+6.02) > 0.02 {
		t.Errorf("sine of half scale: %.2f dB, peak %.2f dB, want -9.03, -6.02", rms, peak)
	}
	for range 50 {
		l.Add(silence[:])
	}
	if rms := l.RMS(); math.Abs(rms-(-9.03-24)) > 0.05 {
		t.Errorf("a second later %.2f dB, want 24 lower", rms)
	}
	l.Add(sine[:])
	if rms := l.RMS(); math.Abs(rms+9.03) > 0.02 {
		t.Errorf("the meter does not rise at once: %.2f dB", rms)
	}
	l.Add((&voice.Frame{float32(math.NaN())})[:])
	if rms := l.RMS(); math.Abs(rms+9.03) > 0.5 {
		t.Errorf("not a number shows as %.2f dB", rms)
	}
}

func BenchmarkLevel(b *testing.B) {
	var l voice.Level
	var f voice.Frame
	b.ReportAllocs()
	for b.Loop() {
		l.Add(f[:])
	}
}
