package tui

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/sottovoce/sotto/internal/api"
)

// expect checks what was asked of the phone since the last time, lists of
// contacts apart.
func (s *stage) expect(t *testing.T, want ...action) {
	t.Helper()
	got := slices.DeleteFunc(s.asked, func(a action) bool { return a.verb == list })
	s.asked = nil
	if !slices.Equal(got, want) {
		t.Errorf("asked of the phone: %+v, not %+v", got, want)
	}
}

// quits says whether a key ends the screen.
func (s *stage) quits(name string) bool {
	return ends(s.update(key(name)))
}

func ends(cmd tea.Cmd) bool {
	if cmd == nil {
		return false
	}
	switch msg := cmd().(type) {
	case tea.QuitMsg:
		return true
	case tea.BatchMsg:
		return slices.ContainsFunc(msg, ends)
	}
	return false
}

func TestKeysAtHome(t *testing.T) {
	s := newStage()
	s.hear(status(api.Up))
	s.press("down", "down", "up", "enter")
	s.expect(t, action{verb: dial, text: "bob"})
	s.press("c")
	s.write("An")
	s.press("enter") // it is shown whole first
	s.expect(t)
	if string(s.line) != "ann" {
		t.Errorf("the line is %q", string(s.line))
	}
	s.press("enter")
	s.expect(t, action{verb: dial, text: "ann"})
	s.press("c")
	s.send(tea.PasteMsg{Content: annAddress[:20] + "\x1b[31m\u202e" + annAddress[20:] + "\n"})
	s.press("enter")
	s.expect(t, action{verb: dial, text: annAddress[:20] + "[31m" + annAddress[20:]})
	s.press("c")
	s.write("xyz q")
	s.press("esc", "d")
	s.expect(t, action{verb: silent, on: true})
	s.press("c")
	s.write("日本")
	s.press("backspace", "tab", "enter")
	s.expect(t, action{verb: dial, text: "日本語の友"})
	s.press("c")
	s.write("a b  c")
	s.press("ctrl+w")
	if string(s.line) != "a b  " {
		t.Errorf("the line is %q", string(s.line))
	}
	s.press("ctrl+u")
	if len(s.line) != 0 {
		t.Errorf("the line is %q", string(s.line))
	}
	s.write("x")
	s.send(tea.PasteMsg{Content: strings.Repeat("é", maxLine)})
	if n := len(string(s.line)); n != maxLine {
		t.Errorf("the line has %d bytes", n)
	}
	s.press("esc")
	if !s.quits("q") {
		t.Error("q does not leave where no call is on")
	}
}

func TestKeysInACall(t *testing.T) {
	s := newStage()
	s.hear(status(api.Up), change(stranger()))
	s.press("y", "n") // meant for something else
	s.expect(t)
	s.after(time.Second)
	s.press("n", "Y")
	s.expect(t, action{verb: decline, call: "2"}, action{verb: answer, call: "2"})
	c := stranger()
	c.Phase = api.Talking
	s.hear(change(c))
	s.press("m", "h")
	s.expect(t, action{verb: mute, call: "2", on: true}, action{verb: hold, call: "2", on: true})
	c.Muted, c.Holding, c.Announced = true, true, true
	s.hear(change(c))
	s.press("m", "h", "r")
	s.expect(t, action{verb: mute, call: "2"}, action{verb: hold, call: "2"}, action{verb: record, call: "2"})
	s.press("enter")
	s.write("hi, q x m")
	s.press("enter")
	s.expect(t, action{verb: say, call: "2", text: "hi, q x m"})
	s.press("esc", "x")
	s.expect(t, action{verb: hangUp, call: "2"})
	// Leaving asks first, and what was being typed is no answer.
	if s.quits("q") || s.doubt != toLeave {
		t.Error("q in a call does not ask")
	}
	for _, k := range []string{"l", "x", "n", "ctrl+c"} {
		if s.quits(k) || s.doubt != toLeave {
			t.Errorf("%s is taken right after the question", k)
		}
	}
	s.expect(t)
	s.after(startle)
	if s.quits("n") || s.doubt != none {
		t.Error("n does not stay")
	}
	s.press("ctrl+c")
	s.after(startle)
	if !s.quits("ctrl+c") {
		t.Error("Ctrl-C twice does not leave")
	}
	s.press("n", "q")
	s.after(startle)
	if !s.quits("l") {
		t.Error("l does not leave")
	}
	s.press("esc", "q")
	s.after(startle)
	s.press("x") // hangs up first, then leaves
	s.expect(t, action{verb: hangUp, call: "2"})
	if !s.quit {
		t.Error("x does not leave")
	}
}

// Nothing is recorded by a key that was meant for something else: r asks.
func TestRecordIsAsked(t *testing.T) {
	s := newStage()
	c := talking()
	s.hear(status(api.Up), change(c))
	for _, k := range []string{"esc", "n", "r"} {
		s.press("r", "y", "y") // typed on
		s.after(startle)
		s.press(k)
		s.expect(t)
		s.press("esc")
		s.after(startle)
		s.press("esc")
	}
	// A call that comes takes the question back: y is for that one.
	s.press("r")
	s.hear(change(stranger()))
	s.after(startle)
	s.press("y")
	s.expect(t, action{verb: answer, call: "2"})
	s.press("tab", "r") // another call is shown: not that one
	s.after(startle)
	c.ID = s.shown
	over := c
	over.Phase, over.End = api.Over, &api.End{}
	s.hear(change(over))
	if s.doubt != none {
		t.Error("a call that is over is asked about")
	}
	s = newStage()
	s.hear(status(api.Up), change(talking()))
	s.press("r")
	s.after(startle)
	s.press("y")
	s.expect(t, action{verb: record, call: "1", on: true})
}

// The call ends while it is asked whether to leave: the next key is no answer.
func TestOverWhileAsked(t *testing.T) {
	s := newStage()
	c := talking()
	s.hear(status(api.Up), change(c))
	s.press("q")
	c.Phase, c.End = api.Over, &api.End{}
	s.hear(change(c))
	if s.quits("n") {
		t.Error("n leaves")
	}
}

func TestCallWaiting(t *testing.T) {
	s := newStage()
	c := talking()
	s.hear(status(api.Up), change(c), change(stranger()))
	if s.shown != "1" {
		t.Errorf("call %s is shown", s.shown)
	}
	s.press("enter")
	s.write("yn")
	s.press("esc")
	s.expect(t)
	s.after(time.Second)
	s.press("y")
	s.expect(t, action{verb: answer, call: "2"})
	second := stranger()
	second.Phase = api.Talking
	s.hear(change(second))
	if s.shown != "2" {
		t.Errorf("call %s is shown", s.shown)
	}
	s.press("tab", "m")
	s.expect(t, action{verb: mute, call: "1", on: true})
	c.Phase, c.End = api.Over, &api.End{}
	s.hear(change(c))
	s.press("x")
	s.expect(t, action{verb: hangUp, call: "2"})
	s.hear(status(api.Up))
	if s.current() != nil {
		t.Error("a call is shown that the phone does not know")
	}
}

// Both have dialled each other: the call that goes on is shown, and nothing is
// said of the other's end.
func TestGlare(t *testing.T) {
	s := newStage()
	own := talking()
	own.Phase = api.Dialing
	s.hear(status(api.Up), change(own))
	theirs := talking()
	theirs.ID, theirs.Outgoing = "2", false
	s.hear(change(theirs))
	own.Phase, own.End = api.Over, &api.End{Instead: "2"}
	s.hear(change(own))
	if s.shown != "2" || len(s.calls) != 1 || len(s.notices) != 0 {
		t.Errorf("call %s of %d is shown, with %v", s.shown, len(s.calls), s.notices)
	}
}

// After a call that came to nothing Enter calls again.
func TestAgain(t *testing.T) {
	s := newStage()
	c := talking()
	c.Name, c.Phase = "bob", api.Dialing
	s.hear(status(api.Up), change(c))
	c.Phase, c.End = api.Over, &api.End{Exit: 4, Error: "not reached", Again: true}
	s.hear(change(c))
	s.press("enter")
	s.expect(t, action{verb: dial, text: "bob"})
	if page := text(s.View().Content); !strings.Contains(page, "bob: not reached") {
		t.Errorf("it shows\n%s", page)
	}
}

func TestPushToTalkToggled(t *testing.T) {
	s := newStage()
	s.hear(status(api.Up), change(talking()))
	s.press("space")
	s.expect(t)
	s.after(time.Second)
	s.press("p", "space", "space") // which is held, and so repeated
	s.after(100 * time.Millisecond)
	s.press("space")
	s.after(time.Second)
	s.press("space")
	s.expect(t, action{verb: mute, call: "1", on: true}, action{verb: mute, call: "1"}, action{verb: mute, call: "1", on: true})
	s.after(time.Second)
	s.press("space", "enter") // who writes does not speak
	s.expect(t, action{verb: mute, call: "1"}, action{verb: mute, call: "1", on: true})
	s.press("esc", "p")
	s.expect(t, action{verb: mute, call: "1"})
}

// What another terminal does to the microphone is seen.
func TestPushToTalkOpenedElsewhere(t *testing.T) {
	const open = "your microphone is open"
	s := newStage()
	c := talking()
	s.hear(status(api.Up), change(c))
	s.press("p")
	c.Muted = true
	s.hear(change(c))
	if page, _ := s.page(); strings.Contains(page, open) {
		t.Errorf("it is not:\n%s", page)
	}
	c.Muted = false
	s.hear(change(c))
	if page, _ := s.page(); !strings.Contains(page, open) {
		t.Errorf("it does not say so:\n%s", page)
	}
	s.asked = nil
	s.press("m")
	s.expect(t, action{verb: mute, call: "1", on: true})
}

func TestPushToTalkHeld(t *testing.T) {
	s := newStage()
	s.hear(status(api.Up), change(talking()))
	s.press("p")
	if k := s.View().KeyboardEnhancements; !k.ReportEventTypes || !k.ReportAllKeysAsEscapeCodes {
		t.Error("the terminal is not asked to tell of keys let go")
	}
	s.send(tea.KeyboardEnhancementsMsg{Flags: ansi.KittyAllFlags})
	s.asked = nil
	held := tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	again := held
	again.IsRepeat = true
	s.send(held, again, again, held)
	s.expect(t, action{verb: mute, call: "1"})
	s.send(tea.KeyReleaseMsg{Code: tea.KeySpace}, tea.KeyReleaseMsg{Code: tea.KeySpace})
	s.expect(t, action{verb: mute, call: "1", on: true})
	s.after(time.Second)
	s.send(held, tea.BlurMsg{}) // the release may go elsewhere
	s.expect(t, action{verb: mute, call: "1"}, action{verb: mute, call: "1", on: true})
	s.press("q")
	s.after(time.Second)
	s.press("n")
	s.send(held)
	s.press("enter")
	if k := s.View().KeyboardEnhancements; k.ReportEventTypes {
		t.Error("text is typed with keys told as codes")
	}
	s.expect(t, action{verb: mute, call: "1"}, action{verb: mute, call: "1", on: true})
}

// Actions go to the phone one after the other, whatever the speed of keys.
func TestActionsKeepTheirOrder(t *testing.T) {
	m := New(begun, false)
	var asked []action
	m.perform = func(a action) tea.Msg { asked = append(asked, a); return doneMsg{at: begun, action: a} }
	m.Update(eventMsg{begun, change(talking())})
	for _, k := range []string{"p", "space", "space", "x"} {
		m.Update(keyMsg{m.now.Add(time.Second), tea.Key(key(k))})
	}
	if len(m.queue) != 4 {
		t.Fatalf("%d actions wait", len(m.queue))
	}
	for len(m.queue) > 0 {
		m.Update(m.perform(m.queue[0]))
	}
	want := []action{{verb: mute, call: "1", on: true}, {verb: mute, call: "1"}, {verb: mute, call: "1", on: true}, {verb: hangUp, call: "1"}}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %+v", asked)
	}
}

func TestErrorsAreShown(t *testing.T) {
	s := newStage()
	s.hear(status(api.Up))
	s.phone = func(action) error { return errors.New("no such contact: \x1b]0;evil\a\"bbo\", did you mean bob?") }
	s.press("enter")
	page := text(s.View().Content)
	if !strings.Contains(page, `no such contact: ]0;evil"bbo", did you mean bob?`) || strings.ContainsAny(s.View().Content, "\a") {
		t.Errorf("it shows\n%s", page)
	}
	// Why a call has failed stays until a key is pressed; other things go.
	s.hear(api.Event{Notice: "a headset is there"})
	s.after(noticeFor)
	if page := text(s.View().Content); !strings.Contains(page, "no such") || strings.Contains(page, "headset") {
		t.Errorf("after a while it shows\n%s", page)
	}
	s.press("down")
	if page := text(s.View().Content); strings.Contains(page, "no such") {
		t.Errorf("after a key it still shows\n%s", page)
	}
}

// What was told before a call is no business of the call's.
func TestNoticesEndWhereACallBegins(t *testing.T) {
	s := newStage()
	s.hear(status(api.Up), api.Event{Notice: "a headset is there"}, change(talking()), api.Event{Notice: "the disk is full"})
	if page := text(s.View().Content); strings.Contains(page, "headset") || !strings.Contains(page, "the disk is full") {
		t.Errorf("it shows\n%s", page)
	}
}

// A phone of the screen's own that fails ends it; another's may come back.
func TestGone(t *testing.T) {
	m := New(begun, true)
	gone := errors.New("gone")
	if _, cmd := m.Update(goneMsg{gone}); !ends(cmd) || !errors.Is(m.failure, gone) {
		t.Errorf("it goes on, with %v", m.failure)
	}
	s := newStage()
	looked := false
	s.listen = func() tea.Msg { looked = true; return nil }
	s.hear(status(api.Up), change(talking()))
	s.send(goneMsg{gone})
	ends(s.update(key("r")))
	if !looked {
		t.Error("r does not look for the phone")
	}
	s.hear(status(api.Up))
	if s.gone != nil || s.current() != nil {
		t.Error("the phone is back, and not shown")
	}
}

func TestItRings(t *testing.T) {
	s := newStage()
	bells := 0
	count := func(cmd tea.Cmd) {
		var look func(tea.Cmd)
		look = func(c tea.Cmd) {
			if c == nil {
				return
			}
			switch msg := c().(type) {
			case tea.RawMsg:
				bells++
			case tea.BatchMsg:
				for _, c := range msg {
					look(c)
				}
			}
		}
		look(cmd)
	}
	s.ticking = true // whose command would wait
	for i := range 10 {
		_, cmd := s.Update(eventMsg{begun.Add(time.Duration(i) * time.Second), change(stranger())})
		count(cmd)
	}
	if bells != 4 {
		t.Errorf("the bell rang %d times in ten seconds", bells)
	}
}

// Who is on hold is not heard, and the meter does not say otherwise.
func TestHeldIsSilent(t *testing.T) {
	s := newStage()
	c := talking()
	s.hear(status(api.Up), change(c))
	loud := text(s.View().Content)
	c.Held = true
	s.hear(change(c))
	if page := text(s.View().Content); !strings.Contains(loud, "-18 dB") || strings.Contains(page, "-18 dB") {
		t.Errorf("it shows\n%s\nand on hold\n%s", loud, page)
	}
}

func TestLateness(t *testing.T) {
	var l lateness
	l.add(100, 50)
	l.add(100, 20)
	l.add(103, -5)
	l.add(60, 7) // too old
	for second, want := range map[int64]int64{100: 50, 101: -1, 102: -1, 103: 0, 104: -1, 60: -1, 73: -1} {
		if got := l.at(second); got != want {
			t.Errorf("second %d: %d, not %d", second, got, want)
		}
	}
	l.add(1_000_000, 1_000_000)
	if l.at(103) != -1 || l.at(1_000_000) != 60_000 {
		t.Error("the far past stays, or the newest is not bounded")
	}
	if got := spark(&l, 1_000_001, 3); got != " █ " {
		t.Errorf("it draws %q", got)
	}
}

// A phone that names a circuit twice does not fill the memory.
func TestSameCircuitTwice(t *testing.T) {
	s := newStage()
	c := talking()
	c.Paths = []api.Path{{ID: 1}, {ID: 1}}
	for range 100 {
		s.hear(change(c))
	}
	if n := len(s.current().paths); n != 1 {
		t.Errorf("%d histories are kept", n)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"a\x1b[31mb\u202ec\u200dd":                  "a[31mbcd",
		"\u2764\ufe0f":                              "\u2764",
		"e\u0301\u0301\u0301\u0301":                 "e\u0301\u0301",
		"\U0001f1e9\U0001f1ea \U0001f44b\U0001f3fd": "\U0001f44b",
		"  line\nbreak\t ":                          "line break",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q becomes %q, not %q", in, got, want)
		}
	}
}
