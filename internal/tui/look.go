package tui

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// look is how the screen's parts are drawn, for one kind of background.
type look struct {
	title, dim, key, good, fair, bad, accent, chosen lipgloss.Style
}

func newLook(dark bool) look {
	colour := func(light, onDark string) lipgloss.Style {
		return lipgloss.NewStyle().Foreground(lipgloss.LightDark(dark)(lipgloss.Color(light), lipgloss.Color(onDark)))
	}
	return look{
		title:  lipgloss.NewStyle().Bold(true),
		dim:    colour("#59636e", "#9198a1"),
		key:    colour("#0550ae", "#79c0ff").Bold(true),
		good:   colour("#116329", "#56d364"),
		fair:   colour("#7d4e00", "#e3b341"),
		bad:    colour("#a40e26", "#ff7b72").Bold(true),
		accent: colour("#6639ba", "#d2a8ff"),
		chosen: lipgloss.NewStyle().Reverse(true),
	}
}

// quality is the style of a quality's word.
func (l *look) quality(word string) lipgloss.Style {
	switch word {
	case "good":
		return l.good
	case "fair":
		return l.fair
	case "poor", "bad":
		return l.bad
	}
	return l.dim
}

// width is how many columns text takes, by whichever of the two ways in which
// terminals count finds more.
func width(text string) int { return max(ansi.StringWidth(text), ansi.StringWidthWc(text)) }

// cut is text that takes at most n columns.
func cut(text string, n int) string {
	if n <= 0 {
		return ""
	}
	// Cutting and counting do not always agree on rare signs, so it is tried
	// until it fits.
	for k := n; k > 0 && width(text) > n; k-- {
		text = ansi.TruncateWc(ansi.Truncate(text, k, "…"), k, "…")
	}
	return text
}

// pad is text that takes n columns exactly.
func pad(text string, n int) string {
	text = cut(text, n)
	return text + strings.Repeat(" ", max(0, n-width(text)))
}

// wrap breaks text into lines of at most n columns, at spaces where it can.
func wrap(text string, n int) []string {
	if n < 1 {
		return nil
	}
	return strings.Split(ansi.WrapWc(text, n, ""), "\n")
}

// sides is a line with something at each of its ends; the left one gives way.
func sides(left, right string, n int) string {
	room := n - width(right)
	if right == "" || room < 8 {
		return cut(left, n)
	}
	return pad(cut(left, room-1), room) + right
}

// bars are the eight heights of a sparkline.
const bars = "▁▂▃▄▅▆▇█"

// spark draws the last n seconds of a path's lateness, up to the second now.
// Each height is twice as late as the one before it, from 10 ms on.
func spark(l *lateness, now int64, n int) string {
	heights := []rune(bars)
	var out strings.Builder
	for s := now - int64(n) + 1; s <= now; s++ {
		ms := l.at(s)
		if ms < 0 {
			out.WriteByte(' ')
			continue
		}
		i := 0
		for bound := int64(10); ms >= bound && i < len(heights)-1; bound *= 2 {
			i++
		}
		out.WriteRune(heights[i])
	}
	return out.String()
}

// bar is a part of n columns, from 0 to 1.
func bar(part float64, n int) (full, rest string) {
	k := int(min(max(part, 0), 1)*float64(n) + 0.5)
	return strings.Repeat("█", k), strings.Repeat("░", n-k)
}

// floor is the level in dBFS at which a meter is empty.
const floor = -60.0

// loudness is the part of a meter that a level in dBFS fills.
func loudness(dBFS float64) float64 { return (dBFS - floor) / -floor }

// plainSigns stand for the screen's signs where a terminal has ASCII alone.
var plainSigns = strings.NewReplacer("▁", "_", "▂", ".", "▃", "-", "▄", "=", "▅", "+", "▆", "*", "▇", "%", "█", "#", "░", ".",
	"✓", "+", "✗", "x", "·", "-", "▸", ">", "●", "*", "…", "~", "─", "-", "↑", "^", "↓", "v")

// palette is how many colours the terminal has, as the environment says: nobody
// else is asked, and no program started. With NO_COLOR, whatever it holds, there
// are none.
func palette(env []string) colorprofile.Profile {
	for _, v := range env {
		if name, value, _ := strings.Cut(v, "="); name == "NO_COLOR" && value != "" {
			return colorprofile.ASCII
		}
	}
	return colorprofile.Env(env)
}

// utf8Locale tells from the environment whether the terminal takes UTF-8.
func utf8Locale(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(env(name)); v != "" {
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}
