package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/onion/trace"
)

const millisecond = time.Millisecond

// steady is a draw of circuits that are always so late, with so many ticks.
func steady(ticks int, late ...time.Duration) *draw {
	delays := make([][]time.Duration, len(late))
	for c, d := range late {
		delays[c] = slices.Repeat([]time.Duration{d}, ticks)
	}
	w := lay(150*millisecond, delays, make([]time.Duration, len(late)), make([]time.Duration, ticks))
	return &draw{w, w}
}

// Two circuits, 10 ms and 100 ms late, in turn: frames on the first tick of the
// pair come on the good one at once, the others one tick later.
func TestTwoCircuitsByHand(t *testing.T) {
	d := steady(20, 10*millisecond, 100*millisecond)
	c := Config{Circuits: 2}
	got := d.out.heard(c.schemes("alternate")[0].run(d))
	want := slices.Repeat([]time.Duration{10 * millisecond, 30 * millisecond}, 8)[:15]
	if !slices.Equal(got, want) {
		t.Errorf("alternate: %v, want %v", got, want)
	}
	for name, want := range map[string]time.Duration{"single": 10, "duplicate": 10, "all": 10} {
		for _, got := range d.out.heard(c.schemes(name)[0].run(d)) {
			if got != want*millisecond {
				t.Errorf("%s: %v, want %d ms", name, got, want)
			}
		}
	}
}

// A stall holds what was sent in it, and nothing overtakes it on its circuit.
func TestACircuitKeepsItsOrder(t *testing.T) {
	common := make([]time.Duration, 10)
	common[3] = 70 * millisecond
	w := lay(0, [][]time.Duration{make([]time.Duration, 10)}, []time.Duration{5 * millisecond}, common)
	want := []time.Duration{5, 25, 45, 135, 135, 135, 135, 145, 165, 185}
	for i, at := range w.arrives[0] {
		if at != want[i]*millisecond {
			t.Errorf("tick %d arrives at %v, want %d ms", i, at, want[i])
		}
	}
	if w.common[0] != 5*millisecond || w.common[3] != 75*millisecond {
		t.Errorf("in common: %v", w.common)
	}
}

func TestAFrameThatNoRecordBrings(t *testing.T) {
	d := steady(20, 0)
	got := d.out.heard([]shipment{{5, 0}, {14, 0}})
	for n, delay := range got {
		lost := n > 5 && n < 9
		if lost != (delay == never) {
			t.Errorf("frame %d: %v", n, delay)
		}
	}
}

func TestDonarAsPublished(t *testing.T) {
	late := make([]time.Duration, donarLinks)
	for i := range late {
		late[i] = 10 * millisecond
	}
	late[4] = 400 * millisecond
	d := steady(1000, late...)
	sent := runDonar(d, donarLinks, true)
	if len(sent) != 1000 {
		t.Fatalf("%d cells in 1000 ticks of DOUBLE-SEND", len(sent))
	}
	window := func(i int) map[int]int {
		used := map[int]int{}
		for _, s := range sent {
			if s.tick/donarWindow == i {
				used[s.circuit]++
			}
		}
		return used
	}
	// Three fast and three slow links, evenly, and the rest idle.
	for link, n := range window(0) {
		if link >= 6 || n < 16 || n > 17 {
			t.Errorf("link %d sent %d of the first window's cells", link, n)
		}
	}
	// Each window the worst goes for the one that was idle longest: of equals
	// the last.
	if second := window(1); second[4] > 0 || second[6] == 0 || len(second) != 6 {
		t.Errorf("after one window: %v", second)
	}
	if third := window(2); third[6] > 0 || third[7] == 0 || len(third) != 6 {
		t.Errorf("after two windows: %v", third)
	}
	for i := 0; i < len(sent); i += 2 {
		if sent[i].tick != sent[i+1].tick || sent[i].circuit == sent[i+1].circuit || sent[i].tick%donarPacket != 1 {
			t.Fatalf("a packet went as %v and %v", sent[i], sent[i+1])
		}
	}
	if n := len(runDonar(d, donarLinks, false)); n != 500 {
		t.Errorf("%d cells in 1000 ticks of ALTERNATE", n)
	}
	for _, s := range runDonar(d, 6, true) {
		if s.circuit >= 6 {
			t.Fatal("six links became more")
		}
	}
}

func run(t *testing.T, c Config) *Report {
	t.Helper()
	r, err := Run(context.Background(), &c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func resultOf(t *testing.T, r *Report, name string, circuits int) Result {
	t.Helper()
	for _, s := range r.Schemes {
		if s.Scheme == name && s.Circuits == circuits {
			return s
		}
	}
	t.Fatalf("no %s on %d circuits", name, circuits)
	return Result{}
}

// What is asked of the recorded circuits, on made ones.
func TestSottoOnTheModel(t *testing.T) {
	r := run(t, Config{Traces: "model:1", Circuits: 6, Calls: 30, Seed: 5, Base: 150 * millisecond})
	sotto, donar := resultOf(t, r, "sotto", 6), resultOf(t, r, "donar-double", 6)
	if sotto.CellsPerSecond != 50 || sotto.Undelivered != 0 {
		t.Errorf("%v cells a second, %d frames undelivered", sotto.CellsPerSecond, sotto.Undelivered)
	}
	if sotto.CallP99.Median > 0.95*donar.CallP99.Median {
		t.Errorf("median of the calls' p99 %v ms, Donar's on the same six %v", sotto.CallP99.Median, donar.CallP99.Median)
	}
	if all := resultOf(t, r, "all", 6); all.CellsPerSecond != 300 || all.CallP99.Median > sotto.CallP99.Median {
		t.Errorf("the floor: %+v", all)
	}
}

func TestTheSameSeedGivesTheSame(t *testing.T) {
	c := Config{Traces: "model:2", Circuits: 4, Calls: 8, Seed: 7, Base: 150 * millisecond, Spread: 100 * millisecond, Correlated: 0.5, Audition: 8}
	one := run(t, c)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if two := run(t, c); !reflect.DeepEqual(one, two) {
		t.Error("it depends on the number of processors, or on chance")
	}
	for _, s := range one.Schemes {
		if s.ExcessP99 == nil || s.ExcessP99.Median >= s.CallP99.Median {
			t.Errorf("%s: excess %v of %v", s.Scheme, s.ExcessP99, s.CallP99)
		}
	}
	resultOf(t, one, "sotto-audition", 4)
	c.Seed++
	if reflect.DeepEqual(one, run(t, c)) {
		t.Error("the seed does nothing")
	}
}

func TestBothDirectionsAreNeverTwoCircuits(t *testing.T) {
	traces, err := trace.Open("model:3")
	if err != nil {
		t.Fatal(err)
	}
	all := pair(traces)
	names := map[string]bool{}
	for _, r := range all {
		if len(r) != 2 || names[r[0].Recording()] || r[0].Recording() != r[1].Recording() {
			t.Fatalf("a recording of %d traces, first %s", len(r), r[0].Name)
		}
		names[r[0].Recording()] = true
	}
	if _, err := Run(context.Background(), &Config{Traces: "model:3", Circuits: len(all), Calls: 1}, nil); err == nil {
		t.Error("a call drew more recordings than there are")
	}
}

func TestTheCommand(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.html")
	cmd := pathsCommand()
	var out, progress bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&progress)
	cmd.SetArgs([]string{"--traces", "model:1", "--calls", "3", "--scheme", "sotto,single", "--json", "--html", page})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Schemes []struct {
			Scheme      string             `json:"scheme"`
			Circuits    int                `json:"circuits"`
			Calls       int                `json:"calls"`
			Correlated  *float64           `json:"correlated"`
			Cells       float64            `json:"cells_per_second"`
			Delay       map[string]float64 `json:"delay_ms"`
			CallP99     map[string]float64 `json:"call_p99_ms"`
			Under       *float64           `json:"calls_p99_under_360"`
			Undelivered *int               `json:"undelivered"`
		} `json:"schemes"`
	}
	d := json.NewDecoder(&out)
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil || d.More() {
		t.Fatalf("not one object of the agreed shape: %v", err)
	}
	if len(got.Schemes) != 2 {
		t.Fatalf("%d schemes", len(got.Schemes))
	}
	for _, s := range got.Schemes {
		if s.Calls != 3 || s.Cells != 50 || s.Correlated == nil || s.Under == nil || s.Undelivered == nil ||
			s.Delay["p50"] <= 0 || s.Delay["p95"] < s.Delay["p50"] || s.Delay["p99"] < s.Delay["p95"] || s.CallP99["p90"] < s.CallP99["median"] {
			t.Errorf("%+v", s)
		}
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", `class="faint"`, `class="bold"`, "light-dark("} {
		if !strings.Contains(string(html), want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(string(html), "http") || strings.Contains(string(html), "NaN") || strings.Contains(string(html), "ZgotmplZ") {
		t.Error("the page is not self-contained and whole")
	}
}

func TestRefusals(t *testing.T) {
	for _, args := range [][]string{
		{"--circuits", "0"},
		{"--calls", "0"},
		{"--correlated", "NaN"},
		{"--base", "-1"},
		{"--audition", "4"},
		{"--audition", "20"},
		{"--scheme", "best"},
		{"--traces", t.TempDir()},
	} {
		cmd := pathsCommand()
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		cmd.SetArgs(append([]string{"--traces", "model:1", "--calls", "1"}, args...))
		if cmd.Execute() == nil {
			t.Errorf("%v: taken", args)
		}
	}
}
