package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/internal/bench/listen"
	"github.com/sottovoce/sotto/voice"
)

// words writes a WAV of vowels with pauses between them.
func words(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "words.wav")
	w, err := voice.CreateWAV(path)
	if err != nil {
		t.Fatal(err)
	}
	for k := range 250 {
		var f voice.Frame
		for i := range f {
			if at := float64(k*len(f)+i) / voice.SampleRate; math.Mod(at, 1) < 0.7 {
				for h := 1.0; h < 15; h++ {
					f[i] += float32(0.1 / h * math.Sin(2*math.Pi*120*h*at))
				}
			}
		}
		if err := w.WriteFrame(&f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// recorded writes traces of 6 s: one smooth, one that stands still for a second.
func recorded(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, stall := range map[string]int{"smooth": 0, "stalled": 1000} {
		text := "sent_ms,arrived_ms\n"
		for k := range 300 {
			arrived := 20*k + 7*(k%3)
			if k >= 150 && arrived < 3000+stall {
				arrived = 3000 + stall
			}
			text += fmt.Sprintf("%d,%d\n", 20*k, arrived)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func playoutOf(t *testing.T, args ...string) string {
	t.Helper()
	cmd := playoutCommand()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&bytes.Buffer{})
	cmd.SetArgs(args)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// agreed is the shape that others read; more keys may come.
type agreed struct {
	Summary map[string]struct {
		Delay     struct{ Mean, Median *float64 } `json:"delay_ms"`
		Concealed struct{ Mean, Median *float64 } `json:"concealed_pct"`
		Unplayed  struct{ Mean, Max *float64 }    `json:"unplayed_pct"`
		Push      *float64                        `json:"push_ns"`
		Pop       *float64                        `json:"pop_ns"`
	} `json:"summary"`
	Traces []struct {
		Trace     string      `json:"trace"`
		Buffer    string      `json:"buffer"`
		Delay     *float64    `json:"delay_ms"`
		Concealed *float64    `json:"concealed_pct"`
		Unplayed  *float64    `json:"unplayed_pct"`
		Cut       *float64    `json:"cut_pct"`
		Stretched *float64    `json:"stretched_pct"`
		Recovery  *[]*float64 `json:"recovery_ms"`
		R         *float64    `json:"r"`
	} `json:"traces"`
	Reference *struct {
		Traces int `json:"traces"`
	} `json:"reference"`
}

func TestPlayout(t *testing.T) {
	dir := t.TempDir()
	reference := filepath.Join(dir, "reference.csv")
	text := "trace,neteq_delay_ms,neteq_concealed_pct,speexdsp_delay_ms,speexdsp_unplayed_pct,offline_delay_ms,offline_late_pct\n" +
		"smooth,100,1,100,1,50,0\nstalled,300,2,100,1,50,0\n"
	if err := os.WriteFile(reference, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	page, sound, why := filepath.Join(dir, "page.html"), filepath.Join(dir, "sound"), filepath.Join(dir, "why")
	out := playoutOf(t, "--traces", recorded(t), "--speech", words(t), "--buffer", "sotto,fixed:300", "--reference", reference,
		"--json", "--html", page, "--wav", sound, "--explain", why, "--max-delay", "900")
	var got agreed
	d := json.NewDecoder(strings.NewReader(out))
	if err := d.Decode(&got); err != nil || d.More() {
		t.Fatalf("not one object: %v", err)
	}
	if got.Reference == nil || got.Reference.Traces != 2 || len(got.Summary) != 2 || len(got.Traces) != 4 {
		t.Fatalf("%s", out)
	}
	s := got.Summary["sotto"]
	for i, v := range []*float64{s.Delay.Mean, s.Delay.Median, s.Concealed.Mean, s.Concealed.Median, s.Unplayed.Mean, s.Unplayed.Max, s.Push, s.Pop} {
		if v == nil || *v < 0 || i < 2 && *v < 10 {
			t.Errorf("summary: figure %d is not there: %s", i, out)
		}
	}
	for i, f := range got.Traces {
		for k, v := range []*float64{f.Delay, f.Concealed, f.Unplayed, f.Cut, f.Stretched, f.R} {
			if v == nil {
				t.Errorf("%s: figure %d is not there", f.Trace, k)
			}
		}
		if f.Recovery == nil || len(*f.Recovery) != i%2 {
			t.Errorf("%s under %s: recoveries %v", f.Trace, f.Buffer, f.Recovery)
		}
	}
	if f := got.Traces[2]; f.Trace != "smooth" || f.Buffer != "fixed:300" || *f.Delay != 300 || *f.Concealed != 0 || *f.Unplayed != 0 {
		t.Errorf("%+v", f)
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", `class="conceal"`, `class="net"`, `class="target"`, `class="s1"`, "stalled", "light-dark("} {
		if !strings.Contains(string(html), want) {
			t.Errorf("the page has no %s", want)
		}
	}
	for _, bad := range []string{"http", "NaN", "ZgotmplZ"} {
		if strings.Contains(string(html), bad) {
			t.Errorf("the page has %s in it", bad)
		}
	}
	for _, file := range []string{sound + "/original.wav", sound + "/smooth-sotto.wav", sound + "/stalled-sotto.wav", why + "/smooth.csv", why + "/stalled.csv"} {
		if info, err := os.Stat(file); err != nil || info.Size() < 1000 {
			t.Errorf("%s: %v", file, err)
		}
	}
	clip, err := voice.OpenWAV(sound + "/stalled-sotto.wav")
	if err != nil || clip.Duration().Seconds() < 10.9 || clip.Duration().Seconds() > 12.1 { // 6 s, late by some, and 5 s
		t.Errorf("%v, %v", clip, err)
	}
}

func TestPlayoutOfDrawnCalls(t *testing.T) {
	out := playoutOf(t, "--traces", "model:1", "--speech", words(t), "--circuits", "2", "--calls", "1", "--correlated", "0.5", "--seed", "3")
	for _, want := range []string{"call-000-out", "call-000-in", "over 2 traces", "ns a push", "recovery ms"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

// The first copies of each frame, both ways, and the least of each way is 0.
func TestArrivalsOfDrawnCalls(t *testing.T) {
	all, err := (&Config{Traces: "model:1", Circuits: 3, Calls: 2, Seed: 1, Base: 150 * millisecond}).arrivals()
	if err != nil || len(all) != 4 {
		t.Fatal(len(all), err)
	}
	for _, a := range all {
		least, greatest := listen.Never, -listen.Never
		for k, at := range a.At {
			least, greatest = min(least, at-sentAt(k)), max(greatest, at-sentAt(k))
		}
		if least != 0 || greatest < 20*millisecond || len(a.At) != 1495 {
			t.Errorf("%s: %d frames, %v to %v late", a.Name, len(a.At), least, greatest)
		}
	}
	if slices.Equal(all[0].At, all[1].At) {
		t.Error("both ways are one")
	}
	d := steady(20, 30*millisecond)
	if a := d.arrivals("steady", 1); a.At[7] != sentAt(7) || len(a.At) != 15 {
		t.Errorf("%v", a.At)
	}
}

func TestPlayoutRefusals(t *testing.T) {
	speech, traces := words(t), recorded(t)
	for _, c := range []struct {
		says string
		args []string
	}{
		{"give --traces", []string{"--speech", speech}},
		{"give --speech", []string{"--traces", traces}},
		{"give --speech", []string{"--traces", traces, "--speech", filepath.Join(traces, "smooth.csv")}},
		{"give a folder of traces", []string{"--traces", t.TempDir(), "--speech", speech}},
		{"give sotto", []string{"--traces", traces, "--speech", speech, "--buffer", "neteq"}},
		{"no column trace", []string{"--traces", traces, "--speech", speech, "--reference", filepath.Join(traces, "smooth.csv")}},
		{"give --circuits", []string{"--traces", traces, "--speech", speech, "--calls", "3"}},
		{"give fewer circuits", []string{"--traces", traces, "--speech", speech, "--circuits", "2"}},
		{"leave out --reference", []string{"--traces", "model:1", "--speech", speech, "--circuits", "2", "--calls", "1", "--reference", speech}},
		{"give a --min-delay", []string{"--traces", traces, "--speech", speech, "--min-delay", "0"}},
		{"give a --min-delay", []string{"--traces", traces, "--speech", speech, "--min-delay", "300", "--max-delay", "200"}},
		{"saving the page", []string{"--traces", traces, "--speech", speech, "--html", traces}},
	} {
		cmd := playoutCommand()
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		cmd.SetArgs(c.args)
		cmd.SetOut(&bytes.Buffer{})
		if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v, which does not say %q", c.args, err, c.says)
		}
	}
}
