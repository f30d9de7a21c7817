package trace_test

import (
	"hash/fnv"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/onion/trace"
)

// measured are the 92 real traces, all together; docs/traces.md has this table.
var measured = trace.Summary{
	Traces:   92,
	P50:      trace.Spread{P10: 63, P25: 73, P50: 111, P75: 152, P90: 222},
	P95:      trace.Spread{P10: 124, P25: 146, P50: 257, P75: 615, P90: 1962},
	P99:      trace.Spread{P10: 163, P25: 232, P50: 402, P75: 1139, P90: 2735},
	Max:      trace.Spread{P10: 238, P25: 312, P50: 544, P75: 1398, P90: 3006},
	Gaps:     trace.Spread{P10: 20, P25: 44, P50: 99, P75: 244, P90: 287},
	GapP50:   trace.Spread{P10: 111, P25: 117, P50: 126, P75: 144, P90: 161},
	GapP90:   trace.Spread{P10: 131, P25: 148, P50: 177, P75: 223, P90: 316},
	GapMax:   trace.Spread{P10: 163, P25: 217, P50: 396, P75: 1200, P90: 2724},
	AlikeP50: 0.84, AlikeP99: 0.78,
}

// The model is as real circuits are: every quantile over traces within a
// quarter of the measured one, gap lengths within a sixth except the longest,
// and the number of gaps within two fifths.
func TestTheModelIsLikeTheMeasured(t *testing.T) {
	model := trace.Modelled()
	near := func(name string, got, want trace.Spread, tolerance float64) {
		t.Helper()
		for _, q := range []struct {
			name      string
			got, want float64
		}{{"p10", got.P10, want.P10}, {"p25", got.P25, want.P25}, {"p50", got.P50, want.P50}, {"p75", got.P75, want.P75}, {"p90", got.P90, want.P90}} {
			if math.Abs(math.Log(q.got/q.want)) > math.Log(1+tolerance) {
				t.Errorf("%s, %s over traces: %.0f, measured %.0f", name, q.name, q.got, q.want)
			}
		}
	}
	near("p50", model.P50, measured.P50, 0.25)
	near("p95", model.P95, measured.P95, 0.25)
	near("p99", model.P99, measured.P99, 0.25)
	near("max", model.Max, measured.Max, 0.25)
	near("gaps a minute", model.Gaps, measured.Gaps, 0.4)
	near("p50 of gaps", model.GapP50, measured.GapP50, 1.0/6)
	near("p90 of gaps", model.GapP90, measured.GapP90, 1.0/6)
	near("longest gap", model.GapMax, measured.GapMax, 0.25)
	if math.Abs(model.AlikeP50-measured.AlikeP50) > 0.1 || math.Abs(model.AlikeP99-measured.AlikeP99) > 0.1 {
		t.Errorf("directions correlate by %.2f and %.2f, measured %.2f and %.2f",
			model.AlikeP50, model.AlikeP99, measured.AlikeP50, measured.AlikeP99)
	}
	table := trace.Compare([]string{"measured", "model"}, measured, model)
	if doc, err := os.ReadFile("../../docs/traces.md"); err != nil || !strings.Contains(string(doc), table) {
		t.Errorf("docs/traces.md lacks this table (%v)", err)
	}
	if t.Failed() {
		t.Log("\n" + table)
	}
}

func sum(traces ...trace.Trace) uint64 {
	h := fnv.New64a()
	for _, tr := range traces {
		for at := time.Duration(0); at < tr.Length(); at += trace.Step {
			d := tr.Delay(at).Milliseconds()
			h.Write([]byte{byte(d), byte(d >> 8), byte(d >> 16)})
		}
	}
	return h.Sum64()
}

// A seed stands for the same circuits everywhere and forever: results that
// people report with it can be repeated.
func TestASeedIsARecording(t *testing.T) {
	there, back := trace.Generate(1, 30*time.Second)
	if got := sum(there, back); got != 0x7c89c8832821200e {
		t.Errorf("seed 1 gives %#x", got)
	}
	if a, b := sum(there), sum(back); a == b {
		t.Error("both directions are the same")
	}
	other, _ := trace.Generate(2, 30*time.Second)
	if sum(there) == sum(other) {
		t.Error("two seeds give the same")
	}
}

func TestGenerateAsLongAsAsked(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		0: 0, 1: trace.Step, trace.Step: trace.Step, 10 * time.Minute: 10 * time.Minute,
	} {
		there, back := trace.Generate(5, d)
		if there.Length() != want || back.Length() != want {
			t.Errorf("%v: %v there, %v back", d, there.Length(), back.Length())
		}
		if want > 0 {
			inOrder(t, there)
		}
	}
}

// Each part of the model does what its name says.
func TestPartsOfTheModel(t *testing.T) {
	still := trace.Model{
		Level: trace.Lot{Median: 100}, Gate: trace.Lot{Median: 2}, GateShape: trace.Lot{Median: 5},
		Stalls: trace.Lot{Median: 1e-9}, Stall: trace.Lot{Median: 1000}, StallShared: 1, Drain: trace.Lot{Median: 0.5},
	}
	if s := trace.Summarise(still.Recordings(1, 5)); s.Max.P90 > 15 {
		t.Errorf("nothing happens, and yet a delay of %v ms", s.Max.P90)
	}
	stalls := still
	stalls.Stalls.Median = 2
	s := trace.Summarise(stalls.Recordings(1, 20))
	if s.GapMax.P10 < 990 || s.GapMax.P75 > 1030 || s.Max.P75 < 975 || s.AlikeP99 < 0.8 {
		t.Errorf("shared stalls of 1 s:\n%v", s)
	}
	stalls.StallShared = 0
	if s := trace.Summarise(stalls.Recordings(1, 20)); s.AlikeP99 > 0.6 {
		t.Errorf("stalls of one direction alone:\n%v", s)
	}
	gates := still
	gates.Gate.Median = 200
	if s := trace.Summarise(gates.Recordings(1, 20)); s.GapP50.P50 < 180 || s.GapP50.P50 > 220 || s.Gaps.P50 < 250 {
		t.Errorf("a gate every 200 ms:\n%v", s)
	}
}
