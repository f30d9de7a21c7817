package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/sottovoce/sotto/internal/api"
)

// pressLine takes a key while a line is typed.
func (m *Model) pressLine(key, text string) tea.Cmd {
	switch key {
	case "esc":
		m.stopWriting()
	case "enter":
		return m.enter()
	case "backspace", "ctrl+h":
		m.line = m.line[:max(0, len(m.line)-1)]
	case "ctrl+u":
		m.line = nil
	case "ctrl+w":
		kept := strings.TrimRight(string(m.line), " ")
		m.line = []rune(kept[:strings.LastIndex(kept, " ")+1])
	case "tab":
		if listed := m.listed(); m.writing == whom && m.chosen < len(listed) {
			m.line = []rune(listed[m.chosen].Name)
		}
	case "up", "down":
		if m.writing == whom {
			return m.pressHome(key)
		}
	default:
		m.paste(text)
	}
	m.chosen = max(0, min(m.chosen, len(m.listed())-1))
	return nil
}

// paste adds text to the line that is typed, as far as it has room.
func (m *Model) paste(text string) {
	if m.writing == nothing || m.doubt != none {
		return
	}
	for _, r := range text {
		if r == '\t' || r == '\n' || r == '\r' {
			r = ' '
		}
		if shown(r) && len(string(m.line))+len(string(r)) <= maxLine {
			m.line = append(m.line, r)
		}
	}
}

// enter ends the line that is typed.
func (m *Model) enter() tea.Cmd {
	text, c := strings.TrimSpace(string(m.line)), m.current()
	switch {
	case text == "":
		m.stopWriting()
	case m.writing == whom:
		if listed := m.listed(); len(listed) > 0 && !slices.ContainsFunc(listed, func(c api.Contact) bool { return strings.EqualFold(c.Name, text) }) {
			m.line = []rune(listed[m.chosen].Name) // begun: shown whole before it is called
			return nil
		}
		m.stopWriting()
		return m.dial(text)
	case c != nil:
		m.line = nil // the next one may follow
		return m.do(action{verb: say, call: c.ID, text: text})
	}
	return nil
}

// listed are the contacts that fit what is typed.
func (m *Model) listed() []api.Contact {
	if m.writing != whom || len(m.line) == 0 {
		return m.contacts
	}
	begun := strings.ToLower(string(m.line))
	var fit []api.Contact
	for _, c := range m.contacts {
		if strings.HasPrefix(strings.ToLower(c.Name), begun) {
			fit = append(fit, c)
		}
	}
	return fit
}
