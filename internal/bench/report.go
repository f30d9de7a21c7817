package bench

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what the replay gives; its JSON is the bench's output.
type Report struct {
	Schemes []Result `json:"schemes"`

	picture picture
}

// Result is one scheme over all calls. A frame that never came counts among the
// delays as late by the length of the call.
type Result struct {
	Scheme         string      `json:"scheme"`
	Circuits       int         `json:"circuits"`
	Calls          int         `json:"calls"`
	Correlated     float64     `json:"correlated"`
	CellsPerSecond float64     `json:"cells_per_second"` // each way
	Delay          Percentiles `json:"delay_ms"`         // over all frames of all calls
	CallP99        Calls       `json:"call_p99_ms"`
	Under360       float64     `json:"calls_p99_under_360"` // share of calls
	Undelivered    int         `json:"undelivered"`         // frames

	// Of the delay above what all circuits of a call have in common; only
	// where a spread or a correlation was asked for.
	ExcessP99 *Calls `json:"excess_p99_ms,omitempty"`

	p99s []float64 // of each call, sorted
}

// Percentiles over frames.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// Calls says how a figure of each call is spread over the calls.
type Calls struct {
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
}

func report(c *Config, schemes []scheme, outcomes [][]outcome, first draw) *Report {
	r := &Report{Schemes: make([]Result, len(schemes))}
	for i, s := range schemes {
		r.Schemes[i] = result(c, s, outcomes[i])
	}
	r.picture = paint(c, schemes, outcomes, first)
	return r
}

func result(c *Config, s scheme, calls []outcome) Result {
	r := Result{Scheme: s.name, Circuits: s.circuits, Calls: len(calls), Correlated: c.Correlated}
	var all, excess []float64
	cells, ticks := 0, 0
	for _, o := range calls {
		length := sentAt(o.ticks)
		delays := milliseconds(o.delays, length)
		all = append(all, delays...)
		r.p99s = append(r.p99s, percentile(delays, 99))
		excess = append(excess, percentile(milliseconds(o.excess, length), 99))
		for _, d := range o.delays {
			if d == never {
				r.Undelivered++
			}
		}
		cells += o.cells
		ticks += o.ticks
	}
	slices.Sort(all)
	slices.Sort(r.p99s)
	slices.Sort(excess)
	r.CellsPerSecond = round(float64(cells) / sentAt(ticks).Seconds())
	r.Delay = Percentiles{round(percentile(all, 50)), round(percentile(all, 95)), round(percentile(all, 99))}
	r.CallP99 = spread(r.p99s)
	under, _ := slices.BinarySearch(r.p99s, 360)
	r.Under360 = math.Round(float64(under)/float64(len(r.p99s))*1e4) / 1e4
	if c.Spread > 0 || c.Correlated > 0 {
		e := spread(excess)
		r.ExcessP99 = &e
	}
	return r
}

// milliseconds gives delays sorted; what never came counts as length.
func milliseconds(delays []time.Duration, length time.Duration) []float64 {
	out := make([]float64, len(delays))
	for i, d := range delays {
		if d == never {
			d = length
		}
		out[i] = float64(d) / float64(time.Millisecond)
	}
	slices.Sort(out)
	return out
}

// percentile is the smallest value that p percent of them do not exceed.
func percentile(sorted []float64, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

func spread(sorted []float64) Calls {
	return Calls{round(percentile(sorted, 50)), round(percentile(sorted, 90))}
}

func round(x float64) float64 { return math.Round(x*100) / 100 }

// String is the report for people.
func (r *Report) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "scheme\tcircuits\tcells/s\tp50\tp95\tp99\tcall p99: median\tp90\tunder 360\tundelivered\texcess p99: median\tp90\t")
	for _, s := range r.Schemes {
		fmt.Fprintf(w, "%s\t%d\t%.5g\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.1f %%\t%d\t", s.Scheme, s.Circuits, s.CellsPerSecond,
			s.Delay.P50, s.Delay.P95, s.Delay.P99, s.CallP99.Median, s.CallP99.P90, 100*s.Under360, s.Undelivered)
		if s.ExcessP99 == nil {
			fmt.Fprintln(w, "-\t-\t")
			continue
		}
		fmt.Fprintf(w, "%.0f\t%.0f\t\n", s.ExcessP99.Median, s.ExcessP99.P90)
	}
	w.Flush()
	return b.String()
}
