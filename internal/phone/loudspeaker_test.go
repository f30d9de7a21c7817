package phone

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/clean"
	"github.com/sottovoce/sotto/voice/portaudio"
	"github.com/sottovoce/sotto/voice/portaudio/soundtest"
)

// TestMain lets a device's process be this very program.
func TestMain(m *testing.M) {
	portaudio.Main()
	os.Exit(m.Run())
}

// TestTheEchoOfADevice plays noise on a JACK server whose microphone hears its
// loudspeaker, at 44.1 kHz, its only rate, through the chain as it runs in a call.
func TestTheEchoOfADevice(t *testing.T) {
	soundtest.Jack(t, 44100, 441)
	speaker, err := portaudio.OpenSink("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer speaker.Close()
	mic, err := portaudio.OpenSource("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer mic.Close()
	heard := &levelled{Source: mic}
	source, err := newCleaning(heard, clean.Config{NoNoise: true, NoGain: true})
	if err != nil {
		t.Fatal(err)
	}
	defer source.cleaner.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	random, state := rand.New(rand.NewPCG(1, 2)), 0.0
	group.Go(func() {
		listeningSink{speaker, source}.Run(ctx, func(out []float32) {
			for i := range out { // with less above 2 kHz, as speech has
				state += 0.25 * (random.NormFloat64() - state)
				out[i] = float32(0.1 * math.Sqrt(7) * state)
			}
		})
	})
	soundtest.ConnectJack(t)
	var f voice.Frame
	ticker := time.NewTicker(voice.FrameTime)
	defer ticker.Stop()
	// A busy machine loses sound now and then, by which the way becomes
	// another: as soon as it is kept for a second after three, all is well.
	var in, out, best float64
	for n := 1; best < 25; {
		if n > 60*50 {
			t.Fatalf("of the echo at most %.0f dB were taken away", best)
		}
		<-ticker.C
		for {
			ok, err := source.Read(&f)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			in += heard.power
			for _, s := range f {
				out += float64(s) * float64(s)
			}
			if n++; n%50 != 0 {
				continue
			}
			if db := 10 * math.Log10(in/out); n > 3*50 && in > 50*voice.FrameSamples*1e-4 {
				t.Logf("second %d: echo return loss %.0f dB", n/50, db)
				best = max(best, db)
			}
			in, out = 0, 0
		}
	}
}

// levelled measures what a microphone hears.
type levelled struct {
	*portaudio.Source
	power float64
}

func (l *levelled) Read(f *voice.Frame) (bool, error) {
	ok, err := l.Source.Read(f)
	l.power = 0
	for _, s := range f {
		l.power += float64(s) * float64(s)
	}
	return ok, err
}
