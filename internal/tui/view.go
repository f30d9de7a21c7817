package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// block is some lines of a page, and how soon they go where there is no room:
// of the highest rank first, the last line first, or the oldest if it is a log,
// or all at once of what would mislead in part.
type block struct {
	rank  int
	log   bool
	whole bool
	lines []string
}

// Ranks of blocks, from what must be seen to what is mere air.
const (
	must = iota
	state
	written // the newest lines of the chat
	notes
	figures
	meters
	talkRank
	circuits
	address
	air
)

// gap is an empty line.
func gap() block { return block{rank: air, lines: []string{""}} }

// View draws the page.
func (m *Model) View() tea.View {
	content, cursor := m.page()
	v := tea.NewView(content)
	v.AltScreen, v.ReportFocus, v.WindowTitle = true, true, "sotto"
	v.Cursor = cursor
	if c := m.current(); c != nil && c.push && m.writing == nothing {
		// Only so is a key that is let go told of.
		v.KeyboardEnhancements = tea.KeyboardEnhancements{ReportEventTypes: true, ReportAllKeysAsEscapeCodes: true, ReportAssociatedText: true}
	}
	return v
}

// page is the whole page, and where the cursor stands, if it is shown.
func (m *Model) page() (string, *tea.Cursor) {
	if m.width < 1 || m.height < 1 {
		return "", nil
	}
	above, below := m.body(), m.foot()
	lines := fit(above, below, m.height)
	for i, l := range lines {
		lines[i] = cut(l, m.width)
	}
	content := strings.Join(lines, "\n")
	if m.ascii {
		content = plainSigns.Replace(content)
	}
	if m.writing == nothing || m.doubt != none || m.height < 2 {
		return content, nil
	}
	_, column := m.prompt()
	return content, tea.NewCursor(min(column, m.width-1), m.height-2)
}

// fit puts blocks into height lines: some at the top, some at the bottom.
func fit(above, below []block, height int) []string {
	all := append(append([]block(nil), above...), below...)
	total := 0
	for _, b := range all {
		total += len(b.lines)
	}
	for total > height {
		worst := -1
		for i, b := range all {
			if len(b.lines) > 0 && (worst < 0 || b.rank > all[worst].rank) {
				worst = i
			}
		}
		b := &all[worst]
		total -= len(b.lines)
		switch {
		case b.whole:
			b.lines = nil
		case b.log:
			b.lines = b.lines[1:]
		default:
			b.lines = b.lines[:len(b.lines)-1]
		}
		total += len(b.lines)
	}
	lines := make([]string, 0, height)
	for i, b := range all {
		if i == len(above) {
			for range height - total {
				lines = append(lines, "")
			}
		}
		lines = append(lines, b.lines...)
	}
	return lines
}

// body is what the page is about.
func (m *Model) body() []block {
	switch c := m.current(); {
	case m.gone != nil:
		return m.viewGone()
	case m.help:
		return m.viewHelp()
	case c == nil:
		return m.viewHome()
	case c.rings():
		return append(m.viewOthers(c), m.viewIncoming(c)...)
	default:
		return append(m.viewOthers(c), m.viewCall(c)...)
	}
}

// viewGone says that there is no phone any more.
func (m *Model) viewGone() []block {
	return []block{
		{lines: []string{" " + m.look.bad.Render("The phone is gone")}},
		{rank: state, lines: m.paragraph(clean(m.gone.Error()))},
		gap(),
		{rank: figures, lines: m.paragraph(m.aim("Calls have ended with it. Start it again with sotto up, then press r here; or leave with q."))},
	}
}

// paragraph is text in lines, a column in.
func (m *Model) paragraph(text string) []string {
	lines := wrap(text, m.width-2)
	for i, l := range lines {
		lines[i] = " " + l
	}
	return lines
}

func (m *Model) viewHelp() []block {
	keys := []hint{
		{"↑ ↓ Enter", "choose a contact, and call"},
		{"c", "call by name or address; Tab takes the chosen name"},
		{"y n", "answer, decline"},
		{"x", "hang up"},
		{"m", "mute: nothing of you is sent"},
		{"h", "hold: neither side hears the other, until h again"},
		{"r", "record both voices (you are asked first), or end that"},
		{"Enter t", "write a line; Esc goes back"},
		{"p", "push-to-talk on or off"},
		{"Space", "then: speak while it is held, where the terminal tells of"},
		{"", "keys let go; elsewhere once to speak, once to be silent"},
		{"Tab", "to the other call"},
		{"d", "do not disturb on or off"},
		{"q Ctrl-C", "leave; in a call you are asked first"},
	}
	var lines []string
	for _, k := range keys {
		lines = append(lines, " "+m.look.key.Render(pad(k.key, 10))+" "+k.does)
	}
	about := " Every circuit's line is the last half minute: how late it ran behind the best."
	return []block{
		{lines: []string{" " + m.look.title.Render("Keys")}},
		{rank: state, lines: lines},
		gap(),
		{rank: address, lines: []string{about, " Each height is twice as late as the one before, from 10 ms on. Quality is the", " E-model's rating of what you hear, up to 100."}},
		gap(),
		{rank: circuits, lines: []string{fmt.Sprintf(" sotto %s", clean(m.status.Sotto))}},
	}
}
