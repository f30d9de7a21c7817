package tui

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/sottovoce/sotto/internal/api"
)

// press takes a key. Whoever asks for an answer, or for a line, has it first.
func (m *Model) press(k tea.Key) tea.Cmd {
	key := k.String()
	if len(key) == 1 && m.writing == nothing {
		key = strings.ToLower(key) // Caps Lock is no reason not to be answered
	}
	switch {
	case m.doubt != none && m.now.Sub(m.doubted) < startle:
		return nil
	case key == "ctrl+c":
		if m.doubt == toLeave {
			return tea.Quit
		}
		return m.leave()
	case m.doubt != none:
		return m.pressDoubt(key)
	case m.gone != nil:
		return m.pressGone(key)
	case m.writing != nothing:
		return m.pressLine(key, k.Text)
	case m.help:
		m.help = false
		return nil
	case key == "?":
		m.help = true
		return nil
	case key == "q":
		return m.leave()
	case key == "d":
		return m.do(action{verb: silent, on: !m.status.Silent})
	}
	if c := m.asking(); c != nil {
		if m.now.Sub(c.came) < startle && (key == "y" || key == "n" || c == m.current() && key != "tab") {
			return nil
		}
		switch key {
		case "y":
			return m.do(action{verb: answer, call: c.ID})
		case "n":
			return m.do(action{verb: decline, call: c.ID})
		}
	}
	if c := m.current(); c != nil {
		return m.pressCall(c, key, k.IsRepeat)
	}
	return m.pressHome(key)
}

// startle is how long after a call has come, or something was asked, keys are not
// taken: whoever was typing, as they believed elsewhere, has not seen it yet.
const startle = 500 * time.Millisecond

// leave leaves the screen, or asks first where a call is on.
func (m *Model) leave() tea.Cmd {
	if len(m.calls) == 0 {
		return tea.Quit
	}
	m.wonder(toLeave)
	return m.hush()
}

func (m *Model) wonder(about question) { m.doubt, m.doubted = about, m.now }

// pressDoubt takes the answer to a question; a key that is none is a no.
func (m *Model) pressDoubt(key string) tea.Cmd {
	about := m.doubt
	m.doubt = none
	switch {
	case about == toRecord:
		if key == "y" {
			return m.do(action{verb: record, call: m.shown, on: true})
		}
	case key == "y" && m.own, key == "l" && !m.own:
		return tea.Quit // a phone of its own hangs up by itself
	case key == "x" && !m.own:
		m.quit = true
		var cmds []tea.Cmd
		for _, c := range m.calls {
			cmds = append(cmds, m.do(action{verb: hangUp, call: c.ID}))
		}
		return tea.Batch(cmds...)
	}
	return nil
}

func (m *Model) pressGone(key string) tea.Cmd {
	switch key {
	case "q", "esc":
		return tea.Quit
	case "r":
		listen := m.listen
		return func() tea.Msg { return listen() }
	}
	return nil
}

// pressHome takes a key where no call is on.
func (m *Model) pressHome(key string) tea.Cmd {
	listed := m.listed()
	switch key {
	case "up", "k":
		m.chosen = max(0, m.chosen-1)
	case "down", "j":
		m.chosen = max(0, min(m.chosen+1, len(listed)-1))
	case "home":
		m.chosen = 0
	case "end":
		m.chosen = max(0, len(listed)-1)
	case "c", "/":
		m.writing, m.line = whom, nil
	case "enter":
		if m.chosen < len(listed) {
			return m.dial(listed[m.chosen].Name)
		}
	}
	return nil
}

func (m *Model) dial(whom string) tea.Cmd { return m.do(action{verb: dial, text: whom}) }

// pressCall takes a key in a call.
func (m *Model) pressCall(c *talk, key string, repeated bool) tea.Cmd {
	switch key {
	case "x":
		return m.do(action{verb: hangUp, call: c.ID})
	case "tab":
		m.turn()
		return nil
	case "m":
		c.push, c.speak = false, false
		return m.do(action{verb: mute, call: c.ID, on: !c.Muted})
	}
	if c.Phase != api.Talking {
		return nil
	}
	switch key {
	case "h":
		return m.do(action{verb: hold, call: c.ID, on: !c.Holding})
	case "r":
		if c.Recording || c.Announced {
			return m.do(action{verb: record, call: c.ID})
		}
		m.wonder(toRecord) // the other side would be told at once
		return m.hush()
	case "enter", "t":
		m.writing, m.line = chat, nil
		return m.hush()
	case "p":
		c.push, c.speak = !c.push, false
		return m.do(action{verb: mute, call: c.ID, on: c.push})
	case "space":
		held := repeated || m.now.Sub(m.spaced) < repeatWithin
		m.spaced = m.now
		if !c.push || held || m.releases && c.speak {
			return nil
		}
		c.speak = !c.speak
		return m.do(action{verb: mute, call: c.ID, on: !c.speak})
	}
	return nil
}

// repeatWithin is the most time between two presses of a key that is held down:
// a terminal that does not tell when a key is let go repeats it. Nobody taps
// twice as fast and means both.
const repeatWithin = 120 * time.Millisecond

// turn shows the next call.
func (m *Model) turn() {
	i := slices.IndexFunc(m.calls, func(c *talk) bool { return c.ID == m.shown })
	m.show(m.calls[(i+1)%len(m.calls)].ID)
}

// release takes a key that is let go: push-to-talk ends with it.
func (m *Model) release(k tea.Key) tea.Cmd {
	if k.Code == tea.KeySpace && m.releases {
		return m.hush()
	}
	return nil
}

// hush closes a microphone that push-to-talk has opened.
func (m *Model) hush() tea.Cmd {
	var cmds []tea.Cmd
	for _, c := range m.calls {
		if c.speak {
			c.speak = false
			cmds = append(cmds, m.do(action{verb: mute, call: c.ID, on: true}))
		}
	}
	return tea.Batch(cmds...)
}
