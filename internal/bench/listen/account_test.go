package listen

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice"
)

const (
	millisecond = time.Millisecond
	frame       = voice.FrameSamples
)

// steady are arrivals that are always so late.
func steady(frames int, late time.Duration) *Arrivals {
	a := &Arrivals{Name: "steady"}
	for k := range frames {
		a.At = append(a.At, time.Duration(k)*voice.FrameTime+late)
	}
	return a
}

// said is so many frames of each class in turn.
func said(frames int, class voice.Class, more ...any) kinds {
	out := kinds(slices.Repeat([]voice.Class{class}, frames*parts))
	for i := 0; i < len(more); i += 2 {
		out = append(out, said(more[i].(int), more[i+1].(voice.Class))...)
	}
	return out
}

// play is runs of output: whole frames from one to before another.
func play(from, to int) []voice.Run {
	var out []voice.Run
	for k := from; k < to; k++ {
		out = append(out, voice.Run{Samples: frame, Media: int64(k) * frame, Of: frame})
	}
	return out
}

func gap(ms int) []voice.Run { return []voice.Run{{Samples: ms * 48}} }

// heard is what began at so many ms.
func heard(start int, runs ...[]voice.Run) *Heard {
	h := &Heard{Start: int64(start) * 48, Runs: slices.Concat(runs...), End: math.MaxInt64}
	return h
}

func figures(h *Heard, a *Arrivals, ks kinds) Figures {
	f, _ := account(h, a, ks)
	return f
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) < 0.006) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestPlayedAsItCame(t *testing.T) {
	f := figures(heard(100, play(0, 20)), steady(20, 0), said(20, voice.Voiced))
	if f.Delay != 100 || f.Concealed != 0 || f.Unplayed != 0 || f.Cut != 0 || f.Stretched != 0 || f.Fastest != 1 || len(f.Recovery) != 0 || f.Violations != 0 {
		t.Errorf("%+v", f)
	}
}

// Concealment counts from the first sound (100 ms) to the last arrival (380
// ms): one frame of 14, not those before and after.
func TestOneFrameOfFourteenConcealed(t *testing.T) {
	h := heard(40, gap(60), play(0, 4), gap(20), play(5, 20), gap(1000))
	f := figures(h, steady(20, 0), said(20, voice.Voiced))
	near(t, "concealed", f.Concealed, 100./14)
	near(t, "unplayed", f.Unplayed, 5)
	near(t, "delay", f.Delay, 100)
	near(t, "speech cut", f.SpeechCut, 5)
}

func TestNothingPlayed(t *testing.T) {
	f := figures(heard(0, gap(500)), steady(10, 0), said(5, voice.Voiced, 5, voice.Pause))
	if f.Concealed != 100 || f.Unplayed != 100 || f.Cut != 0 || f.Delay != 0 {
		t.Errorf("%+v", f)
	}
}

// A frame at half speed: its delay grows from 0 to 20 ms, and those after it
// are 20 ms late: (2·10 + 9·20) / 11.
func TestSlowedToHalf(t *testing.T) {
	h := heard(0, []voice.Run{{Samples: 2 * frame, Media: 0, Of: frame}}, play(1, 10))
	f := figures(h, steady(10, 0), said(10, voice.Voiced))
	near(t, "delay", f.Delay, (2*9.995+9*20)/11)
	near(t, "stretched", f.Stretched, 100*2./11)
	near(t, "slowed", f.Slowed, 10)
	near(t, "concealed", f.Concealed, 0)
}

// What is slower than half speed is concealment, as is what was heard before.
func TestNotReallyReceived(t *testing.T) {
	for name, h := range map[string]*Heard{
		"too slow": heard(0, []voice.Run{{Samples: 3 * frame, Media: 0, Of: frame}}, play(1, 97)),
		"repeated": heard(0, play(0, 2), play(1, 2), play(2, 99)),
		"again":    heard(0, play(0, 10), play(5, 6), play(10, 99)),
	} {
		f := figures(h, steady(100, 0), said(100, voice.Voiced))
		near(t, name, f.Concealed, 100./99) // 99 frames until the last arrives
	}
}

// Four frames in two: double speed, no more; nothing is lost.
func TestSqueezed(t *testing.T) {
	h := heard(200, play(0, 10), []voice.Run{{Samples: 2 * frame, Media: 10 * frame, Of: 4 * frame}}, play(14, 40))
	f := figures(h, steady(40, 0), said(40, voice.Voiced))
	near(t, "squeezed", f.Squeezed, 10)
	near(t, "stretched", f.Stretched, 100*2./38)
	near(t, "fastest", f.Fastest, (80+60)/100.)
	near(t, "unplayed", f.Unplayed+f.SpeechCut, 0)
	near(t, "delay", f.Delay, (10*200+2*180+26*160)/38.)
	f = figures(h, steady(40, 0), said(40, voice.Unvoiced))
	near(t, "voiced of none", f.Squeezed+f.Fastest, 0)
	near(t, "stretched", f.Stretched, 100*2./38)
}

// Four frames in one are two that were heard and two that were not.
func TestSqueezedBeyondDouble(t *testing.T) {
	h := heard(200, play(0, 10), []voice.Run{{Samples: frame, Media: 10 * frame, Of: 4 * frame}}, play(14, 40))
	f := figures(h, steady(40, 0), said(40, voice.Voiced))
	near(t, "unplayed", f.Unplayed, 5)
}

// Exactly half of a frame is enough; one sample less is not.
func TestHalfAFrame(t *testing.T) {
	for of, want := range map[int]float64{480: 0, 479: 10} {
		h := heard(0, play(0, 3), []voice.Run{{Samples: of, Media: 3 * frame, Of: of}}, play(4, 10))
		f := figures(h, steady(10, 0), said(10, voice.Unvoiced))
		near(t, "unplayed", f.Unplayed, want)
		near(t, "speech cut", f.SpeechCut, 100*float64(960-of)/9600)
	}
}

func TestPauses(t *testing.T) {
	cut := func(ms int) []voice.Run { // what is played of a pause from frame 10 to 20
		return []voice.Run{{Samples: ms * 48, Media: 10 * frame, Of: ms * 48}}
	}
	for _, c := range []struct {
		name       string
		runs       []voice.Run
		cut        float64 // ms
		violations int
	}{
		{"whole", play(10, 20), 0, 0},
		{"cut to 60 ms", cut(60), 140, 0},
		{"cut to 50 ms", cut(50), 150, 1},
		{"cut away", nil, 200, 1},
		{"cut to 40 ms and noise", slices.Concat(cut(40), gap(20)), 160, 0},
		{"lost and made up", gap(200), 200, 0},
		{"cut to 70 ms and squeezed to 35", []voice.Run{{Samples: 35 * 48, Media: 10 * frame, Of: 70 * 48}}, 130, 1},
		{"squeezed to 100 ms", []voice.Run{{Samples: 100 * 48, Media: 10 * frame, Of: 200 * 48}}, 0, 0},
	} {
		f := figures(heard(400, play(0, 10), c.runs, play(20, 50)), steady(50, 0), said(10, voice.Voiced, 10, voice.Pause, 30, voice.Unvoiced))
		if f.Violations != c.violations || f.Unplayed != 0 {
			t.Errorf("%s: %d violations, %v %% unplayed", c.name, f.Violations, f.Unplayed)
		}
		near(t, c.name, f.Cut, 100*c.cut/1000)
	}
	// A pause of 40 ms is not to be cut at all; to be squeezed it may.
	for want, runs := range [][]voice.Run{{{Samples: frame, Media: 10 * frame, Of: 2 * frame}}, {{Samples: frame, Media: 10 * frame, Of: frame}}} {
		f := figures(heard(400, play(0, 10), runs, play(12, 50)), steady(50, 0), said(10, voice.Voiced, 2, voice.Pause, 38, voice.Unvoiced))
		if f.Violations != want {
			t.Errorf("a short pause: %d violations, want %d", f.Violations, want)
		}
	}
	f := figures(heard(400, play(0, 10), gap(40), play(12, 50)), steady(50, 0), said(10, voice.Voiced, 2, voice.Pause, 38, voice.Unvoiced))
	if f.Violations != 0 {
		t.Error("a short pause that was made up is one that was cut")
	}
	// The pauses before the first and after the last word are nobody's.
	f = figures(heard(0, play(5, 17)), steady(20, 0), said(10, voice.Pause, 5, voice.Voiced, 5, voice.Pause))
	if f.Violations != 0 {
		t.Error("a pause at an end was cut short")
	}
	near(t, "cut of what was played", f.Cut, 100*5./17)
}

// Two seconds of 100 ms, a stall of 1020 ms, then 25 % faster: 850 ms too much
// take 3.4 s.
func TestRecovery(t *testing.T) {
	a := steady(600, 0)
	for k := 100; k < 150; k++ {
		a.At[k] = 3000 * millisecond
	}
	var fast []voice.Run
	for k := 100; k < 400; k++ {
		fast = append(fast, voice.Run{Samples: frame * 4 / 5, Media: int64(k) * frame, Of: frame})
	}
	all := said(600, voice.Voiced)
	slow := []voice.Run{{Samples: 240 * 48, Media: 94 * frame, Of: 120 * 48}} // in the stall, which is no delay before it
	f := figures(heard(100, play(0, 94), slow, gap(780), fast), a, all)
	if len(f.Recovery) != 1 || f.Recovery[0] == nil {
		t.Fatalf("recoveries: %v", f.Recovery)
	}
	near(t, "recovery", *f.Recovery[0], 3400)
	near(t, "fastest", f.Fastest, 1.25)
	near(t, "squeezed", f.Squeezed, 75)
	near(t, "slowed", f.Slowed, 100*6./400)
	f = figures(heard(100, play(0, 100), gap(900), play(100, 600)), a, all)
	if len(f.Recovery) != 1 || f.Recovery[0] != nil {
		t.Errorf("without hurry: %v", f.Recovery)
	}
	f = figures(heard(1100, play(0, 600)), a, all)
	if len(f.Recovery) != 1 || *f.Recovery[0] != 0 {
		t.Errorf("never out of step: %v", *f.Recovery[0])
	}
	for k := 100; k < 150; k++ { // 319 ms between two arrivals is no stall, 320 is
		a.At[k] = max(time.Duration(k)*20*millisecond, 2299*millisecond)
	}
	if f = figures(heard(100, play(0, 600)), a, all); len(f.Recovery) != 0 {
		t.Error("319 ms are a stall")
	}
}

// Five seconds after the last arrival nobody listens any more.
func TestTheEncore(t *testing.T) {
	a := steady(10, 0)
	f := figures(heard(0, gap(5180-40), play(0, 10)), a, said(10, voice.Voiced))
	near(t, "unplayed", f.Unplayed, 80)
	near(t, "delay", f.Delay, 5140)
	f = figures(heard(0, gap(5180-10), play(0, 10)), a, said(10, voice.Voiced))
	near(t, "unplayed", f.Unplayed, 90)
	near(t, "speech cut", f.SpeechCut, 95)
}

// At 250 ms X = 1.3219, and Idd = 25·(1.36032 - 3·1.00122 + 2); up to 100 ms it
// is 0. 5 % of loss cost (95 - 18.1)·5/23.7.
func TestR(t *testing.T) {
	near(t, "the best", R(-50, 0), 129-18.1)
	near(t, "losses", R(-50, 5), 129-18.1-76.9*5/23.7)
	near(t, "250 ms", R(-50, 0)-R(100, 0), 8.917)
	if R(100, 0) <= R(200, 0) || R(850, 0) < 40 {
		t.Errorf("%v, %v, %v", R(100, 0), R(200, 0), R(850, 0))
	}
}
