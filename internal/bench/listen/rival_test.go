package listen

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// late are arrivals that are so many ms late, frame by frame.
func late(ms ...int) *Arrivals {
	a := &Arrivals{Name: "late"}
	for k, d := range ms {
		a.At = append(a.At, time.Duration(20*k+d)*millisecond)
	}
	return a
}

func TestFixed(t *testing.T) {
	a := late(0, 50, 100, 101, 30, 0, 100, 500, 40, 0)
	a.At[5] = Never
	h := fixed(a, 100*millisecond)
	f := figures(&h, a, said(10, voice.Voiced))
	near(t, "delay", f.Delay, 100)
	near(t, "unplayed", f.Unplayed, 30) // of 3, 5 and 7
	near(t, "fastest", f.Fastest, 0)    // no five on end
	// From 100 ms to the last arrival at 640 all ten frames are due (300 ms), so 3 of 10.
	near(t, "concealed", f.Concealed, 30)
	h = fixed(steady(50, 40*millisecond), 40*millisecond)
	f = figures(&h, steady(50, 40*millisecond), said(50, voice.Voiced))
	if f.Delay != 40 || f.Concealed != 0 || f.Unplayed != 0 {
		t.Errorf("just in time: %+v", f)
	}
}

// The delay is 40 ms, then 60. The second talk spurt begins at frame 10, when
// ten updates have been made: mean 40 + 20·(1-g¹⁰), spread 10·(1-g)·20·g¹⁰, in
// all 41.96, of which 41 ms are taken. What came 60 ms late is late.
func TestRamjee(t *testing.T) {
	delays := slices.Concat(slices.Repeat([]int{40}, 1), slices.Repeat([]int{60}, 9), slices.Repeat([]int{41}, 20))
	delays[10] = 60
	a := late(delays...)
	ks := said(5, voice.Voiced, 5, voice.Pause, 20, voice.Unvoiced)
	h := ramjee(a, ks)
	f := figures(&h, a, ks)
	near(t, "delay", f.Delay, (1*40+19*41)/20.)
	near(t, "unplayed", f.Unplayed, 100*(4+1)/25.)
	near(t, "cut", f.Cut, 100*5./30) // 5 frames of pause that came too late
	if h.Start != 40*48 || h.End != (30*20+41)*48 {
		t.Errorf("from %d to %d", h.Start, h.End)
	}
	// From 40 ms to 621 ms: 10 frames made up and 1 ms of waiting.
	near(t, "concealed", f.Concealed, 100*(10*20+1)/581.)
}

// When the delay falls the end of a pause is cut. After 1499 updates with 0 the
// mean is 90·g¹⁴⁹⁹ and the spread 1499·(1-g)·90·g¹⁴⁹⁹, in all 58.2 ms.
func TestRamjeeCutsPauses(t *testing.T) {
	delays := slices.Repeat([]int{0}, 1520)
	for k := range 10 {
		delays[k] = 90
	}
	a := late(delays...)
	ks := said(1500, voice.Voiced, 8, voice.Pause, 12, voice.Voiced)
	h := ramjee(a, ks)
	f := figures(&h, a, ks)
	g := math.Pow(ramjeeGain, 1499)
	wait := math.Floor(90 * g * (1 + 4*1499*(1-ramjeeGain)))
	near(t, "cut", f.Cut, 100*(90-wait)/(1520*20))
	near(t, "delay", f.Delay, (90*(1508*20-(90-wait))+wait*12*20)/(1520*20-(90-wait)))
	if f.Unplayed != 0 || f.SpeechCut != 0 || f.Concealed != 0 || f.Violations != 0 {
		t.Errorf("%+v", f)
	}
}

// A spike is followed up and down; when it flattens out the mean is where it was.
func TestRamjeeSpike(t *testing.T) {
	var e estimate
	for i, c := range []struct {
		n, mean float64
		spike   bool
	}{
		{40, 40, false},
		{500, 500, true},
		{400, 400, true}, // slope 32.5
		{300, 300, true}, // 16.25 + 37.5
		{200, 200, true}, // 26.9 + 37.5
		{100, 100, true}, // 32.2 + 37.5
		{40, 40, true},   // 34.8 + 27.5
		{40, 40, true},   // 31.2 + 7.5
		{40, 40, true},   // 19.3
		{40, 40, true},   // 9.7
		{40, 40, false},  // 4.8
		{90, 40 + 50*(1-ramjeeGain), false},
	} {
		e.add(c.n)
		if math.Abs(e.mean-c.mean) > 1e-9 || e.spike != c.spike {
			t.Errorf("step %d: mean %v, spike %v", i, e.mean, e.spike)
		}
	}
}
