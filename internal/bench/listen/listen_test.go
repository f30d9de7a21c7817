package listen

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/jitter"
	"github.com/sottovoce/sotto/voice"
)

// someone says vowels of 0.8 s, each higher than the last, and is silent for 0.4 s after each.
func someone(seconds float64) *voice.Clip {
	x := make([]float32, int(seconds*voice.SampleRate))
	phase := 0.0
	for i := range x {
		t := float64(i) / voice.SampleRate
		word, at := math.Modf(t / 1.2)
		phase += (110 + 7*math.Mod(word, 5)) / voice.SampleRate
		if at *= 1.2; at < 0.8 {
			swell := math.Sin(math.Pi * at / 0.8)
			for h := 1.0; h < 20; h++ {
				x[i] += float32(0.15 * swell / h * math.Sin(2*math.Pi*h*phase))
			}
		}
	}
	return &voice.Clip{Samples: x}
}

func listen(t *testing.T, c *Config) *Report {
	t.Helper()
	if c.Speech == nil {
		c.Speech = someone(7)
	}
	r, err := Run(context.Background(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheDetectorHearsTheOriginal(t *testing.T) {
	s, err := newSpeech(someone(7).Samples, 500)
	if err != nil {
		t.Fatal(err)
	}
	spoken, voiced := 0, 0
	for k := range 500 {
		if s.kinds.speech(k) {
			spoken++
		}
		if s.kinds.voiced(k) {
			voiced++
		}
	}
	if spoken < 300 || spoken > 420 || voiced < 200 || voiced > spoken {
		t.Errorf("of 500 frames, 333 of them in words, %d are speech, %d voiced", spoken, voiced)
	}
	if _, err := newSpeech(make([]float32, 48000), 50); err == nil {
		t.Error("silence passed for speech")
	}
}

// What the figures say of the delay is what is on the tape.
func TestTheDelayIsOnTheTape(t *testing.T) {
	c := &Config{Arrivals: []Arrivals{*steady(500, 0)}, Speech: someone(10), Buffers: []string{Sotto}, Sound: t.TempDir()}
	r := listen(t, c)
	f := r.Traces[0]
	if f.Delay < ms(phase) || f.Delay > 400 || f.Concealed > 2 || f.Unplayed > 0 {
		t.Errorf("nothing is late, and yet: %+v", f)
	}
	read := func(name string) []float32 {
		clip, err := voice.OpenWAV(filepath.Join(c.Sound, name))
		if err != nil {
			t.Fatal(err)
		}
		return clip.Samples
	}
	const from, to = 5 * voice.SampleRate, 9 * voice.SampleRate
	match := voice.Compare(read("original.wav")[from:to], read("steady-sotto.wav")[from:to])
	delays := slices.Clone(r.views[0].playout[250:450])
	slices.Sort(delays)
	lag := ms(match.Lag+phase) - 6.5 // the codec's
	if math.Abs(lag-delays[100]) > 4 || match.Envelope < 0.9 {
		t.Errorf("figures say %v ms, the tape %v (resembling by %v)", delays[100], lag, match.Envelope)
	}
}

// A hole of ten frames in a word, drift, a stall: what each must be whatever the
// ear decides.
func TestTheEar(t *testing.T) {
	hole, drift, stalled := steady(500, 0), steady(500, 0), steady(500, 0)
	for k := range 500 {
		if k >= 310 && k < 320 {
			hole.At[k] = Never
		}
		drift.At[k] += time.Duration(k) * 4 * time.Microsecond // 200 ppm
		if k >= 250 && k < 300 {
			stalled.At[k] = 6 * time.Second
		}
	}
	r := listen(t, &Config{Arrivals: []Arrivals{*hole, *drift, *stalled}, Buffers: []string{Sotto, "fixed:100"}})
	if f := r.Traces[0]; f.Unplayed < 2 || f.Concealed < 1 {
		t.Errorf("a hole: %+v", f)
	}
	if f := r.Traces[1]; f.Concealed > 2 || f.Unplayed > 0 || f.Delay > 400 {
		t.Errorf("drift: %+v", f)
	}
	if f := r.Traces[2]; len(f.Recovery) != 1 || f.Concealed < 3 {
		t.Errorf("a stall of a second: %+v", f)
	}
	// From 100 ms to 9980; of the stalled frames those sent until 5.88 s are late.
	for i, want := range []float64{100 * 10. / 494, 0, 100 * 45. / 494} {
		if f := r.Traces[3+i]; f.Delay != 100 || math.Abs(f.Concealed-want) > 0.01 {
			t.Errorf("fixed, %d: %+v", i, f)
		}
	}
}

// Nothing is heard before it came, however it is asked.
func TestNothingIsHeardBeforeItCame(t *testing.T) {
	a := steady(300, 0)
	for k := range a.At {
		a.At[k] = max(a.At[k], a.At[k/25*25]+time.Duration(k%7)*30*millisecond)
		if k >= 200 && k < 240 {
			a.At[k] = 4800 * millisecond
		}
	}
	s, err := newSpeech(someone(6).Samples, 300)
	if err != nil {
		t.Fatal(err)
	}
	h, err := (&Config{}).ear(a, s)
	if err != nil {
		t.Fatal(err)
	}
	played := 0
	for _, p := range h.pieces(math.MaxInt64, 300*frame) {
		if p.of > 0 {
			played++
			if last := (p.media + p.of - 1) / frame; p.at < samples(a.At[last]) {
				t.Errorf("frame %d came at %v and is heard at %d ms", last, a.At[last], p.at/48)
			}
		}
	}
	if played < 200 {
		t.Errorf("%d pieces", played)
	}
}

func TestLimitsAreHeld(t *testing.T) {
	c := &Config{Arrivals: []Arrivals{*steady(500, 0)}, Buffers: []string{Sotto}}
	before := listen(t, c).Traces[0].Delay
	c.Jitter = jitter.Config{Min: 600 * millisecond, Max: 700 * millisecond}
	if after := listen(t, c).Traces[0].Delay; after < before+200 {
		t.Errorf("%v ms, and %v with a least delay of 600", before, after)
	}
}

func TestTheSameOnAnyProcessors(t *testing.T) {
	late := steady(200, 0)
	for k := range late.At {
		late.At[k] = max(late.At[k], late.At[k/40*40]+300*millisecond)
	}
	run := func() *Report {
		r := listen(t, &Config{Arrivals: []Arrivals{*late, *steady(150, 0)}, Buffers: []string{All}})
		s := r.Summary[Sotto]
		s.Cost = nil
		r.Summary[Sotto] = s
		for i := range r.views {
			r.views[i] = view{}
		}
		return r
	}
	one := run()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if two := run(); !reflect.DeepEqual(one, two) {
		t.Error("it depends on the number of processors, or on chance")
	}
	if len(one.Traces) != 2*len(several) || one.Traces[2].Buffer != several[1] || one.Traces[3].Trace != "steady" {
		t.Errorf("order: %+v", one.Traces)
	}
}

func TestBuffersAreNamed(t *testing.T) {
	for names, want := range map[string]int{"sotto": 1, "all": 5, "all,sotto,fixed:300,fixed:1": 6, "ramjee,ramjee": 1} {
		c := Config{Buffers: strings.Split(names, ",")}
		if got, err := c.parse(); err != nil || len(got) != want {
			t.Errorf("%s: %d buffers, %v", names, len(got), err)
		}
	}
	for _, name := range []string{"", "fixed", "fixed:", "fixed:-1", "fixed:60001", "fixed:1e3", "neteq"} {
		c := Config{Buffers: []string{name}}
		if _, err := c.parse(); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
}

func TestExplanations(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "why")
	listen(t, &Config{Arrivals: []Arrivals{*steady(100, 0)}, Buffers: []string{Sotto}, Explain: dir})
	text, err := os.ReadFile(filepath.Join(dir, "steady.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(rows) < 90 || rows[0]+"\n" != explained {
		t.Fatalf("%d rows, the first %s", len(rows), rows[0])
	}
	for _, row := range rows {
		if strings.Count(row, ",") != strings.Count(explained, ",") {
			t.Fatal(row)
		}
	}
	if n := strings.Count(string(text), ",play,"); n != 100 {
		t.Errorf("%d of 100 frames were played", n)
	}
}

func TestAFolderThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{{Sound: filepath.Join(file, "x")}, {Explain: filepath.Join(file, "x")}} {
		c.Arrivals, c.Buffers, c.Speech = []Arrivals{*steady(20, 0)}, []string{Sotto}, someone(2)
		if _, err := Run(context.Background(), &c, nil); err == nil {
			t.Error("a folder below a file")
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := Config{Arrivals: []Arrivals{*steady(20, 0)}, Buffers: []string{Sotto}, Speech: someone(2)}
	if _, err := Run(ctx, &c, nil); err == nil {
		t.Error("a report of nothing")
	}
}
