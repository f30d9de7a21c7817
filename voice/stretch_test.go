package voice_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// ear plays sound through a Stretch as a call does, and keeps what comes out and
// what is told of it.
type ear struct {
	voice.Stretch
	out  []float32
	runs []voice.Run
}

func newEar() *ear {
	e := new(ear)
	e.Heard = func(r voice.Run) { e.runs = append(e.runs, r) }
	return e
}

// drain reads what is ready, in whole frames.
func (e *ear) drain() {
	var f voice.Frame
	for e.Ready() >= len(f) {
		e.Read(f[:])
		e.out = append(e.out, f[:]...)
	}
}

// play gives all of x, frame by frame, at a speed and a surplus.
func (e *ear) play(x []float32, speed float32, surplus time.Duration) {
	var f voice.Frame
	for i := 0; i+len(f) <= len(x); i += len(f) {
		copy(f[:], x[i:])
		e.Play(&f, int64(i), speed, surplus)
		e.drain()
	}
	e.Flush()
	e.drain()
	rest := e.Ready()
	e.Read(f[:])
	e.out = append(e.out, f[:rest]...)
}

// told is how many samples the runs speak of, made of how many.
func (e *ear) told() (samples, of int) {
	for _, r := range e.runs {
		samples += r.Samples
		of += r.Of
	}
	return samples, of
}

// frequency of a tone: upward zero crossings, the first and last interpolated.
func frequency(x []float32) float64 {
	first, last, n := -1.0, 0.0, -1
	for i := 1; i < len(x); i++ {
		if x[i-1] < 0 && x[i] >= 0 {
			last = float64(i) - float64(x[i])/float64(x[i]-x[i-1])
			if n++; n == 0 {
				first = last
			}
		}
	}
	return float64(n) / (last - first) * voice.SampleRate
}

// jump is the largest step from one sample to the next.
func jump(x []float32) float32 {
	var most float32
	for i := 1; i < len(x); i++ {
		most = max(most, x[i]-x[i-1], x[i-1]-x[i])
	}
	return most
}

func TestAtSpeedOneSoundPassesAsItCame(t *testing.T) {
	x := speech(t)
	x = x[:len(x)/voice.FrameSamples*voice.FrameSamples]
	e := newEar()
	var f voice.Frame
	for i := 0; i < len(x); i += len(f) {
		copy(f[:], x[i:])
		e.Play(&f, 5000+int64(i), 1, 0)
		if e.Ready() != len(f) || e.Held() != 0 {
			t.Fatalf("at %d: %d ready, %d held", i, e.Ready(), e.Held())
		}
		e.drain()
	}
	if !slices.Equal(e.out, x) {
		t.Fatal("not bit for bit")
	}
	for i, r := range e.runs {
		if want := (voice.Run{Samples: len(f), Media: 5000 + int64(i*len(f)), Of: len(f)}); r != want {
			t.Fatalf("%+v, want %+v", r, want)
		}
	}
}

func TestPitchStaysAndSpeedIsReached(t *testing.T) {
	for _, hertz := range []float64{100, 200, 300} {
		for _, test := range []struct {
			speed    float32
			from, to float64 // of what comes out
		}{
			{0.5, 0.66, 0.70},
			{0.7, 0.69, 0.72},
			{0.9, 0.89, 0.91},
			{1.1, 1.09, 1.11},
			{1.25, 1.24, 1.26},
			{1.5, 1.45, 1.5},
			{2, 1.45, 1.5},
		} {
			x := tone(4*voice.SampleRate, hertz, 0.3)
			e := newEar()
			e.play(x, test.speed, 0)
			if f := frequency(e.out[4800:]); math.Abs(f/hertz-1) > 0.005 {
				t.Errorf("%g Hz at speed %g: %.2f Hz", hertz, test.speed, f)
			}
			if s := float64(len(x)) / float64(len(e.out)); s < test.from-0.01 || s > test.to+0.01 {
				t.Errorf("%g Hz at speed %g: reached %.3f", hertz, test.speed, s)
			}
			if j, was := jump(e.out), jump(x); j > 1.1*was {
				t.Errorf("%g Hz at speed %g: a jump of %.4f, the tone has %.4f", hertz, test.speed, j, was)
			}
			if r := rootMeanSquare(e.out[4800:]); math.Abs(20*math.Log10(r/0.2121)) > 0.3 {
				t.Errorf("%g Hz at speed %g: level %.3f", hertz, test.speed, r)
			}
		}
	}
}

// A speed of 1.5 is not reached at once, or a period would be left out after 5 ms.
func TestSpeedIsApproachedGradually(t *testing.T) {
	e := newEar()
	e.play(tone(voice.SampleRate, 200, 0.3), 1.5, 0)
	for _, r := range e.runs {
		if r.Of > r.Samples {
			if r.Media < 400 || r.Media > 5*voice.FrameSamples {
				t.Errorf("the first period left out begins at sample %d", r.Media)
			}
			return
		}
	}
	t.Error("nothing is left out")
}

// byClass is how fast the sound of each class was played: samples of what came
// over samples heard, by the classes of the original.
func (e *ear) byClass(original []float32) (speed [3]float64) {
	c := classes(original)
	var heard, of [3]float64
	for _, r := range e.runs {
		if r.Of == 0 {
			continue
		}
		class := c[min(len(c)-1, int(r.Media+int64(r.Of)/2)/pieceSamples)]
		heard[class] += float64(r.Samples)
		of[class] += float64(r.Of)
	}
	for i := range speed {
		speed[i] = of[i] / heard[i]
	}
	return speed
}

// A minute of speech at 1.3: near that in all, voice slowest.
func TestSpeechReachesTheSpeedWished(t *testing.T) {
	x := joined(speech(t), speech(t), speech(t))[:60*voice.SampleRate]
	for _, test := range []struct{ speed, pause, unvoiced, voiced, within float64 }{
		{0.5, 0.5, 0.53, 0.65, 0.02},
		{0.8, 0.8, 0.79, 0.81, 0.02},
		{0.9, 0.9, 0.9, 0.9, 0.02},
		{1.1, 1.1, 1.14, 1.09, 0.02},
		{1.3, 1.29, 1.38, 1.28, 0.04},
		{2, 1.37, 1.45, 1.4, 0.04},
	} {
		e := newEar()
		e.play(x, float32(test.speed), 0)
		got := e.byClass(x)
		for c, want := range []float64{test.pause, test.unvoiced, test.voiced} {
			if math.Abs(got[c]-want) > test.within {
				t.Errorf("at speed %g: class %d at %.3f, want %.2f", test.speed, c, got[c], want)
			}
		}
	}
}

// Whatever is asked, at whatever frame: in no 100 ms of output is what was voice
// more than 1.5 times as fast, be it heard a little later, as a codec makes it, and
// in noise.
func TestVoiceIsNeverFasterThanOneAndAHalf(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	said := speech(t)
	voiced := classes(said)
	for name, speed := range map[string]func() float32{
		"always 2":           func() float32 { return 2 },
		"always 2, in noise": func() float32 { return 2 },
		"any":                func() float32 { return 0.5 + 1.5*random.Float32() },
	} {
		x := said
		if name == "always 2, in noise" {
			x = mix(joined(make([]float32, 312), said[:len(said)-312]), whiteNoise(len(said), 7e-3))
		}
		e := newEar()
		var f voice.Frame
		for i := 0; i+len(f) <= len(x); i += len(f) {
			copy(f[:], x[i:])
			e.Play(&f, int64(i), speed(), 0)
			e.drain()
		}
		// of[i]: samples that output sample i stands for, -1 where it is not voice.
		var of []float64
		for _, r := range e.runs {
			for i := range r.Samples {
				at := int(r.Media) + i*r.Of/r.Samples
				if voiced[min(len(voiced)-1, at/pieceSamples)] == voice.Voiced {
					of = append(of, float64(r.Of)/float64(r.Samples))
				} else {
					of = append(of, -1)
				}
			}
		}
		const window = voice.SampleRate / 10
		sum, pure, most := 0.0, 0, 0.0
		for i, n := range of {
			if n < 0 {
				sum, pure = 0, 0
				continue
			}
			sum += n
			if pure++; pure > window {
				sum -= of[i-window]
			}
			if pure >= window {
				most = max(most, sum/window)
			}
		}
		t.Logf("%s: at most %.3f", name, most)
		if most > 1.5001 || most < 1.3 {
			t.Errorf("speed %s: voice is played at up to %.4f over 100 ms", name, most)
		}
	}
}

// vowel is a sung one: harmonics of hertz, louder about 700 and 1200 Hz.
func vowel(n int, hertz, peak float64) []float32 {
	x := make([]float32, n)
	for h := 1; float64(h)*hertz < 3500; h++ {
		f := float64(h) * hertz
		weight := 1/(1+math.Pow((f-700)/150, 2)) + 0.5/(1+math.Pow((f-1200)/150, 2)) + 0.1
		for i := range x {
			x[i] += float32(peak / 4 * weight * math.Sin(2*math.Pi*f*float64(i)/voice.SampleRate+float64(h*h)))
		}
	}
	return x
}
