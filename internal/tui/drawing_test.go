package tui

import (
	"fmt"
	"html"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// drawing is a terminal's page, with its styles as ANSI sequences, as an SVG.
func drawing(page string, columns, rows int) string {
	const (
		cell, line, size  = 8.4, 18.0, 14
		margin            = 12.0
		back, fore        = "#0d1117", "#e6edf3"
		family            = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Noto Sans Mono CJK JP', monospace"
		boxes             = "█░▁▂▃▄▅▆▇"
		wide, high        = 2 * margin, 2 * margin
		document          = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="%s" font-size="%d">` + "\n" + `<rect width="100%%" height="100%%" rx="8" fill="%s"/>` + "\n"
		text, rectangular = `<text x="%.1f" y="%.1f" fill="%s"%s xml:space="preserve"%s>%s</text>` + "\n", `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"%s/>` + "\n"
	)
	var out strings.Builder
	fmt.Fprintf(&out, document, wide+cell*float64(columns), high+line*float64(rows), family, size, back)
	var s pen
	for row, l := range strings.Split(strings.TrimRight(page, "\n"), "\n") {
		x, y := 0, margin+line*float64(row)
		flush := func(run string, at int) {
			if strings.TrimSpace(run) == "" && !s.reverse {
				return
			}
			colour, weight := s.colour, ""
			if colour == "" {
				colour = fore
			}
			n := width(run)
			if s.reverse {
				fmt.Fprintf(&out, rectangular, margin+cell*float64(at), y, cell*float64(n), line, colour, "")
				colour = back
			}
			if s.bold {
				weight = ` font-weight="bold"`
			}
			length := fmt.Sprintf(` textLength="%.1f" lengthAdjust="spacingAndGlyphs"`, cell*float64(n))
			fmt.Fprintf(&out, text, margin+cell*float64(at), y+13.5, colour, weight, length, html.EscapeString(run))
		}
		run, from := "", 0
		var state byte
		for len(l) > 0 {
			seq, n, used, next := ansi.DecodeSequence(l, state, nil)
			l, state = l[used:], next
			switch {
			case n == 0: // a sequence
				flush(run, from)
				run, from = "", x
				s.take(seq)
			case strings.Contains(boxes, seq): // drawn, so that they join
				flush(run, from)
				part, opacity := 1.0, ""
				if i := strings.Index(bars, seq); i >= 0 {
					part = float64(i/3+1) / 8
				}
				if seq == "░" {
					opacity = ` opacity="0.3"`
				}
				colour := s.colour
				if colour == "" {
					colour = fore
				}
				fmt.Fprintf(&out, rectangular, margin+cell*float64(x), y+2+(line-4)*(1-part), cell, (line-4)*part, colour, opacity)
				x++
				run, from = "", x
			default:
				run += seq
				x += n
			}
		}
		flush(run, from)
	}
	out.WriteString("</svg>\n")
	return out.String()
}

// pen is the style that ANSI sequences have chosen.
type pen struct {
	colour        string
	bold, reverse bool
}

// take follows a sequence that chooses a style.
func (p *pen) take(seq string) {
	inner, ok := strings.CutPrefix(seq, "\x1b[")
	inner, style := strings.CutSuffix(inner, "m")
	if !ok || !style {
		return
	}
	words := strings.FieldsFunc(inner, func(r rune) bool { return r == ';' || r == ':' })
	if len(words) == 0 {
		*p = pen{}
	}
	numbers := make([]int, len(words))
	for i, w := range words {
		numbers[i], _ = strconv.Atoi(w)
	}
	for len(numbers) > 0 {
		used := 1
		switch n := numbers[0]; {
		case n == 0:
			*p = pen{}
		case n == 1:
			p.bold = true
		case n == 7:
			p.reverse = true
		case n == 22:
			p.bold = false
		case n == 27:
			p.reverse = false
		case n == 39:
			p.colour = ""
		case n == 38 && len(numbers) >= 5 && numbers[1] == 2:
			p.colour, used = fmt.Sprintf("#%02x%02x%02x", numbers[2], numbers[3], numbers[4]), 5
		case n == 38 && len(numbers) >= 3 && numbers[1] == 5:
			r, g, b, _ := ansi.IndexedColor(numbers[2]).RGBA()
			p.colour, used = fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8), 3
		}
		numbers = numbers[used:]
	}
}
