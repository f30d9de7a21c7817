package trace_test

import (
	"math"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/onion/trace"
)

func TestSummarise(t *testing.T) {
	// Delays 0, 0, 0, 180, 160; one gap of 200 ms. 100 ms long.
	a := read(t, "0,0\n20,20\n40,40\n60,240\n80,240\n")
	b := read(t, "0,0\n20,20\n40,40\n60,60\n80,80\n")
	s := trace.Summarise([]trace.Trace{a})
	all := func(v float64) trace.Spread { return trace.Spread{P10: v, P25: v, P50: v, P75: v, P90: v} }
	for name, c := range map[string]struct{ got, want trace.Spread }{
		"p50": {s.P50, all(0)}, "p95": {s.P95, all(176)}, "p99": {s.P99, all(179.2)}, "max": {s.Max, all(180)},
		"gaps": {s.Gaps, all(600)}, "gap p50": {s.GapP50, all(200)}, "gap max": {s.GapMax, all(200)},
	} {
		if math.Abs(c.got.P10-c.want.P10) > 1e-9 || math.Abs(c.got.P90-c.want.P90) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	if !math.IsNaN(s.AlikeP50) {
		t.Errorf("one trace correlates by %v", s.AlikeP50)
	}
	// A trace without gaps counts for their number, not for their lengths.
	s = trace.Summarise([]trace.Trace{a, b})
	if s.Traces != 2 || s.Gaps.P50 != 300 || s.GapMax.P10 != 200 || s.Max.P75 != 135 {
		t.Errorf("of two:\n%v", s)
	}
}

func TestDirectionsAreCompared(t *testing.T) {
	late := func(name, ms string) trace.Trace {
		tr := read(t, "0,0\n20,"+ms+"\n40,"+ms+"\n60,"+ms+"\n")
		tr.Name = name
		return tr
	}
	traces := []trace.Trace{
		late("a-in", "100"), late("a-out", "110"), late("b-in", "300"), late("b-out", "290"),
		late("alone-in", "900"), late("c-in", "200"), late("c-out", "210"),
	}
	if s := trace.Summarise(traces); s.AlikeP50 != 1 || s.AlikeP99 != 1 {
		t.Errorf("%v, %v, want 1", s.AlikeP50, s.AlikeP99)
	}
	traces[1], traces[3] = late("a-out", "290"), late("b-out", "110")
	if s := trace.Summarise(traces); s.AlikeP50 != -1 {
		t.Errorf("%v, want -1", s.AlikeP50)
	}
}

func TestTablesAreMarkdown(t *testing.T) {
	s := trace.Summarise([]trace.Trace{read(t, "0,0\n20,20\n40,40\n60,240\n80,240\n")})
	text := s.String()
	for _, want := range []string{
		"| of a trace | over |  p10 |", "| max ms     | 1 traces |  180 |  180 |", "rank correlation: traces p50 NaN, p99 NaN.\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if got := strings.Count(trace.Compare([]string{"one", "other"}, s, s), "\n| "); got != 16 {
		t.Errorf("%d lines of two summaries, want 16", got)
	}
}
