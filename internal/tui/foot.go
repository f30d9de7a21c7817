package tui

import (
	"strings"

	"github.com/sottovoce/sotto/internal/api"
)

// foot is what stands at the bottom: notices, the line that is typed, keys.
func (m *Model) foot() []block {
	var lines []string
	for _, n := range m.notices {
		style := m.look.accent
		if n.bad {
			style = m.look.bad
		}
		for i, l := range wrap(n.text, m.width-3) {
			mark := " · "
			if i > 0 {
				mark = "   "
			}
			lines = append(lines, style.Render(mark+l))
		}
	}
	blocks := []block{{rank: notes, log: true, lines: lines}}
	if m.writing != nothing && m.doubt == none {
		line, _ := m.prompt()
		blocks = append(blocks, block{lines: []string{line}})
	}
	return append(blocks, block{lines: []string{m.keys()}})
}

// prompt is the line that is typed, as much of its end as there is room for, and
// the cursor's column.
func (m *Model) prompt() (string, int) {
	label := " say: "
	if m.writing == whom {
		label = " call (name or address): "
		if m.width < 50 {
			label = " call: "
		}
	}
	room := m.width - width(label) - 1
	text := m.line
	for len(text) > 0 && width(string(text)) > max(room, 0) {
		text = text[1:]
	}
	return m.look.title.Render(label) + string(text), width(label) + width(string(text))
}

// hint is a key and what it does.
type hint struct{ key, does string }

// keys is the line of the keys that mean something now, as many as have room;
// the first are the most needed.
func (m *Model) keys() string {
	var out strings.Builder
	room := m.width
	for _, h := range m.hints() {
		n := 1 + width(h.key) + 1 + width(h.does) + 1
		if n > room {
			break
		}
		room -= n
		out.WriteString(" " + m.look.key.Render(h.key) + " " + m.look.dim.Render(h.does) + " ")
	}
	return out.String()
}

func (m *Model) hints() []hint {
	c, ringing := m.current(), m.asking()
	switch {
	case m.doubt == toRecord && c != nil:
		if m.width < 60 {
			return []hint{{"y", "record"}, {"Esc", "do not"}}
		}
		return []hint{{"y", "record both voices, they are told"}, {"Esc", "do not"}}
	case m.doubt == toLeave && m.own:
		return []hint{{"y", onOff(m.width < 35, "leave", "hang up and leave")}, {"Esc", "stay"}}
	case m.doubt == toLeave && m.width < 65:
		return []hint{{"x", "hang up"}, {"l", "leave"}, {"Esc", "stay"}}
	case m.doubt == toLeave:
		return []hint{{"x", "hang up and leave"}, {"l", "leave, the call goes on"}, {"Esc", "stay"}}
	case m.gone != nil:
		return []hint{{"r", "look again"}, {"q", "leave"}}
	case m.writing == chat:
		return []hint{{"Enter", "say it"}, {"Esc", "back"}}
	case m.writing == whom:
		return []hint{{"Enter", "call"}, {"Esc", "back"}, {"Tab", "take the name"}, {"↑↓", "choose"}}
	case m.help:
		return []hint{{"any key", "back"}}
	case ringing != nil:
		hints := append([]hint{{"y", "answer"}, {"n", "decline"}}, m.others("?", "help")...)
		if c != ringing {
			hints = append(hints, hint{"x", "hang up"})
		}
		return append(hints, hint{"q", "leave"})
	case c == nil:
		return []hint{{"Enter", "call"}, {"c", "call another"}, {"?", "help"}, {"q", "leave"}, {"↑↓", "choose"}, {"d", onOff(m.status.Silent, "ring again", "do not disturb")}}
	case c.Phase != api.Talking:
		return append([]hint{{"x", "hang up"}}, m.others("?", "help", "q", "leave")...)
	}
	hints := []hint{{"x", "hang up"}, {"m", onOff(c.Muted && !c.push, "unmute", "mute")}}
	if c.push && m.releases {
		hints = append(hints, hint{"Space", "hold to talk"})
	} else if c.push {
		hints = append(hints, hint{"Space", onOff(c.speak, "be silent", "talk")})
	}
	hints = append(hints, hint{"Enter", "chat"}, hint{"h", onOff(c.Holding, "resume", "hold")})
	return append(hints, m.others("r", onOff(c.Recording || c.Announced, "end recording", "record"), "?", "help", "p", "push-to-talk", "q", "leave")...)
}

// others are hints, after the one for other calls if there are any.
func (m *Model) others(pairs ...string) (hints []hint) {
	if len(m.calls) > 1 {
		hints = append(hints, hint{"Tab", "other call"})
	}
	for i := 0; i < len(pairs); i += 2 {
		hints = append(hints, hint{pairs[i], pairs[i+1]})
	}
	return hints
}

func onOff(on bool, yes, no string) string {
	if on {
		return yes
	}
	return no
}
