package phone

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/clean"
)

// loop is a loudspeaker that a microphone hears 60 ms later, half as loud.
type loop struct {
	began time.Time
	heard voice.Bridge
}

func (l *loop) Read(f *voice.Frame) (bool, error) { return l.heard.Read(time.Since(l.began), f), nil }

func (l *loop) Run(ctx context.Context, pull func([]float32)) error {
	tick := time.NewTicker(voice.PullTime)
	defer tick.Stop()
	var late [6][voice.PullSamples]float32
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		at := &late[n%len(late)]
		l.heard.Write(time.Since(l.began), at[:])
		pull(at[:])
		for i := range at {
			at[i] /= 2
		}
	}
}

// TestWhatIsPlayedIsNotSent plays noise through the chain as it runs in a call.
func TestWhatIsPlayedIsNotSent(t *testing.T) {
	for _, c := range []clean.Config{{NoNoise: true, NoGain: true}, {NoEcho: true, NoNoise: true, NoGain: true}} {
		synctest.Test(t, func(t *testing.T) {
			l := &loop{began: time.Now()}
			source, err := newCleaning(l, c)
			if err != nil {
				t.Fatal(err)
			}
			defer source.cleaner.Close()
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			state := 0.0
			random := rand.New(rand.NewPCG(1, 2))
			go func() {
				ended <- listeningSink{l, source}.Run(ctx, func(out []float32) {
					for i := range out { // with less above 2 kHz, as speech has
						state += 0.25 * (random.NormFloat64() - state)
						out[i] = float32(0.1 * math.Sqrt(7) * state)
					}
				})
			}()
			var f voice.Frame
			var sum float64
			<-time.After(3 * time.Millisecond) // ticks and callbacks at one instant would come in any order
			tick := time.NewTicker(voice.FrameTime)
			defer tick.Stop()
			for n := range 300 {
				<-tick.C
				ok, err := source.Read(&f)
				if err != nil || !ok && n > 10 {
					t.Fatalf("frame %d: %v, %v", n, ok, err)
				}
				for _, s := range f {
					if n >= 250 {
						sum += float64(s) * float64(s)
					}
				}
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			db := 10*math.Log10(sum/(50*voice.FrameSamples)) + 26 // as loud as the echo: 0 dB
			t.Logf("%+v: %.1f dB of the echo are left", c, db)
			if c.NoEcho && math.Abs(db) > 1 || !c.NoEcho && db > -25 {
				t.Errorf("%+v: %.1f dB of the echo are left", c, db)
			}
		})
	}
}
