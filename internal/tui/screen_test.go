package tui

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"github.com/sottovoce/sotto/internal/api"
)

var update = flag.Bool("update", false, "write the golden files, and the pictures, as they are now")

const (
	annAddress = "annk7hx2wqzvdyt3mfs5lpcub6egjori4n2ta7kqwzx3vdy5mhs6lpqd.onion"
	bobAddress = "bobq4zt5mfs7lpcub2egjori6n3ta5kqwzx7vdy2mhs4lpank3hx6wyd.onion"
	myAddress  = "mev3dyt7mfs2lpcub4egjori5n6ta3kqwzx2vdy7mhs5lpq4hx2wqzid.onion"
)

var friends = []api.Contact{
	{Name: "ann", Address: annAddress, Verified: true},
	{Name: "bob", Address: bobAddress, Auto: true},
	{Name: "eve", Address: bobAddress, Verified: true, Blocked: true},
	{Name: "日本語の友", Address: bobAddress},
}

// begun is when every test begins.
var begun = time.Date(2026, 3, 5, 14, 3, 20, 0, time.UTC)

// stage is a screen whose phone does what the test says.
type stage struct {
	*Model
	asked []action // of the phone, in order
	phone func(action) error
}

func newStage() *stage {
	s := &stage{Model: New(begun, false)}
	s.zone = time.UTC
	s.perform = func(a action) tea.Msg {
		s.asked = append(s.asked, a)
		done := doneMsg{at: s.now, action: a}
		if s.phone != nil {
			done.err = s.phone(a)
		}
		if a.verb == list {
			done.contacts = slices.Clone(friends)
		}
		return done
	}
	s.listen = func() tea.Msg { return nil }
	return s
}

// send gives messages to the screen, and to it whatever its actions bring.
func (s *stage) send(messages ...tea.Msg) {
	for _, msg := range messages {
		s.update(msg)
		for len(s.queue) > 0 {
			s.Update(s.perform(s.queue[0]))
		}
	}
}

// update gives one message, with its time if it is a key.
func (s *stage) update(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		msg = keyMsg{s.now, tea.Key(k)}
	}
	_, cmd := s.Update(msg)
	return cmd
}

func (s *stage) hear(events ...api.Event) {
	for _, e := range events {
		s.send(eventMsg{s.now, e})
	}
}

func (s *stage) after(d time.Duration) { s.send(tickMsg(s.now.Add(d))) }

// type presses keys by their names, one each; text in quotes is typed.
func (s *stage) press(keys ...string) {
	for _, k := range keys {
		s.send(key(k))
	}
}

func (s *stage) write(text string) {
	for _, r := range text {
		s.send(key(string(r)))
	}
}

func key(name string) tea.KeyPressMsg {
	special := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown,
		"backspace": tea.KeyBackspace, "home": tea.KeyHome, "end": tea.KeyEnd,
	}
	if code, ok := special[name]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	if letter, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(letter[0]), Mod: tea.ModCtrl}
	}
	if name == "space" {
		name = " "
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

func status(phase api.Phase, calls ...api.Call) api.Event {
	return api.Event{Status: &api.Status{
		Version: api.Version, Sotto: "1.0", Address: myAddress, Phase: phase, Rings: "your 4 contacts may ring",
		Tor: api.Tor{Version: "0.4.9.11", Percent: 100, Summary: "Done"}, Calls: calls,
	}}
}

func change(c api.Call) api.Event { return api.Event{Call: &c} }

// talking is a good call with ann.
func talking() api.Call {
	return api.Call{
		ID: "1", Peer: annAddress, Name: "ann", Verified: true, Outgoing: true, Phase: api.Talking,
		SinceMS: 201_400, TalkedMS: 201_400, Reached: true, RoundTripMS: 310, DelayMS: 212, ThereMS: 250, HeardMS: 201_100, ConcealedPC: 0.42,
		Quality: api.Quality{R: 82.4, Word: "good"}, Voice: "24k", YouDB: -18.2, ThemDB: -31.7,
		Paths: []api.Path{{ID: 0, LatenessMS: 4, Used: true}, {ID: 1, LatenessMS: 12, Used: true}, {ID: 2, LatenessMS: 37, Used: true}, {ID: 5, LatenessMS: 260}},
	}
}

// talk is half a minute of talking, with a stall in it.
func (s *stage) talk() {
	for _, e := range history() {
		s.hear(e)
		s.after(time.Second)
	}
}

// history is half a minute of talking, an event a second.
func history() (events []api.Event) {
	for i := range 31 {
		c := talking()
		c.TalkedMS -= int64(30-i) * 1000
		for j := range c.Paths {
			p := &c.Paths[j]
			if i < 30 {
				p.LatenessMS = p.LatenessMS * int64(2+(i*7+j*5)%4) / 3
			}
			if j == 1 && i >= 12 && i < 15 { // a stall
				p.LatenessMS = int64(i-11) * 420
			}
		}
		events = append(events, change(c))
	}
	return events
}

func stranger() api.Call {
	return api.Call{ID: "2", Peer: bobAddress, Phase: api.Ringing, SinceMS: 4_000, Reached: true}
}

// scenes are the pages that golden files hold.
var scenes = []struct {
	name  string
	stage func(*stage)
}{
	{"before", func(*stage) {}},
	{"bootstrap", func(s *stage) {
		e := status(api.Starting)
		e.Status.Tor = api.Tor{Version: "0.4.9.11", Percent: 40, Summary: "Loading relay descriptors", Warning: "Connection refused", Advice: "if it lasts, see sotto doctor"}
		s.hear(e)
	}},
	{"publishing", func(s *stage) { s.hear(status(api.Publishing)) }},
	{"idle", func(s *stage) {
		e := status(api.Up)
		e.Status.Missed = []api.Missed{
			{At: begun.Add(-26 * time.Hour), Peer: bobAddress, Name: "bob", Why: "you were busy with another"},
			{At: begun.Add(-time.Hour), Peer: annAddress, Why: "not in your contacts"},
		}
		s.hear(e)
		s.press("down")
		s.hear(api.Event{Notice: "the microphone headset is gone: the built-in one is used"})
	}},
	{"closed", func(s *stage) { e := status(api.Up); e.Status.Closed = true; s.hear(e) }},
	{"silent", func(s *stage) { e := status(api.Up); e.Status.Silent = true; s.hear(e) }},
	{"offline", func(s *stage) {
		e := status(api.Up)
		e.Status.Tor.Offline, e.Status.Tor.Warning = true, "no way into the Tor network, nobody can reach you: is this machine online?"
		s.hear(e)
	}},
	{"typing", func(s *stage) { s.hear(status(api.Up)); s.press("c"); s.write("日") }},
	{"incoming", func(s *stage) {
		s.hear(status(api.Up), change(api.Call{ID: "1", Peer: annAddress, Name: "ann", Verified: true, Phase: api.Ringing, SinceMS: 4_000}))
		s.after(time.Second)
	}},
	{"unverified", func(s *stage) {
		s.hear(status(api.Up), change(api.Call{ID: "1", Peer: bobAddress, Name: "bob", Phase: api.Ringing}))
	}},
	{"stranger", func(s *stage) { s.hear(status(api.Up), change(stranger())) }},
	{"dialing", func(s *stage) {
		s.hear(status(api.Up), change(api.Call{ID: "1", Peer: annAddress, Name: "ann", Verified: true, Outgoing: true, OneTime: true, Phase: api.Dialing}))
		s.after(7 * time.Second)
	}},
	{"ringing", func(s *stage) {
		c := talking()
		c.Phase, c.SinceMS = api.Ringing, 12_000
		s.hear(status(api.Up), change(c))
	}},
	{"talking", func(s *stage) { s.hear(status(api.Up)); s.talk() }},
	{"stalled", func(s *stage) {
		s.hear(status(api.Up))
		s.talk()
		c := talking()
		c.Reached, c.SilenceMS, c.DelayMS, c.ConcealedPC = false, 3_200, 940, 6.13
		c.Quality, c.ThemDB = api.Quality{R: 31, Word: "bad"}, -120
		for i := range c.Paths {
			c.Paths[i].LatenessMS += 3_000
		}
		s.hear(change(c))
	}},
	{"unheard", func(s *stage) {
		c := talking()
		c.UnheardMS, c.HeardMS = 900, 199_900
		s.hear(status(api.Up), change(c))
	}},
	{"late", func(s *stage) {
		c := talking()
		c.ThereMS = 650
		s.hear(status(api.Up), change(c))
	}},
	{"push", func(s *stage) {
		s.hear(status(api.Up), change(talking()))
		s.press("p", "space")
	}},
	{"held", func(s *stage) {
		c := talking()
		c.Held, c.Recorded, c.Muted = true, true, true
		s.hear(status(api.Up), change(c))
	}},
	{"holding", func(s *stage) {
		c := talking()
		c.Holding, c.Announced = true, true
		s.hear(status(api.Up), change(c))
	}},
	{"chat", func(s *stage) {
		s.hear(status(api.Up))
		s.talk()
		for i, text := range []string{"the document is in the second folder", "got it \x1b[31mred\x1b[0m \u202eevil", strings.Repeat("a long line that has to be broken somewhere ", 4), "明日また話しましょう"} {
			s.hear(api.Event{Text: &api.Text{Call: "1", At: begun.Add(time.Duration(i) * time.Minute), Mine: i%2 == 0, Text: text}})
		}
		s.press("enter")
		s.write("see you then")
	}},
	{"noticed", func(s *stage) {
		s.hear(status(api.Up), change(talking()))
		for i, text := range []string{"the document is in the second folder", "got it", "and then?"} {
			s.hear(api.Event{Text: &api.Text{Call: "1", At: begun, Mine: i%2 == 0, Text: text}})
		}
		for range maxNotices {
			s.hear(api.Event{Missed: &api.Missed{Why: "strangers do not ring here, and nobody has been told"}})
		}
	}},
	{"waiting", func(s *stage) {
		s.hear(status(api.Up))
		s.talk()
		c := stranger()
		c.Name, c.Verified = "bob", false
		s.hear(change(c))
	}},
	{"two", func(s *stage) {
		s.hear(status(api.Up), change(talking()))
		c := stranger()
		c.Phase, c.TalkedMS = api.Talking, 61_000
		s.hear(change(c))
		s.press("tab")
	}},
	{"leaving", func(s *stage) { s.hear(status(api.Up), change(talking())); s.press("q") }},
	{"asked", func(s *stage) { s.hear(status(api.Up), change(talking())); s.press("r") }},
	{"gone", func(s *stage) {
		s.hear(status(api.Up), change(talking()))
		s.send(goneMsg{errors.New("the phone has stopped: start it again with sotto up")})
	}},
	{"help", func(s *stage) { s.hear(status(api.Up)); s.press("?") }},
	{"over", func(s *stage) {
		s.hear(status(api.Up), change(talking()))
		c := talking()
		c.Phase, c.End = api.Over, &api.End{}
		s.hear(change(c))
		c = stranger()
		s.hear(change(c))
		c.Phase, c.End = api.Over, &api.End{Exit: 6, Error: "nobody answered"}
		s.hear(change(c))
	}},
}

func TestPages(t *testing.T) {
	for _, size := range []struct{ width, height int }{{80, 24}, {40, 10}, {120, 40}, {24, 6}} {
		for _, scene := range scenes {
			if size.width == 120 && scene.name != "chat" && scene.name != "idle" && scene.name != "stranger" {
				continue
			}
			if size.width == 24 && !slices.Contains([]string{"incoming", "unverified", "stranger", "leaving", "asked"}, scene.name) {
				continue
			}
			name := fmt.Sprintf("%s-%dx%d", scene.name, size.width, size.height)
			t.Run(name, func(t *testing.T) {
				s := newStage()
				s.send(tea.WindowSizeMsg{Width: size.width, Height: size.height})
				scene.stage(s)
				fits(t, s.Model)
				golden(t, name+".txt", text(s.View().Content))
			})
		}
	}
}

// What is drawn in colour, on either background, and without.
func TestColours(t *testing.T) {
	s := newStage()
	scene("stalled").stage(s)
	dark := s.View().Content
	golden(t, "dark.ansi", dark)
	s.look = newLook(false)
	light := s.View().Content
	golden(t, "light.ansi", light)
	if text(dark) != text(light) || dark == light {
		t.Error("the background changes more than colours, or nothing")
	}
	var none bytes.Buffer
	env := []string{"TERM=xterm-256color", "COLORTERM=truecolor"}
	if p := palette(env); p != colorprofile.TrueColor {
		t.Errorf("the terminal has %v", p)
	}
	fmt.Fprint(&colorprofile.Writer{Forward: &none, Profile: palette(append(env, "NO_COLOR=yes"))}, dark)
	golden(t, "no-color.ansi", none.String())
	for _, colour := range []string{"38;", "48;", "\x1b[3", "\x1b[9"} {
		if strings.Contains(none.String(), colour) {
			t.Errorf("%q is left with NO_COLOR", colour)
		}
	}
}

func TestASCII(t *testing.T) {
	s := newStage()
	s.send(tea.EnvMsg{"LANG=C"})
	scene("stalled").stage(s)
	page := text(s.View().Content)
	golden(t, "ascii.txt", page)
	if i := strings.IndexFunc(page, func(r rune) bool { return r > 126 }); i >= 0 {
		t.Errorf("%q is not ASCII", page[i:])
	}
	s.send(tea.EnvMsg{"LC_ALL=de_DE.UTF-8", "LANG=C"})
	if s.ascii {
		t.Error("LC_ALL comes before LANG")
	}
}

func scene(name string) (found struct {
	name  string
	stage func(*stage)
},
) {
	for _, s := range scenes {
		if s.name == name {
			return s
		}
	}
	panic(name)
}

// fits checks that the page keeps to the terminal.
func fits(t *testing.T, m *Model) {
	t.Helper()
	v := m.View()
	if m.width < 1 || m.height < 1 {
		return
	}
	lines := strings.Split(v.Content, "\n")
	if len(lines) > m.height {
		t.Errorf("%d lines in %d×%d", len(lines), m.width, m.height)
	}
	for _, l := range lines {
		if width(l) > m.width {
			t.Errorf("%d columns in %d×%d: %q", width(l), m.width, m.height, l)
		}
	}
	if c := v.Cursor; c != nil && (c.X < 0 || c.X >= m.width || c.Y < 0 || c.Y >= m.height) {
		t.Errorf("the cursor is at %d, %d in %d×%d", c.X, c.Y, m.width, m.height)
	}
}

// text is a page without styles.
func text(content string) string {
	lines := strings.Split(ansi.Strip(content), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// golden compares with a file in testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		i := 0
		for i < min(len(g), len(w))-1 && g[i] == w[i] {
			i++
		}
		t.Errorf("%s: line %d is\n%q\nand not\n%q\nin\n%s", name, i+1, g[i], w[i], ansi.Strip(got))
	}
}

// Commands that are told to give are for the profile of the phone that is shown.
func TestCommandsAreAimed(t *testing.T) {
	s := newStage()
	s.aim = Options{Aim: func(text string) string { return strings.ReplaceAll(text, "sotto ", "sotto --home d ") }}.aim
	s.hear(status(api.Up))
	s.send(goneMsg{errGone})
	if got := text(s.View().Content); !strings.Contains(got, "sotto --home d up") {
		t.Error(got)
	}
}
