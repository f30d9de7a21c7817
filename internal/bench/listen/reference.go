package listen

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Reference is what other buffers made of the same traces, from a CSV file with
// a row a trace. A trace of which NetEQ conceals a quarter or more is no longer
// a matter of buffering: it is overloaded, and looked at apart.
type Reference struct {
	file string
	rows map[string][]other // by trace; for each of others
}

// other is what one rival made of a trace.
type other struct{ delay, concealed float64 } // ms, percent

// others are the rivals of a reference, by the columns that tell of them.
var others = []struct{ name, delay, concealed string }{
	{"neteq", "neteq_delay_ms", "neteq_concealed_pct"},
	{"speexdsp", "speexdsp_delay_ms", "speexdsp_unplayed_pct"},
	{"offline", "offline_delay_ms", "offline_late_pct"},
}

const (
	overload  = 25.0 // percent concealed by NetEQ, others[0]
	maxRows   = 10_000
	leastThat = 1.0 // ms: ratios are of no less than this
)

// ReadReference reads the file.
func ReadReference(file string) (*Reference, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	defer f.Close()
	r, err := parseReference(f)
	if err != nil {
		return nil, fmt.Errorf("reference %s: %w", file, err)
	}
	r.file = file
	return r, nil
}

func parseReference(in io.Reader) (*Reference, error) {
	rows := csv.NewReader(in)
	head, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("its first row: %w", err)
	}
	column := func(name string) (int, error) {
		if i := slices.Index(head, name); i >= 0 {
			return i, nil
		}
		return 0, fmt.Errorf("it has no column %s: the columns are trace and, of each rival, the delay and what was concealed", name)
	}
	name, err := column("trace")
	if err != nil {
		return nil, err
	}
	columns := make([][2]int, len(others))
	for i, o := range others {
		if columns[i][0], err = column(o.delay); err != nil {
			return nil, err
		}
		if columns[i][1], err = column(o.concealed); err != nil {
			return nil, err
		}
	}
	r := &Reference{rows: map[string][]other{}}
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return r, nil
		}
		if err != nil {
			return nil, err
		}
		if len(r.rows) == maxRows {
			return nil, fmt.Errorf("over %d rows", maxRows)
		}
		var all []other
		for _, c := range columns {
			var o other
			if o.delay, err = number(row[c[0]]); err != nil {
				return nil, fmt.Errorf("trace %s, %s: %w", row[name], head[c[0]], err)
			}
			if o.concealed, err = number(row[c[1]]); err != nil {
				return nil, fmt.Errorf("trace %s, %s: %w", row[name], head[c[1]], err)
			}
			all = append(all, o)
		}
		r.rows[row[name]] = all
	}
}

func number(text string) (float64, error) {
	x, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(x >= 0 && x < 1e9) {
		return 0, fmt.Errorf("%q is no figure", text)
	}
	return x, nil
}

// Check says whether all traces are in the reference.
func (r *Reference) Check(traces []Arrivals) error {
	for _, a := range traces {
		if r.rows[a.Name] == nil {
			return fmt.Errorf("reference %s has no row for trace %s: add it, or leave out --reference", r.file, a.Name)
		}
	}
	return nil
}

// Comparison is a report beside a reference.
type Comparison struct {
	Traces     int        `json:"traces"` // that are not overloaded
	Buffers    []Against  `json:"buffers"`
	Overloaded []Overload `json:"overloaded"`
}

// Against is one buffer beside all others, over the traces that are not
// overloaded.
type Against struct {
	Buffer  string  `json:"buffer"`
	Summary Summary `json:"summary"`
	Others  []Ratio `json:"others"`
}

// Ratio is a buffer's delay over another's.
type Ratio struct {
	Other     string  `json:"other"`
	Delay     Spread  `json:"delay_ms"` // of the other
	Concealed Spread  `json:"concealed_pct"`
	Mean      float64 `json:"mean_ratio"`           // of the mean delays
	Median    float64 `json:"median_ratio"`         // of the median delays
	Geometric float64 `json:"geometric_mean_ratio"` // mean of the traces' ratios
}

// Overload is a trace that is too much for its circuit. Its delay, and what is
// concealed and unplayed, have to be seen together.
type Overload struct {
	Trace     string   `json:"trace"`
	Buffer    string   `json:"buffer"` // or the other's name
	Delay     float64  `json:"delay_ms"`
	Concealed float64  `json:"concealed_pct"`
	Unplayed  *float64 `json:"unplayed_pct"` // null for others: it is not known
}

// Compare puts the reference's figures beside the report's.
func (r *Report) Compare(ref *Reference) {
	c := &Comparison{}
	for _, name := range r.buffers {
		fair := slices.DeleteFunc(r.ofBuffer(name), func(f Figures) bool { return ref.rows[f.Trace][0].concealed >= overload })
		c.Traces = len(fair)
		c.Buffers = append(c.Buffers, ref.against(name, fair))
	}
	for _, f := range r.Traces {
		theirs := ref.rows[f.Trace]
		if theirs[0].concealed < overload {
			continue
		}
		if f.Buffer == r.buffers[0] {
			for i, o := range theirs {
				c.Overloaded = append(c.Overloaded, Overload{f.Trace, others[i].name, o.delay, o.concealed, nil})
			}
		}
		c.Overloaded = append(c.Overloaded, Overload{f.Trace, f.Buffer, f.Delay, f.Concealed, &f.Unplayed})
	}
	slices.SortStableFunc(c.Overloaded, func(a, b Overload) int { return strings.Compare(a.Trace, b.Trace) })
	r.Reference = c
}

func (ref *Reference) against(name string, fair []Figures) Against {
	a := Against{Buffer: name, Summary: summary(fair)}
	ours := of(fair, func(f *Figures) float64 { return f.Delay })
	for i, o := range others {
		delays := of(fair, func(f *Figures) float64 { return ref.rows[f.Trace][i].delay })
		logs := of(fair, func(f *Figures) float64 {
			return math.Log(max(leastThat, f.Delay) / max(leastThat, ref.rows[f.Trace][i].delay))
		})
		r := Ratio{Other: o.name, Delay: spread(delays), Concealed: spread(of(fair, func(f *Figures) float64 { return ref.rows[f.Trace][i].concealed }))}
		if len(fair) > 0 {
			r.Mean = round(mean(ours) / max(leastThat, mean(delays)))
			r.Median = round(median(ours) / max(leastThat, median(delays)))
			r.Geometric = round(math.Exp(mean(logs)))
		}
		a.Others = append(a.Others, r)
	}
	return a
}
