package clean

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// room is how sound gets from a loudspeaker to a microphone: a first arrival and
// reflections that come at random and decay by 60 dB in rt60, three in a
// millisecond.
type room struct {
	at   []int
	gain []float32
}

// newRoom makes a room that leaves speech loss dB weaker.
func newRoom(seed uint64, delay, rt60 time.Duration, loss float64) *room {
	random := rand.New(rand.NewPCG(seed, 1))
	samples := func(d time.Duration) int { return int(d * voice.SampleRate / time.Second) }
	r := &room{at: []int{samples(delay)}, gain: []float32{1}}
	for t := 96; t < samples(rt60); t += 1 + random.IntN(31) {
		decay := math.Pow(10, -3*float64(t)/float64(samples(rt60)))
		r.at = append(r.at, samples(delay)+t)
		r.gain = append(r.gain, float32(0.5*decay*random.NormFloat64()))
	}
	var power float64
	for _, g := range r.gain {
		power += float64(g) * float64(g)
	}
	scale := float32(math.Pow(10, -loss/20) / math.Sqrt(power))
	for i := range r.gain {
		r.gain[i] *= scale
	}
	return r
}

// play is what the microphone gets of x.
func (r *room) play(x []float32) []float32 {
	out := make([]float32, len(x))
	for i, at := range r.at {
		g := r.gain[i]
		if at >= len(x) {
			continue
		}
		to := out[at:]
		for j, s := range x[:len(to)] {
			to[j] += g * s
		}
	}
	return out
}

// far is speech of somebody far away, near of somebody here, at −26 dBFS. They
// are not to be changed.
func far(t testing.TB) []float32 { t.Helper(); return spoken(t, farVoice) }

func near(t testing.TB) []float32 { t.Helper(); return spoken(t, nearVoice) }

var (
	farVoice  = speech("/usr/share/asterisk/sounds/en_US_f_Allison/demo-congrats.wav")
	nearVoice = speech("../../internal/demo/speech.wav")
)

func spoken(t testing.TB, read func() ([]float32, error)) []float32 {
	t.Helper()
	x, err := read()
	if err != nil {
		t.Fatalf("%v (./setup.sh test installs the speech)", err)
	}
	return x
}

// speech reads a file, once.
func speech(path string) func() ([]float32, error) {
	return sync.OnceValues(func() ([]float32, error) {
		c, err := voice.OpenWAV(path)
		if err != nil {
			return nil, err
		}
		return scale(c.Samples, -26-level(c.Samples)), nil
	})
}

func scale(x []float32, db float64) []float32 {
	out := make([]float32, len(x))
	g := float32(math.Pow(10, db/20))
	for i, s := range x {
		out[i] = g * s
	}
	return out
}

// hiss is white, with a slope of 6 dB an octave from 500 Hz up, as a fan's.
func hiss(n int, want float64) []float32 {
	random := rand.New(rand.NewPCG(8, 9))
	out := make([]float32, n)
	var state float32
	for i := range out {
		state += 0.06 * (float32(random.NormFloat64()) - state)
		out[i] = state
	}
	return scale(out, want-dbfs(out))
}

func add(a, b []float32) []float32 {
	out := make([]float32, min(len(a), len(b)))
	for i := range out {
		out[i] = a[i] + b[i]
	}
	return out
}

// level is the power of those 20 ms of x that are within 25 dB of the loudest.
func level(x []float32) float64 {
	loudest := math.Inf(-1)
	frames := func(take func([]float32)) {
		for at := 0; at+voice.FrameSamples <= len(x); at += voice.FrameSamples {
			take(x[at : at+voice.FrameSamples])
		}
	}
	frames(func(f []float32) { loudest = max(loudest, dbfs(f)) })
	var active []float32
	frames(func(f []float32) {
		if dbfs(f) > loudest-25 {
			active = append(active, f...)
		}
	})
	return dbfs(active)
}

const second = voice.SampleRate

// cleaned runs mic through a cleaner while heard is played, nil being nothing.
func cleaned(t testing.TB, c Config, mic, heard []float32) []float32 {
	t.Helper()
	cl, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	out := make([]float32, 0, len(mic))
	var f, h voice.Frame
	for at := 0; at+len(f) <= len(mic); at += len(f) {
		f = voice.Frame(mic[at:])
		clear(h[:])
		if at+len(h) <= len(heard) {
			h = voice.Frame(heard[at:])
		}
		cl.Clean(&f, &h)
		out = append(out, f[:]...)
	}
	return out
}
