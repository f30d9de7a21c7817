package clean

import (
	"fmt"
	"math"
	"testing"

	"github.com/sottovoce/sotto/voice"
)

// TestGainSettles wants weak, loud and right speech at the target within 2 s.
func TestGainSettles(t *testing.T) {
	for _, dbfs := range []float64{-46, -36, -26, Target, -12, -6} {
		t.Run(fmt.Sprintf("%.0f dBFS", dbfs), func(t *testing.T) {
			own := scale(near(t), dbfs+26)
			out := cleaned(t, Config{NoEcho: true, NoNoise: true}, own, nil)
			for at := 2 * second; at+5*second <= len(out); at += 5 * second {
				got := level(out[at : at+5*second])
				// The speaker is not as loud all the time: that is to stay so.
				want := Target + level(own[at:at+5*second]) - level(own)
				if math.Abs(got-want) > 2 {
					t.Errorf("from %d s on %.1f dBFS, want %.1f", at/second, got, want)
				}
			}
			if got := level(out[2*second:]); math.Abs(got-Target) > 2 {
				t.Errorf("%.1f dBFS after 2 s, want %.0f", got, Target)
			}
			for _, s := range out {
				if s > 1 || s < -1 {
					t.Fatal("full scale is passed")
				}
			}
		})
	}
}

// TestPausesAreNotPumped follows weak speech by a minute of what the room
// sounds like: it must not become louder than it was between the words.
func TestPausesAreNotPumped(t *testing.T) {
	own := append(scale(near(t), -10)[:6*second], make([]float32, 60*second)...)
	own = add(own, hiss(len(own), -62))
	out := cleaned(t, Config{NoEcho: true, NoNoise: true}, own, nil)
	first, last := dbfs(out[8*second:10*second]), dbfs(out[64*second:])
	t.Logf("the background has %.1f dBFS first, %.1f in the end", first, last)
	if math.Abs(last-first) > 1 {
		t.Error("the background is pumped")
	}
	// Without a word nothing happens at all.
	out = cleaned(t, Config{NoEcho: true, NoNoise: true}, own[10*second:], nil)
	if was, is := dbfs(own[10*second:]), dbfs(out); math.Abs(was-is) > 0.5 {
		t.Errorf("a background of %.1f dBFS alone becomes one of %.1f", was, is)
	}
}

// TestEchoDoesNotRaiseTheGain: what is left of the far side's words is none of
// this side's.
func TestEchoDoesNotRaiseTheGain(t *testing.T) {
	spoken := far(t)[:20*second]
	mic := add(newRoom(4, 50*ms, 300*ms, 6).play(spoken), hiss(20*second, -70))
	loud := dbfs(cleaned(t, Config{}, mic, spoken)[5*second:])
	plain := dbfs(cleaned(t, Config{NoGain: true}, mic, spoken)[5*second:])
	t.Logf("echo and background %.1f dBFS with gain, %.1f without", loud, plain)
	if loud > plain+3 {
		t.Error("the gain has gone up for the echo")
	}
}

// TestNoise wants noise 10 dB down, in pauses and under words, and speech as it
// is: alone, and with noise.
func TestNoise(t *testing.T) {
	own := near(t)[:12*second]
	const delay = step
	alone := Config{NoEcho: true, NoGain: true}

	fan := hiss(6*second, -46)
	out := cleaned(t, alone, fan, nil)
	down := dbfs(fan[2*second:]) - dbfs(out[2*second:])
	t.Logf("noise alone %.1f dB down", down)
	if down < 10 {
		t.Error("the noise is not 10 dB down")
	}

	out = cleaned(t, alone, own, nil)[delay:]
	like, louder, _ := kept(own[:len(out)], out)
	match := voice.Compare(own, out)
	t.Logf("clean speech: correlation %.3f, level %+.2f dB, envelope %.4f", like, louder, match.Envelope)
	if like < 0.99 || math.Abs(louder) > 1 || match.Envelope < 0.995 {
		t.Error("clean speech is worse")
	}

	for _, snr := range []float64{20, 10} {
		mixed := add(own, hiss(len(own), -26-snr))
		out := cleaned(t, alone, mixed, nil)[delay:]
		before, after := ratio(own, mixed), ratio(own, out)
		t.Logf("with noise %.0f dB below speech: signal to noise %.1f dB before, %.1f dB after", snr, before, after)
		if after < before+1 {
			t.Errorf("speech in noise is not better: %.1f dB, was %.1f", after, before)
		}
	}
}

// ratio is what of x is own, to what is not, in dB, after 2 s.
func ratio(own, x []float32) float64 {
	var ab, aa, bb float64
	for i := 2 * second; i < min(len(own), len(x)); i++ {
		ab += float64(own[i] * x[i])
		aa += float64(own[i] * own[i])
		bb += float64(x[i] * x[i])
	}
	signal := ab * ab / aa
	return 10 * math.Log10(signal/(bb-signal))
}

func TestEverythingOffChangesNothing(t *testing.T) {
	own := near(t)[:second]
	c := Config{NoEcho: true, NoNoise: true, NoGain: true}
	for i, v := range cleaned(t, c, own, far(t)) {
		if v != own[i] {
			t.Fatalf("sample %d is %v, was %v", i, v, own[i])
		}
	}
}

func TestDelay(t *testing.T) {
	for _, c := range []Config{{}, {NoEcho: true}, {NoNoise: true}, {NoEcho: true, NoNoise: true}} {
		c.NoGain = true
		cl, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		own := near(t)[:4*second]
		lag := voice.Compare(own, cleaned(t, c, own, nil)).Lag
		if d := lag - cl.Delay(); d < -ms || d > ms {
			t.Errorf("%+v: %v late, said to be %v", c, lag, cl.Delay())
		}
		cl.Close()
	}
}

func TestNothingIsAllocated(t *testing.T) {
	cl, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	f, played := voice.Frame(near(t)), voice.Frame(far(t)[second:])
	if n := testing.AllocsPerRun(200, func() { cl.Clean(&f, &played) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkClean(b *testing.B) {
	cl, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	own, spoken := near(b), far(b)
	b.ReportAllocs()
	at := 0
	for b.Loop() {
		at = (at + voice.FrameSamples) % (10 * second)
		f, played := voice.Frame(own[at:]), voice.Frame(spoken[at:])
		cl.Clean(&f, &played)
	}
}
