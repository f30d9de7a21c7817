package voice_test

import (
	"math"
	"testing"

	"github.com/sottovoce/sotto/voice"
)

// faded is what a codec makes up after x[:at]: its last period on and on, weaker
// by a half every 40 ms.
func faded(x []float32, at, period int) []float32 {
	y := make([]float32, 10*voice.FrameSamples)
	for i := range y {
		y[i] = x[at-period+i%period] * float32(math.Exp2(-float64(i)/1920))
	}
	return y
}

// gap plays x to sample at, then makes up n frames, of the codec's sound or of
// noise alone, then plays on.
func gap(x []float32, at, n, period int, codec bool) *ear {
	e := newEar()
	var f voice.Frame
	for i := 0; i+len(f) <= at; i += len(f) {
		copy(f[:], x[i:])
		e.Play(&f, int64(i), 1, 0)
		e.drain()
	}
	made := faded(x[:at], at, period)
	for i := range n {
		if codec {
			copy(f[:], made[min(i*len(f), len(made)-len(f)):])
			e.Conceal(f[:])
		} else {
			e.Noise(voice.FrameSamples)
		}
		e.drain()
	}
	for i := at; i+len(f) <= len(x); i += len(f) {
		copy(f[:], x[i:])
		e.Play(&f, int64(i), 1, 0)
		e.drain()
	}
	return e
}

// A gap of any length, at any phase of a voice: what is heard makes no larger
// step anywhere than what was said, and the accounts are right.
func TestAGapMakesNoClick(t *testing.T) {
	const frames = 12
	for _, codec := range []bool{true, false} {
		for name, period := range map[string]int{"300 Hz": 160, "200 Hz": 240, "vowel of 110 Hz": 436, "speech": 400} {
			var x []float32
			start := 0
			switch name {
			case "speech":
				x, start = speech(t), 10*voice.SampleRate
			case "vowel of 110 Hz":
				x = vowel(frames*3*voice.FrameSamples, 110, 0.5)
			default:
				x = tone(frames*3*voice.FrameSamples, voice.SampleRate/float64(period), 0.5)
			}
			for shift := 0; shift < 960; shift += 61 {
				for _, n := range []int{1, 2, 3, 5, 10} {
					x := x[start+shift:][:2*frames*voice.FrameSamples]
					at := (frames/2 + shift%7) * voice.FrameSamples
					e := gap(x, at, n, period, codec)
					near := e.out[at-960 : at+(n+2)*960]
					was := jump(x[at-3*960 : at+3*960])
					if codec { // whose sound is simpler here than a codec's
						was = max(was, jump(joined(x[at-960:at], faded(x[:at], at, period)[:n*960])))
					}
					if j := jump(near); j > 1.5*was {
						t.Fatalf("%s from %d, gap of %d frames (codec: %v): a jump of %.4f, the sound has %.4f", name, shift, n, codec, j, was)
					}
					made := 0
					for _, r := range e.runs {
						if r.Of == 0 {
							made += r.Samples
						} else if r.Of != r.Samples {
							t.Fatalf("%+v", r)
						}
					}
					if made < n*960 || made > n*960+600 {
						t.Fatalf("%d samples made up in a gap of %d frames", made, n)
					}
					if samples, of := e.told(); samples != made+of || samples != len(e.out)+e.Ready() {
						t.Fatalf("told of %d samples, %d made up, for %d; %d are heard", samples, made, of, len(e.out)+e.Ready())
					}
				}
			}
		}
	}
}

// Where frames are passed over without a gap, too.
func TestFramesPassedOverMakeNoClick(t *testing.T) {
	x := tone(2*voice.SampleRate, 130, 0.5)
	for skip := 37; skip < 500; skip += 37 {
		e := newEar()
		e.play(x[:voice.SampleRate/960*960], 1, 0)
		var f voice.Frame
		for i := voice.SampleRate + 960 + skip; i+len(f) < len(x); i += len(f) {
			copy(f[:], x[i:])
			e.Play(&f, int64(i), 1, 0)
			e.drain()
		}
		if j, was := jump(e.out), jump(x); j > 1.3*was {
			t.Fatalf("%d samples passed over: a jump of %.4f, the tone has %.4f", skip, j, was)
		}
	}
}

// After a gap in a voice both go on in step: the tone keeps its level through the
// join at every phase, where without that it would vanish at some.
func TestVoicesAreJoinedInStep(t *testing.T) {
	x := tone(4*voice.SampleRate, 200, 0.5)
	for phase := range 12 {
		e := newEar()
		var f voice.Frame
		for i := range 50 {
			copy(f[:], x[i*960:])
			e.Play(&f, int64(i)*960, 1, 0)
			e.drain()
		}
		copy(f[:], x[50*960:])
		e.Conceal(f[:])
		for i := 51; i < 60; i++ {
			copy(f[:], x[i*960+20*phase:])
			e.Play(&f, int64(i)*960, 1, 0)
			e.drain()
		}
		for at := 50 * 960; at < 53*960; at += 60 {
			if r := rootMeanSquare(e.out[at : at+240]); math.Abs(r-0.3536) > 0.03 {
				t.Fatalf("phase %d: at sample %d of the gap the level is %.3f, want 0.354", phase, at-50*960, r)
			}
		}
	}
}
