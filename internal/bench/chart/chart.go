// Package chart draws for the bench's pages: SVG that stands in the page itself,
// follows the reader's choice of dark or light, and needs nothing else.
//
//	20 ┌──────────────┐   Values are given as shares, 0 to 1, of the width and
//	   │    ╱╲__╱     │   the height; what is beyond is drawn at the edge.
//	 0 └──────────────┘
//	   0     s       30
package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// The drawing area, in SVG units.
const (
	wide, high = 900.0, 300.0
	left, foot = 50.0, 30.0
)

// Style is the CSS that every page shares: colours, tables, lines. Lines have a
// class for their colour; these are here: faint and bold.
const Style template.CSS = `:root{color-scheme:light dark;--ink:light-dark(#222,#ddd);--grid:light-dark(#ddd,#444)}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:light-dark(#fff,#181818);max-width:66rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:.1rem .6rem;text-align:right;border-bottom:1px solid var(--grid)}
td:first-child,th:first-child{text-align:left;white-space:nowrap}.scroll{overflow-x:auto}svg{width:100%;height:auto;margin:1rem 0}svg text{fill:var(--ink);font-size:12px}path{fill:none;stroke-width:1.5}
.grid{stroke:var(--grid);stroke-width:1}.faint{stroke:var(--ink);opacity:.25;stroke-width:1}.bold{stroke:light-dark(#c2410c,#fb923c);stroke-width:2.5}
`

// Chart is one picture being drawn.
type Chart struct{ b strings.Builder }

// New draws the frame of a picture and its labels, evenly spread over the width
// and the height; x says what is along the width.
func New(title, x string, xs, ys []string) *Chart {
	c := &Chart{}
	title, x = template.HTMLEscapeString(title), template.HTMLEscapeString(x)
	c.printf(`<svg viewBox="0 0 %g %g" role="img" aria-label="%s"><text x="%g" y="14">%s</text>`, left+wide+10, high+foot+25, title, left, title)
	for i, label := range xs {
		at := left + wide*float64(i)/float64(len(xs)-1)
		c.printf(`<path class="grid" d="M%.1f 20V%g"/><text x="%.1f" y="%g" text-anchor="middle">%s</text>`, at, 20+high, at, high+36, label)
	}
	for i, label := range ys {
		at := 20 + high*(1-float64(i)/float64(len(ys)-1))
		c.printf(`<path class="grid" d="M%g %.1fH%g"/><text x="%g" y="%.1f" text-anchor="end">%s</text>`, left, at, left+wide, left-6, at+4, label)
	}
	c.printf(`<text x="%g" y="%g" text-anchor="middle">%s</text>`, left+wide/2, high+foot+22, x)
	return c
}

// Line draws points as one line, which a NaN breaks.
func (c *Chart) Line(class string, points int, at func(i int) (x, y float64)) {
	c.printf(`<path class="%s" d="`, class)
	letter := "M"
	for i := range points {
		x, y := at(i)
		if math.IsNaN(y) {
			letter = "M"
			continue
		}
		c.printf("%s%.1f %.1f", letter, left+wide*min(1, max(0, x)), 20+high*(1-min(1, max(0, y))))
		letter = "L"
	}
	c.b.WriteString(`"/>`)
}

// Mark shades the picture from one x to another.
func (c *Chart) Mark(class string, from, to float64) {
	from, to = min(1, max(0, from)), min(1, max(0, to))
	c.printf(`<rect class="%s" x="%.1f" y="20" width="%.1f" height="%g"/>`, class, left+wide*from, max(0.5, wide*(to-from)), high)
}

// HTML is the picture.
func (c *Chart) HTML() template.HTML {
	return template.HTML(c.b.String() + "</svg>") // all text was escaped, all else is numbers
}

func (c *Chart) printf(format string, args ...any) { fmt.Fprintf(&c.b, format, args...) }

// Labels are steps+1 numbers from 0 to an end.
func Labels(end float64, steps int) []string {
	out := make([]string, steps+1)
	for i := range out {
		out[i] = fmt.Sprintf("%.0f", end*float64(i)/float64(steps))
	}
	return out
}
