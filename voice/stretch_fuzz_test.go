package voice_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// FuzzStretch reads calls from bytes, two each, and checks that the accounts hold
// whatever is called.
func FuzzStretch(f *testing.F) {
	f.Add([]byte("\x00\x00\x01\x20\x02\x80\x03\x05\x04\x00\x05\xff\x06\x10"), uint64(1))
	f.Add([]byte("\x01\xff\x01\xff\x01\xff\x01\xff\x01\xff\x08\x00\x01\xff\x01\xff\x01\xff\x01\xff"), uint64(2))
	f.Add([]byte("\x02\x00\x02\x00\x02\x00\x02\x00\x02\x00\x02\x00\x02\x00\x02\x00"), uint64(3))
	sound := joined(vowel(voice.SampleRate, 120, 0.5), whiteNoise(voice.SampleRate, 0.01), make([]float32, voice.SampleRate), tone(voice.SampleRate/2, 333, 0.9))
	f.Fuzz(func(t *testing.T, calls []byte, where uint64) {
		calls = calls[:min(len(calls), 4000)]
		var s voice.Stretch
		told, after := 0, int64(0)
		s.Heard = func(r voice.Run) {
			switch {
			case r.Samples <= 0, r.Of < 0, r.Of == 0 && r.Media != 0,
				r.Of > 0 && (r.Of > 2*r.Samples || r.Samples > 2*r.Of):
				t.Fatalf("%+v", r)
			case r.Of > 0 && r.Media < after:
				t.Fatalf("%+v, but samples to %d were heard", r, after)
			}
			told += r.Samples
			after = max(after, r.Media+int64(r.Of))
		}
		var frame voice.Frame
		media, at, read := int64(0), int(where%uint64(len(sound)-960)), 0
		for ; len(calls) >= 2; calls = calls[2:] {
			how := float64(calls[1])
			speed, surplus := float32(0.4+how/140), time.Duration(0)
			switch calls[0] % 10 {
			case 0, 1:
				surplus = time.Duration(how-100) * 5 * time.Millisecond
			case 2:
				speed = 1
			case 3:
				speed, surplus = float32(math.NaN()), math.MaxInt64
			case 4:
				speed, surplus = float32(math.Inf(int(how)-100)), math.MinInt64
			case 5:
				media += int64(how)
			case 6:
				s.Conceal(frame[:])
				continue
			case 7:
				s.Noise(voice.FrameSamples)
				continue
			case 8:
				s.Flush()
				if s.Held() != 0 {
					t.Fatal("held after a flush")
				}
				continue
			case 9:
				for range int(how) % 8 {
					read += min(s.Ready(), len(frame))
					s.Read(frame[:])
					for _, x := range frame {
						if !(x > -1.5 && x < 1.5) {
							t.Fatalf("a sample of %v", x)
						}
					}
				}
				continue
			}
			at = (at + 960) % (len(sound) - 960)
			copy(frame[:], sound[at:])
			s.Play(&frame, media, speed, surplus)
			media += 960
			if s.Held() > voice.SampleRate*30/1000 || s.Ready() > voice.SampleRate/3 {
				t.Fatalf("%d held, %d ready", s.Held(), s.Ready())
			}
			if told != read+s.Ready() {
				t.Fatalf("told of %d samples, %d are or were ready", told, read+s.Ready())
			}
		}
	})
}

// Nobody reads: what fits is kept, the rest is passed over, and when there is room
// again all goes on.
func TestWhatIsNeverReadIsPassedOver(t *testing.T) {
	x := speech(t)
	for _, speed := range []float32{0.5, 1, 2} {
		e := newEar()
		var f voice.Frame
		for i := range 100 {
			copy(f[:], x[i*960:])
			e.Play(&f, int64(i)*960, speed, -time.Second)
			e.Conceal(f[:])
			if e.Ready() > voice.SampleRate/3 {
				t.Fatalf("%d samples are ready", e.Ready())
			}
		}
		e.Flush()
		if samples, _ := e.told(); samples != e.Ready() {
			t.Errorf("speed %g: told of %d samples, %d are ready", speed, samples, e.Ready())
		}
		e.drain()
		e.play(x[:100*960], 1, 0)
		if !slices.Equal(e.out[len(e.out)-50*960:], x[50*960:100*960]) {
			t.Errorf("speed %g: sound does not pass afterwards", speed)
		}
	}
}

func TestNothingIsAllocatedInAnyCall(t *testing.T) {
	x := mix(speech(t), whiteNoise(len(speech(t)), 1e-4))
	var s voice.Stretch
	var f voice.Frame
	heard := 0
	s.Heard = func(r voice.Run) { heard += r.Samples }
	i := 0
	if n := testing.AllocsPerRun(900, func() {
		copy(f[:], x[i*960:])
		speed := []float32{1, 1.5, 0.7, 2}[i/100%4]
		s.Play(&f, int64(i)*960, speed, time.Duration(i%300-150)*time.Millisecond)
		if i%50 == 0 {
			s.Conceal(f[:])
			s.Noise(voice.FrameSamples)
			s.Flush()
		}
		for s.Ready() >= len(f) {
			s.Read(f[:])
		}
		i++
	}); n != 0 || heard < 500*960 {
		t.Errorf("%v allocations a frame, %d samples heard", n, heard)
	}
}

func benchmarkStretch(b *testing.B, speed float32, surplus time.Duration) {
	x := speech(b)
	s := new(voice.Stretch)
	var f voice.Frame
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		copy(f[:], x[i%(len(x)-960):])
		s.Play(&f, int64(i), speed, surplus)
		for s.Ready() >= len(f) {
			s.Read(f[:])
		}
		i += 960
	}
}

func BenchmarkStretchAsItCame(b *testing.B) { benchmarkStretch(b, 1, 0) }
func BenchmarkStretchAt13(b *testing.B)     { benchmarkStretch(b, 1.3, 0) }
func BenchmarkStretchAt15(b *testing.B)     { benchmarkStretch(b, 1.5, time.Second) }
func BenchmarkStretchAt08(b *testing.B)     { benchmarkStretch(b, 0.8, -time.Second) }

func BenchmarkConceal(b *testing.B) {
	x := speech(b)
	s := new(voice.Stretch)
	var f voice.Frame
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		copy(f[:], x[i%(len(x)-960):])
		s.Play(&f, int64(i), 1, 0)
		s.Conceal(f[:])
		for s.Ready() >= len(f) {
			s.Read(f[:])
		}
		i += 960
	}
}
