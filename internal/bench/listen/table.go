package listen

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// few is how many traces the table shows one by one.
const few = 12

// label is how wide the names of rows are: they begin at the left, all else ends
// at the right.
const label = 32

// String is the report for people: a column a buffer.
func (r *Report) String() string {
	var b strings.Builder
	if len(r.Traces) <= few*len(r.buffers) {
		table(&b, r.eachTrace)
	}
	table(&b, func(w io.Writer) {
		fmt.Fprintf(w, "%-*s\t%s\t\n", label, fmt.Sprintf("over %d traces", len(r.Traces)/max(1, len(r.buffers))), strings.Join(r.buffers, "\t"))
		for _, row := range rows {
			fmt.Fprintf(w, "%-*s\t", label, row.name)
			for _, name := range r.buffers {
				fmt.Fprintf(w, "%s\t", row.cell(r.Summary[name]))
			}
			fmt.Fprintln(w)
		}
	})
	if c := r.Summary[Sotto].Cost; c != nil {
		fmt.Fprintf(&b, "%s takes %.0f ns a push, %.0f ns a pop, %.1f µs a tick of 20 ms without the decoder (p99 %.1f), %d allocations in a call\n\n",
			Sotto, c.Push, c.Pop, c.Tick/1000, c.P99/1000, c.Allocations)
	}
	if r.Reference != nil {
		r.Reference.write(&b)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// table lines up what fill writes, cells ended by tabs.
func table(b *strings.Builder, fill func(io.Writer)) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fill(w)
	w.Flush()
	b.WriteByte('\n')
}

func (r *Report) eachTrace(w io.Writer) {
	fmt.Fprintln(w, "trace\tbuffer\tdelay ms\tconcealed %\tunplayed %\tcut %\tstretched %\tsqueezed %\tslowed %\tfastest\tR\trecovery ms\t")
	for i := range r.Traces {
		f := &r.Traces[i]
		fmt.Fprintf(w, "%s\t%s\t%.0f\t%.2f\t%.2f\t%.2f\t%.1f\t%.1f\t%.1f\t%.2f\t%.1f\t%s\t\n", f.Trace, f.Buffer, f.Delay, f.Concealed, f.Unplayed,
			f.Cut, f.Stretched, f.Squeezed, f.Slowed, f.Fastest, f.R, f.recoveries())
	}
}

func (f *Figures) recoveries() string {
	var back []string
	for _, r := range f.Recovery {
		if r == nil {
			back = append(back, "never")
		} else {
			back = append(back, fmt.Sprintf("%.0f", *r))
		}
	}
	return strings.Join(back, ", ")
}

// rows of the summary.
var rows = []struct {
	name string
	cell func(Summary) string
}{
	{"delay ms: mean, median", func(s Summary) string { return fmt.Sprintf("%.0f, %.0f", s.Delay.Mean, s.Delay.Median) }},
	{"concealed %: mean, median", func(s Summary) string { return fmt.Sprintf("%.2f, %.2f", s.Concealed.Mean, s.Concealed.Median) }},
	{"speech unplayed %: mean, max", func(s Summary) string { return fmt.Sprintf("%.2f, %.2f", s.Unplayed.Mean, s.Unplayed.Max) }},
	{"speech cut at all %: mean, max", func(s Summary) string { return fmt.Sprintf("%.2f, %.2f", s.SpeechCut.Mean, s.SpeechCut.Max) }},
	{"silence cut %: mean, max", func(s Summary) string { return fmt.Sprintf("%.2f, %.2f", s.Cut.Mean, s.Cut.Max) }},
	{"pauses cut below 60 ms", func(s Summary) string { return fmt.Sprint(s.Violations) }},
	{"stretched %: mean, max", func(s Summary) string { return fmt.Sprintf("%.1f, %.1f", s.Stretched.Mean, s.Stretched.Max) }},
	{"voiced squeezed %: mean, max", func(s Summary) string { return fmt.Sprintf("%.1f, %.1f", s.Squeezed.Mean, s.Squeezed.Max) }},
	{"voiced slowed %: mean, max", func(s Summary) string { return fmt.Sprintf("%.1f, %.1f", s.Slowed.Mean, s.Slowed.Max) }},
	{"voiced at most so fast", func(s Summary) string { return fmt.Sprintf("%.2f", s.Fastest.Max) }},
	{"R: mean, median", func(s Summary) string { return fmt.Sprintf("%.1f, %.1f", s.R.Mean, s.R.Median) }},
	{"stalls, never recovered from", func(s Summary) string { return fmt.Sprintf("%d, %d", s.Stalls, s.Unrecovered) }},
	{"recovery ms: mean, max", func(s Summary) string {
		if s.Recovery == nil {
			return "-"
		}
		return fmt.Sprintf("%.0f, %.0f", s.Recovery.Mean, s.Recovery.Max)
	}},
}

func (c *Comparison) write(b *strings.Builder) {
	table(b, func(w io.Writer) {
		fmt.Fprintf(w, "%-*s\t", label, fmt.Sprintf("%d: NetEQ conceals under %.0f %%", c.Traces, overload))
		for _, a := range c.Buffers {
			fmt.Fprintf(w, "%s\t", a.Buffer)
		}
		for _, o := range others {
			fmt.Fprintf(w, "%s\t", o.name)
		}
		fmt.Fprintln(w)
		for i, row := range rows {
			fmt.Fprintf(w, "%-*s\t", label, row.name)
			for _, a := range c.Buffers {
				fmt.Fprintf(w, "%s\t", row.cell(a.Summary))
			}
			for k := range others {
				switch o := c.Buffers[0].Others[k]; i { // what is known of them stands in the first rows
				case 0:
					fmt.Fprintf(w, "%.0f, %.0f\t", o.Delay.Mean, o.Delay.Median)
				case 1:
					fmt.Fprintf(w, "%.2f, %.2f\t", o.Concealed.Mean, o.Concealed.Median)
				default:
					fmt.Fprint(w, "\t")
				}
			}
			fmt.Fprintln(w)
		}
	})
	table(b, func(w io.Writer) {
		fmt.Fprintf(w, "%-*s\tof means\tof medians\tgeometric mean\t\n", label, "ratio of delays")
		for _, a := range c.Buffers {
			for _, r := range a.Others {
				fmt.Fprintf(w, "%-*s\t%.3f\t%.3f\t%.3f\t\n", label, a.Buffer+" / "+r.Other, r.Mean, r.Median, r.Geometric)
			}
		}
	})
	if len(c.Overloaded) == 0 {
		return
	}
	table(b, func(w io.Writer) {
		fmt.Fprintf(w, "%-*s\tbuffer\tdelay ms\tconcealed %%\tunplayed %%\t\n", label, "overloaded")
		for _, o := range c.Overloaded {
			if o.Unplayed == nil {
				fmt.Fprintf(w, "%-*s\t%s\t%.0f\t%.2f\t-\t\n", label, o.Trace, o.Buffer, o.Delay, o.Concealed)
			} else {
				fmt.Fprintf(w, "%-*s\t%s\t%.0f\t%.2f\t%.2f\t\n", label, o.Trace, o.Buffer, o.Delay, o.Concealed, *o.Unplayed)
			}
		}
	})
}
