package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/internal/demo"
	"github.com/sottovoce/sotto/voice"
)

// The real binary makes its real call over a real tor, and what it says about
// it is held against the sound that came out. How fast it is must show in one
// of three rounds, as the machine may be busy with something else.
func TestDemo(t *testing.T) {
	var slow []string
	for range 3 {
		if slow = demoRound(t); len(slow) == 0 || t.Failed() {
			return
		}
		t.Logf("a slow round: %q", slow)
	}
	t.Errorf("slow in all rounds: %q", slow)
}

// demoRound is one demo; slow are its figures that a busy machine may spoil.
func demoRound(t *testing.T) (slow []string) {
	out, temp := t.TempDir(), t.TempDir()
	late := func(format string, args ...any) { slow = append(slow, fmt.Sprintf(format, args...)) }
	cmd := exec.Command(need(t, binary), "demo", "--json", "--out", out)
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	var talk strings.Builder
	cmd.Stderr = &talk
	printed, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, talk.String())
	}
	lines := strings.Split(strings.TrimSpace(string(printed)), "\n")
	var r demo.Report
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil {
		t.Fatalf("standard output is not one object: %v\n%s", err, printed)
	}
	t.Logf("%+v", r)

	if r.BootstrapMS <= 0 || r.BootstrapMS > 60_000 {
		late("the network was usable after %.1f s", r.BootstrapMS/1000)
	}
	if r.ConnectMS <= 0 || r.SetupMS < r.ConnectMS || r.RecordBytes != 468 {
		t.Errorf("connect %v ms, setup %v ms, %d paths, %d circuits, records of %d bytes", r.ConnectMS, r.SetupMS, r.Paths, r.RendezvousCircuits, r.RecordBytes)
	}
	if r.Paths != call.DefaultPaths || r.RendezvousCircuits < call.DefaultPaths {
		late("%d paths, %d circuits", r.Paths, r.RendezvousCircuits)
	}
	if !strings.HasSuffix(r.CalleeAddress, ".onion") || len(r.CalleeAddress) != 62 {
		t.Errorf("callee at %q", r.CalleeAddress)
	}
	for name, rate := range map[string]float64{"caller": r.RecordsPerSecond.Caller, "callee": r.RecordsPerSecond.Callee} {
		if rate < 49 || rate > 50.1 {
			late("the %s sent %.1f records a second", name, rate)
		}
	}
	check := func(name, other string, m demo.Percentiles, concealed, claimed float64) {
		said, heard := load(t, out, other+"-said"), load(t, out, name+"-heard")
		if len(heard) < 20*voice.SampleRate {
			t.Errorf("the %s heard %d s", name, len(heard)/voice.SampleRate)
		}
		match := voice.Compare(said, heard)
		if math.Abs(match.Envelope-claimed) > 0.01 {
			t.Errorf("what the %s heard resembles what was said by %.3f, claimed %.3f", name, match.Envelope, claimed)
		}
		likeness, lag := aligned(said, heard, 5*voice.SampleRate)
		if likeness < 0.8 {
			late("what the %s heard resembles what was said by %.3f", name, likeness)
		}
		if math.Abs(lag-m.P50) > 20 {
			late("the %s heard %.1f ms late by correlation, %.1f by its own account", name, lag, m.P50)
		}
		if most := r.StreamRTTMS/2 + 150; m.P50 <= 0 || m.P50 > most {
			late("mouth to the %s's ear takes %.1f ms, at most %.1f", name, m.P50, most)
		}
		if concealed > 2 {
			late("%.2f %% of what the %s heard was made up", concealed, name)
		}
		// An echo of oneself would be no proof: the two said different things.
		if own := voice.Compare(load(t, out, name+"-said"), heard); own.Envelope > 0.8 && own.Lag.Abs().Seconds() < 1 {
			t.Errorf("the %s heard itself", name)
		}
	}
	check("caller", "callee", r.MouthToEarMS.Caller, r.ConcealedPct.Caller, r.Heard.Caller)
	check("callee", "caller", r.MouthToEarMS.Callee, r.ConcealedPct.Callee, r.Heard.Callee)
	if !strings.Contains(talk.String(), "ringing") {
		t.Errorf("nothing was said of the call:\n%s", talk.String())
	}
	nothingRuns(t, temp)
	left, err := os.ReadDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		t.Errorf("left behind: %s", f.Name())
	}
	return slow
}

// aligned is the mean likeness of pieces of so many samples, each aligned by
// itself, and their median lag in ms: the delay of a call changes in its course,
// and with it how well the whole tape can be aligned at once.
func aligned(said, heard []float32, piece int) (likeness, lag float64) {
	var lags []float64
	for i := 0; i+piece <= min(len(said), len(heard)); i += piece {
		m := voice.Compare(said[i:i+piece], heard[i:min(len(heard), i+piece+voice.SampleRate)])
		likeness += m.Envelope
		lags = append(lags, m.Lag.Seconds()*1000)
	}
	if len(lags) == 0 {
		return 0, 0
	}
	slices.Sort(lags)
	return likeness / float64(len(lags)), lags[len(lags)/2]
}

func load(t *testing.T, dir, name string) []float32 {
	t.Helper()
	clip, err := voice.OpenWAV(filepath.Join(dir, name+".wav"))
	if err != nil {
		t.Fatal(err)
	}
	return clip.Samples
}

// nothingRuns looks for a sotto or a tor that names dir.
func nothingRuns(t *testing.T, dir string) {
	t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(commands) == 0 {
		t.Fatalf("no processes to see: %v", err)
	}
	for _, c := range commands {
		b, err := os.ReadFile(c)
		program, _, _ := strings.Cut(string(b), "\x00")
		if name := filepath.Base(program); err == nil && (name == "sotto" || name == "tor") && strings.Contains(string(b), dir) {
			t.Errorf("left running: %s", strings.ReplaceAll(string(b), "\x00", " "))
		}
	}
}
