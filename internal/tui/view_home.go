package tui

import (
	"fmt"
	"strings"

	"github.com/sottovoce/sotto/internal/api"
)

// viewHome is the page where no call is on.
func (m *Model) viewHome() []block {
	if !m.known {
		return []block{{lines: []string{" " + m.look.title.Render("sotto")}}, gap(), {lines: []string{" looking for the phone …"}}}
	}
	blocks := []block{{lines: []string{sides(" "+m.look.title.Render("sotto"), m.standing()+" ", m.width)}}}
	blocks = append(blocks, block{rank: address, whole: true, lines: m.viewAddress(m.status.Address, "you are at")}, gap())
	if way := m.viewWay(); way != nil {
		blocks = append(blocks, block{rank: state, lines: way}, gap())
	}
	missed := m.viewMissed()
	used := len(missed)
	for _, b := range append(blocks, m.foot()...) {
		used += len(b.lines)
	}
	blocks = append(blocks, block{rank: figures, lines: m.viewContacts(m.height - used)})
	if missed != nil {
		blocks = append(blocks, gap(), block{rank: meters, log: true, lines: missed})
	}
	return blocks
}

// standing is whether the phone can be called, and by whom.
func (m *Model) standing() string {
	s := m.status
	var words []string
	switch {
	case s.Tor.Offline && s.Phase != api.Starting:
		words = append(words, m.look.bad.Render("● offline, cannot be called"))
	case s.Phase == api.Up:
		words = append(words, m.look.good.Render("● up"))
		if rings := clean(s.Rings); rings != "" && m.width >= 60 {
			words = append(words, m.look.dim.Render(rings))
		}
	case s.Phase == api.Calling:
		words = append(words, m.look.dim.Render("calls only, cannot be called"))
	case s.Phase == api.Publishing:
		words = append(words, m.look.fair.Render("publishing"))
	default:
		words = append(words, m.look.fair.Render("starting"))
	}
	if s.Closed {
		words = append(words, m.look.dim.Render("closed"))
	}
	if s.Silent {
		words = append(words, m.look.bad.Render("do not disturb"))
	}
	return strings.Join(words, m.look.dim.Render(" · "))
}

// viewAddress is a whole address in groups, in one line if it has room.
func (m *Model) viewAddress(addr, label string) []string {
	text := groups(addr)
	if text == "" {
		return nil
	}
	if label != "" && width(text)+width(label)+3 <= m.width {
		return []string{" " + m.look.dim.Render(label+" "+text)}
	}
	perLine := (m.width - 1) / 8 * 8
	if perLine < 8 {
		return []string{" " + text}
	}
	var lines []string
	for len(text) > 0 {
		n := min(perLine, len(text))
		lines = append(lines, " "+m.look.dim.Render(strings.TrimSpace(text[:n])))
		text = text[n:]
	}
	return lines
}

// viewWay is how far the phone is on its way to be up.
func (m *Model) viewWay() []string {
	t := m.status.Tor
	var lines []string
	switch m.status.Phase {
	case api.Starting, api.Calling:
		if t.Percent >= 100 {
			break
		}
		full, rest := bar(float64(t.Percent)/100, max(8, min(40, m.width-24)))
		lines = append(lines, fmt.Sprintf(" tor %s%s %3d %%", m.look.good.Render(full), m.look.dim.Render(rest), t.Percent))
		if s := clean(t.Summary); s != "" {
			lines = append(lines, " "+m.look.dim.Render(s))
		}
	case api.Publishing:
		lines = append(lines, " tor is ready; publishing your address, so that it can be called …")
	}
	for _, w := range []string{clean(t.Warning), clean(t.Advice)} {
		if w != "" {
			for _, l := range m.paragraph(w) {
				lines = append(lines, m.look.fair.Render(l))
			}
		}
	}
	return lines
}

// viewContacts is a window of at most height lines on the contacts, around the
// chosen one.
func (m *Model) viewContacts(height int) []string {
	lines := []string{" " + m.look.title.Render("Contacts")}
	listed := m.listed()
	if len(listed) == 0 {
		text := m.aim("nobody yet: sotto contacts add NAME takes a friend's card; c calls an address")
		if m.writing == whom && len(m.line) > 0 {
			text = "no contact begins like that; Enter calls what is written"
		}
		for _, l := range m.paragraph(text) {
			lines = append(lines, m.look.dim.Render(l))
		}
		return lines
	}
	rows := max(1, min(len(listed), height-1))
	first := min(max(0, m.chosen-rows/2), len(listed)-rows)
	names := 16
	for _, c := range listed {
		names = max(names, min(width(c.Name), m.width-20, 40))
	}
	for i, c := range listed[first : first+rows] {
		state := "  not verified"
		switch {
		case c.Blocked:
			state = "✗ blocked"
		case c.Verified:
			state = "✓ verified"
		}
		mark, name := "  ", pad(c.Name, names)
		if first+i == m.chosen {
			mark, name = "▸ ", m.look.chosen.Render(name)
		}
		style := m.look.dim
		if c.Verified && !c.Blocked {
			style = m.look.good
		} else if c.Blocked {
			style = m.look.bad
		}
		line := " " + mark + name + "  " + style.Render(state)
		if c.Auto {
			line += m.look.dim.Render(" · answered without asking")
		}
		lines = append(lines, line)
	}
	if more := len(listed) - rows; more > 0 {
		lines[0] += m.look.dim.Render(fmt.Sprintf("  %d of %d", m.chosen+1, len(listed)))
	}
	return lines
}

// maxMissed calls are kept and shown, the newest.
const maxMissed = 5

// viewMissed are the calls that were missed, the newest last.
func (m *Model) viewMissed() []string {
	all := m.status.Missed
	if len(all) == 0 {
		return nil
	}
	lines := []string{" " + m.look.title.Render("Missed")}
	for _, c := range all {
		at := c.At.In(m.zone).Format("Mon 15:04")
		lines = append(lines, fmt.Sprintf("   %s  %s  %s", at, pad(who(clean(c.Name)), 14), m.look.dim.Render(clean(c.Why))))
	}
	return lines
}
