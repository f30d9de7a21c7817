package phone

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/clean"
)

// heard is a microphone in virtual time.
type heard struct {
	began time.Time
	voice.Bridge
}

func (h *heard) Read(f *voice.Frame) (bool, error) {
	return h.Bridge.Read(time.Since(h.began), f), nil
}

func (h *heard) Came() time.Time { return h.began.Add(h.Bridge.Came()) }

// air carries what a loudspeaker plays to a microphone on another card, whose
// clock is another: sound is between samples there.
type air struct {
	sound []float32 // as played, by the loudspeaker's clock
}

// at is the sound at sample x, by a cubic through the four next to it.
func (a *air) at(x float64) float32 {
	i := int(math.Floor(x))
	if i < 1 || i+2 >= len(a.sound) {
		return 0
	}
	t, p := float32(x-float64(i)), a.sound[i-1:i+3]
	return p[1] + t*(p[2]-p[0]+t*(2*p[0]-5*p[1]+4*p[2]-p[3]+t*(3*(p[1]-p[2])+p[3]-p[0])))/2
}

// device is one direction of a card, in virtual time. Most of its callbacks come
// as they did when measured on JACK and PulseAudio, within 0.3 ms, some much later.
type device struct {
	block  int           // samples a callback
	rate   float64       // samples a second, by the monotonic clock
	late   time.Duration // of a callback, at most; 0: none is late at all
	random *rand.Rand
	n      int           // callbacks so far
	at     time.Duration // when the next comes
}

func (d *device) next() {
	d.n++
	due := float64(d.n*d.block) / d.rate
	if d.late > 0 {
		due += min(d.random.ExpFloat64()*100e-6, 1e-3)
		if d.random.IntN(20) == 0 {
			due += d.random.Float64() * d.late.Seconds()
		}
	}
	d.at = max(d.at, time.Duration(due*float64(time.Second)))
}

// TestTheEchoIsGone plays into a room 67 ms long, through the chain as it runs in
// a call: cards with callbacks of every size, clocks apart, callbacks that come
// late, and ticks and callbacks on one instant, in any order.
func TestTheEchoIsGone(t *testing.T) {
	const length, seconds = 67 * time.Millisecond, 10
	for _, c := range []struct {
		mic, speaker int
		ppm          float64       // microphone's clock against loudspeaker's
		late         time.Duration // of a callback, at most
		jump         time.Duration // by which all comes later from the sixth second on, as with a sound server's new delay
		off          bool          // nothing is done
	}{
		{mic: 480, speaker: 480, off: true},
		{mic: 480, speaker: 480},
		{mic: 960, speaker: 480},
		{mic: 480, speaker: 480, late: 4 * time.Millisecond},
		{mic: 256, speaker: 1024, late: 4 * time.Millisecond},
		{mic: 441, speaker: 441, ppm: 200, late: 4 * time.Millisecond},
		{mic: 1024, speaker: 256, ppm: -200, late: 4 * time.Millisecond},
		{mic: 441, speaker: 441, ppm: 200, late: 4 * time.Millisecond, jump: 31 * time.Millisecond},
		{mic: 480, speaker: 256, late: 4 * time.Millisecond, jump: -23 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("callbacks of %d and %d, %g ppm, late %v, jump %v", c.mic, c.speaker, c.ppm, c.late, c.jump), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(uint64(c.mic), uint64(c.speaker)))
				began := time.Now()
				ear := &heard{began: began}
				source, err := newCleaning(ear, clean.Config{NoEcho: c.off, NoNoise: true, NoGain: true})
				if err != nil {
					t.Fatal(err)
				}
				defer source.cleaner.Close()
				mic := &device{block: c.mic, rate: voice.SampleRate * (1 + c.ppm/2e6), late: c.late, random: random}
				speaker := &device{block: c.speaker, rate: voice.SampleRate * (1 - c.ppm/2e6), late: c.late, random: random}
				mic.next()
				speaker.next()
				room, state := &air{}, 0.0
				out, in := make([]float32, c.speaker), make([]float32, c.mic)
				var before, after [seconds]float64
				var f voice.Frame
				frames := 0
				for tick := 1; tick <= seconds*50; {
					at := time.Duration(tick) * voice.FrameTime
					first, which := speaker.at, 0
					if mic.at < first || mic.at == first && random.IntN(2) == 0 {
						first, which = mic.at, 1
					}
					if at < first || at == first && random.IntN(2) == 0 {
						first, which = at, 2
					}
					<-time.After(time.Until(began.Add(first)))
					now := time.Since(began)
					switch which {
					case 0:
						for i := range out { // with less above 2 kHz, as speech has
							state += 0.25 * (random.NormFloat64() - state)
							out[i] = float32(0.1 * math.Sqrt(7) * state)
						}
						room.sound = append(room.sound, out...)
						source.played.Mark(now, uint64((speaker.n-1)*c.speaker)) // what it had been given before
						source.played.Put(out)
						speaker.next()
					case 1: // what is in the air by now, less the room and two callbacks of the loudspeaker
						length := length
						if now >= 6*time.Second {
							length += c.jump
						}
						for i := range in {
							when := float64((mic.n-1)*c.mic+i)/mic.rate - length.Seconds()
							in[i] = room.at(when*speaker.rate-2*float64(c.speaker)) / 2
							before[min(seconds-1, int(now/time.Second))] += float64(in[i]) * float64(in[i])
						}
						ear.Write(now, in)
						mic.next()
					case 2:
						for range 2 { // as the call does: a frame that was missing comes with the next
							ok, err := source.Read(&f)
							if err != nil {
								t.Fatal(err)
							}
							if !ok {
								break
							}
							frames++
							for _, s := range f {
								after[(tick-1)/50] += float64(s) * float64(s)
							}
						}
						tick++
					}
				}
				db := make([]float64, seconds)
				for i := range db {
					db[i] = 10 * math.Log10(before[i]/after[i])
				}
				t.Logf("echo return loss of each second: %.0f dB; %d frames", db, frames)
				if frames < seconds*50-10 {
					t.Errorf("%d frames", frames)
				}
				for i, v := range db[3:] {
					if c.jump != 0 && (i+3 == 6 || i+3 == 7) {
						continue // it is being looked for
					}
					if c.off != (math.Abs(v) < 1) || !c.off && v < 25 {
						t.Errorf("%.1f dB in second %d", v, i+3)
					}
				}
			})
		})
	}
}
