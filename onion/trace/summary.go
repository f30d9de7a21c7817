package trace

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// gapFloor is the shortest time without an arrival that counts as a gap.
const gapFloor = 100 * time.Millisecond

// Summary tells what many traces are like: each figure is taken of every trace
// by itself, and then how it spreads over them.
type Summary struct {
	Traces int

	P50, P95, P99, Max Spread // delay above the minimum, ms
	Gaps               Spread // times over 100 ms without an arrival, a minute

	// Of the lengths of a trace's gaps, ms; a trace without any does not count.
	GapP50, GapP90, GapMax Spread

	// AlikeP50 and AlikeP99 are Spearman's rank correlations of the two
	// directions of a recording; NaN with fewer than two.
	AlikeP50, AlikeP99 float64
}

// Spread holds quantiles over traces.
type Spread struct{ P10, P25, P50, P75, P90 float64 }

func (s Spread) values() [5]float64 { return [5]float64{s.P10, s.P25, s.P50, s.P75, s.P90} }

// Summarise summarises traces.
func Summarise(traces []Trace) Summary {
	columns := make([][]float64, 8)
	p50, p99 := make([]float64, len(traces)), make([]float64, len(traces))
	for i, t := range traces {
		delays, gaps := t.delays(), t.gaps()
		p50[i], p99[i] = quantile(delays, 0.5), quantile(delays, 0.99)
		row := []float64{
			p50[i], quantile(delays, 0.95), p99[i], quantile(delays, 1),
			float64(len(gaps)) / t.Length().Minutes(),
			quantile(gaps, 0.5), quantile(gaps, 0.9), quantile(gaps, 1),
		}
		for c, v := range row {
			if !math.IsNaN(v) {
				columns[c] = append(columns[c], v)
			}
		}
	}
	var s [8]Spread
	for c, values := range columns {
		slices.Sort(values)
		s[c] = Spread{quantile(values, 0.1), quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75), quantile(values, 0.9)}
	}
	return Summary{
		Traces: len(traces),
		P50:    s[0], P95: s[1], P99: s[2], Max: s[3],
		Gaps: s[4], GapP50: s[5], GapP90: s[6], GapMax: s[7],
		AlikeP50: alike(traces, p50), AlikeP99: alike(traces, p99),
	}
}

// delays are those of all rows in ms, sorted.
func (t Trace) delays() []float64 {
	ms := make([]float64, len(t.arrived))
	for i, a := range t.arrived {
		ms[i] = milli(a - time.Duration(i)*Step)
	}
	slices.Sort(ms)
	return ms
}

// gaps are the times over 100 ms without an arrival, in ms, sorted.
func (t Trace) gaps() []float64 {
	var ms []float64
	for i := 1; i < len(t.arrived); i++ {
		if gap := t.arrived[i] - t.arrived[i-1]; gap > gapFloor {
			ms = append(ms, milli(gap))
		}
	}
	slices.Sort(ms)
	return ms
}

func milli(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantile interpolates between sorted values; of none it is NaN.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (sorted[i+1]-sorted[i])*(at-float64(i))
}

// alike is Spearman's rank correlation of a value between the two directions
// of the recordings that have both.
func alike(traces []Trace, of []float64) float64 {
	var a, b []float64
	seen := map[string]int{}
	for i, t := range traces {
		if j, ok := seen[t.Recording()]; ok {
			a, b = append(a, of[j]), append(b, of[i])
		}
		seen[t.Recording()] = i
	}
	n := float64(len(a))
	ra, rb := ranks(a), ranks(b)
	sum := 0.0
	for i := range ra {
		sum += (ra[i] - rb[i]) * (ra[i] - rb[i])
	}
	return 1 - 6*sum/(n*(n*n-1))
}

// ranks are the places that values take when sorted; ties, which hardly happen,
// keep their order.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	r := make([]float64, len(values))
	for place, i := range order {
		r[i] = float64(place)
	}
	return r
}

// rows names the spreads of s as tables show them.
func (s Summary) rows() []struct {
	Name string
	Spread
} {
	return []struct {
		Name string
		Spread
	}{
		{"p50 ms", s.P50},
		{"p95 ms", s.P95},
		{"p99 ms", s.P99},
		{"max ms", s.Max},
		{"gaps/min", s.Gaps},
		{"gap p50 ms", s.GapP50},
		{"gap p90 ms", s.GapP90},
		{"gap max ms", s.GapMax},
	}
}

// String is a Markdown table: a line for each figure, a column for each
// quantile over traces.
func (s Summary) String() string { return Compare([]string{"traces"}, s) }

// Compare is a Markdown table of several summaries, named, beside each other.
func Compare(names []string, of ...Summary) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| of a trace | over | %4s | %4s | %4s | %4s | %4s |\n|---|---|--:|--:|--:|--:|--:|\n", "p10", "p25", "p50", "p75", "p90")
	for i, row := range of[0].rows() {
		for j, s := range of {
			label := row.Name
			if j > 0 {
				label = ""
			}
			fmt.Fprintf(&b, "| %-10s | %d %s |", label, s.Traces, names[j])
			for _, v := range s.rows()[i].values() {
				fmt.Fprintf(&b, " %4.0f |", v)
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\nThe two directions of a recording, rank correlation:")
	for j, s := range of {
		fmt.Fprintf(&b, " %s p50 %.2f, p99 %.2f;", names[j], s.AlikeP50, s.AlikeP99)
	}
	return strings.TrimSuffix(b.String(), ";") + ".\n"
}
