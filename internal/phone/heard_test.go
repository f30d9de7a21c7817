package phone

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call/playout"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/jitter"
	"github.com/sottovoce/sotto/voice"
)

// TestHeardIsWhatOpusGives: on a network that is late by no more than 15 ms all
// that is heard is, sample for sample, what libopus makes of it alone, once the
// delay has settled: nothing is made up, nothing is left out, and so no sound is
// worse than the codec's.
func TestHeardIsWhatOpusGives(t *testing.T) {
	clip, err := voice.OpenWAV("../demo/speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := Codec{}.NewEncoder(record.Profiles[0])
	if err != nil {
		t.Fatal(err)
	}
	alone, err := Codec{}.NewDecoder(record.Profiles[0])
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := Codec{}.NewDecoder(record.Profiles[0])
	if err != nil {
		t.Fatal(err)
	}
	ear := playout.New(jitter.Config{}, decoder)
	random := rand.New(rand.NewPCG(1, 2))
	var want, got []float32
	packet := make([]byte, record.Profiles[0].Bytes)
	for n := range len(clip.Samples) / voice.FrameSamples {
		now := time.Duration(n) * voice.FrameTime
		f := voice.Frame(clip.Samples[n*voice.FrameSamples:])
		if err := encoder.Encode(packet, &f); err != nil {
			t.Fatal(err)
		}
		if err := alone.Decode(&f, packet); err != nil {
			t.Fatal(err)
		}
		want = append(want, f[:]...)
		var out [voice.PullSamples]float32
		late := time.Duration(random.Float64() * float64(15*time.Millisecond))
		if late < 8*time.Millisecond {
			ear.Push(now+late, uint32(n), packet)
		}
		ear.Pull(now+8*time.Millisecond, out[:])
		got = append(got, out[:]...)
		if late >= 8*time.Millisecond {
			ear.Push(now+late, uint32(n), packet)
		}
		ear.Pull(now+18*time.Millisecond, out[:])
		got = append(got, out[:]...)
	}
	const settled = 5 * voice.SampleRate
	lag := 0
	for d, best := 0, math.Inf(1); d < voice.SampleRate/2; d++ {
		if off := apart(want[settled-d:][:voice.SampleRate], got[settled:][:voice.SampleRate], best); off < best {
			best, lag = off, d
		}
	}
	same, pieces := 0, 0
	for at := settled; at+voice.FrameSamples <= len(got); at += voice.FrameSamples {
		pieces++
		if apart(want[at-lag:][:voice.FrameSamples], got[at:][:voice.FrameSamples], math.Inf(1)) < 1e-6 {
			same++
		}
	}
	t.Logf("%d of %d pieces of 20 ms are what libopus gives, %.1f ms later; made up %v", same, pieces, float64(lag)/48, ear.Stats().Concealed)
	if 100*same < 99*pieces {
		t.Errorf("%d of %d pieces are what libopus gives", same, pieces)
	}
}

// apart is the sum of the squares of a less b; more than most is not reckoned.
func apart(a, b []float32, most float64) (sum float64) {
	for i := range a {
		d := float64(a[i] - b[i])
		if sum += d * d; sum > most {
			return sum
		}
	}
	return sum
}

// TestNoDrift listens for ten minutes, or with SOTTO_SOAK set for thirty, on a
// card whose clock is 100 ppm off the other side's: no delay adds up, and next to
// nothing is made up.
func TestNoDrift(t *testing.T) {
	minutes := 10
	if os.Getenv("SOTTO_SOAK") != "" {
		minutes = 30
	}
	clip, err := voice.OpenWAV("../demo/speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	encoder, err := Codec{}.NewEncoder(record.Profiles[0])
	if err != nil {
		t.Fatal(err)
	}
	said := make([][]byte, len(clip.Samples)/voice.FrameSamples)
	for n := range said {
		f := voice.Frame(clip.Samples[n*voice.FrameSamples:])
		said[n] = make([]byte, record.Profiles[0].Bytes)
		if err := encoder.Encode(said[n], &f); err != nil {
			t.Fatal(err)
		}
	}
	for _, ppm := range []float64{-100, 100} {
		decoder, err := Codec{}.NewDecoder(record.Profiles[0])
		if err != nil {
			t.Fatal(err)
		}
		ear := playout.New(jitter.Config{}, decoder)
		every := time.Duration(float64(voice.PullTime) / (1 + ppm/1e6))
		var out [voice.PullSamples]float32
		least, most := time.Hour, time.Duration(0)
		n := uint32(0)
		for now := time.Duration(0); now < time.Duration(minutes)*time.Minute; now += every {
			for ; time.Duration(n)*voice.FrameTime <= now; n++ {
				ear.Push(time.Duration(n)*voice.FrameTime, n, said[int(n)%len(said)])
			}
			ear.Pull(now, out[:])
			if s := ear.Stats(); now > 10*time.Second {
				least, most = min(least, s.Delay), max(most, s.Delay)
			}
		}
		s := ear.Stats()
		t.Logf("%+.0f ppm: delay %v to %v in %d minutes, %.2f %% made up", ppm, least, most, minutes, s.ConcealedPercent())
		if most-least > 60*time.Millisecond || most > 150*time.Millisecond || s.ConcealedPercent() > 0.2 {
			t.Errorf("%+.0f ppm: %+v", ppm, s)
		}
	}
}
