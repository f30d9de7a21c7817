package listen

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/sottovoce/sotto/internal/bench/chart"
)

// view is what the page shows of a listening.
type view struct {
	playout   []float64    // delay at each 20 ms, NaN where concealed
	concealed [][2]float64 // from and to when, s
	targets   [][2]float64 // when, s, and the delay aimed at, ms
}

const viewStep = 20 // ms

// see keeps of a listening what is to be seen.
func see(line []float64, targets [][2]float64) view {
	v := view{targets: targets}
	for t := 0; t < len(line); t += viewStep {
		v.playout = append(v.playout, line[t])
	}
	begun := slices.IndexFunc(line, func(d float64) bool { return !math.IsNaN(d) })
	if begun < 0 {
		return v
	}
	from := -1
	for t := begun; t <= len(line); t++ {
		switch silent := t < len(line) && math.IsNaN(line[t]); {
		case silent && from < 0:
			from = t
		case !silent && from >= 0:
			v.concealed = append(v.concealed, [2]float64{float64(from) / 1000, float64(t) / 1000})
			from = -1
		}
	}
	return v
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>sotto-bench playout</title>
<style>
{{.Style}}.conceal{fill:light-dark(#dc2626,#f87171);opacity:.35}.made{background:light-dark(#f1a8a8,#803f3f)}.thin{opacity:.6}.target{stroke:light-dark(#15803d,#4ade80);stroke-dasharray:4 3}.goal{color:light-dark(#15803d,#4ade80)}.net{stroke:var(--ink);opacity:.45;stroke-width:1}pre{overflow-x:auto;font-size:11.5px}
{{range .Colours}}{{.}}
{{end}}</style>
<h1>What a listener hears</h1>
<p>Delays are above the least of each trace. <span class="thin">Thin, grey</span>: the network's, of each frame when it came. Thick, unbroken: the delay of what is heard with {{range $i, $b := .Buffers}}{{if $i}}, {{end}}<span class="k{{$i}}">■</span> {{$b}}{{end}}; it breaks where sound was made up. <span class="goal">Dashed</span>: the delay that {{index .Buffers 0}} aims at, if it says so. <span class="made">Shaded</span>: concealed by {{index .Buffers 0}}.</p>
<pre>{{.Table}}</pre>
{{range .Pictures}}{{.}}
{{end}}</html>
`))

// Save writes a page with the table and pictures to a file.
func (r *Report) Save(file string) error {
	var pictures []template.HTML
	for _, i := range r.telling() {
		pictures = append(pictures, r.draw(i))
	}
	var colours []template.CSS
	for i := range r.buffers {
		hue := 25 + 360*i/len(r.buffers)
		weight := 1.5
		if i == 0 {
			weight = 2.5
		}
		colours = append(colours, template.CSS(fmt.Sprintf(
			".s%d{stroke:light-dark(hsl(%d 80%% 38%%),hsl(%d 75%% 65%%));stroke-width:%g}.k%d{color:light-dark(hsl(%d 80%% 38%%),hsl(%d 75%% 65%%))}", i, hue, hue, weight, i, hue, hue)))
	}
	var b strings.Builder
	err := page.Execute(&b, map[string]any{
		"Style": chart.Style, "Colours": colours, "Buffers": r.buffers, "Table": r.String(), "Pictures": pictures,
	})
	if err != nil {
		return fmt.Errorf("the page: %w", err)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("saving the page: %w", err)
	}
	return nil
}

// telling are the traces that are drawn: all if they are few; else those that
// under the first buffer are the best, in the middle, at nine tenths and the worst
// by delay, by concealment, by what is unplayed and by recovery.
func (r *Report) telling() []int {
	first := r.Traces[:len(r.arrivals)]
	order := make([]int, len(first))
	for i := range order {
		order[i] = i
	}
	if len(order) <= few {
		return order
	}
	var out []int
	for _, by := range []func(*Figures) float64{
		func(f *Figures) float64 { return f.Delay },
		func(f *Figures) float64 { return f.Concealed },
		func(f *Figures) float64 { return f.Unplayed },
		func(f *Figures) float64 {
			longest := 0.0
			for _, r := range f.Recovery {
				if r == nil {
					return math.Inf(1)
				}
				longest = max(longest, *r)
			}
			return longest
		},
	} {
		slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(by(&first[i]), by(&first[j])) })
		for _, i := range []int{order[0], order[len(order)/2], order[len(order)*9/10], order[len(order)-1]} {
			if !slices.Contains(out, i) {
				out = append(out, i)
			}
		}
	}
	slices.SortFunc(out, func(i, j int) int { return cmp.Compare(first[i].Delay, first[j].Delay) })
	return out
}

// draw is a trace under every buffer.
func (r *Report) draw(trace int) template.HTML {
	a := r.arrivals[trace]
	f := &r.Traces[trace]
	end := 6 * math.Ceil(a.last().Seconds()/6+0.01)
	order := a.order()
	network := make([]float64, len(order))
	highest := 0.0
	for i, k := range order {
		network[i] = ms(a.At[k]) - float64(k)*frameMS
		highest = max(highest, network[i])
	}
	for _, d := range r.views[trace].playout {
		if d > highest { // never so of a NaN
			highest = d
		}
	}
	top := 60.0 // a number that six parts of are round
	for top < highest {
		top *= 2
		if top == 480 {
			top = 600
		}
	}
	title := fmt.Sprintf("%s under %s: %.0f ms, %.2f %% concealed, %.2f %% unplayed", f.Trace, f.Buffer, f.Delay, f.Concealed, f.Unplayed)
	c := chart.New("Delay, ms. "+title, "seconds of the call", chart.Labels(end, 6), chart.Labels(top, 6))
	for _, m := range r.views[trace].concealed {
		if last := a.last().Seconds(); m[0] < last {
			c.Mark("conceal", m[0]/end, min(m[1], last)/end)
		}
	}
	c.Line("net", len(order), func(i int) (float64, float64) { return a.At[order[i]].Seconds() / end, network[i] / top })
	targets := r.views[trace].targets
	c.Line("target", len(targets), func(i int) (float64, float64) { return targets[i][0] / end, targets[i][1] / top })
	for b := len(r.buffers) - 1; b >= 0; b-- {
		playout := r.views[b*len(r.arrivals)+trace].playout
		c.Line(fmt.Sprintf("s%d", b), len(playout), func(i int) (float64, float64) {
			y := playout[i] / top
			if y > 1 {
				y = math.NaN() // a rival's that does not fit
			}
			return float64(i) * viewStep / 1000 / end, y
		})
	}
	return c.HTML()
}
