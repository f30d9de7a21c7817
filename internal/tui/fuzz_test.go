package tui

import (
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/sottovoce/sotto/internal/api"
)

// die gives small numbers from a fuzzer's bytes, zeros after their end.
type die []byte

func (d *die) roll(n int) int {
	if len(*d) == 0 {
		return 0
	}
	b := (*d)[0]
	*d = (*d)[1:]
	return int(b) % n
}

func (d *die) words() string {
	n := min(d.roll(40), len(*d))
	s := string((*d)[:n])
	*d = (*d)[n:]
	return []string{s, "日本語" + s, "👩‍👩‍👧‍👦 e\u0301\u0301\u0301 " + s, "long " + s + " words that go on and on, as they do", ""}[d.roll(5)]
}

func (d *die) call() api.Call {
	c := talking()
	c.ID = string(rune('1' + d.roll(3)))
	c.Phase = []api.CallPhase{api.Dialing, api.Ringing, api.Talking, api.Talking, api.Closing, api.Over, "new"}[d.roll(7)]
	c.Name, c.Peer = d.words(), d.words()
	flags := d.roll(256)
	c.Outgoing, c.Muted, c.Holding, c.Held = flags&1 > 0, flags&2 > 0, flags&4 > 0, flags&8 > 0
	c.Recording, c.Recorded, c.Reached, c.Verified = flags&16 > 0, flags&32 > 0, flags&64 > 0, flags&128 > 0
	c.DelayMS, c.ThemDB = int64(d.roll(256))*8-100, float64(d.roll(256)-200)
	c.Quality = api.Quality{R: float64(d.roll(256)), Word: d.words()}
	c.Paths = nil
	for range d.roll(9) {
		c.Paths = append(c.Paths, api.Path{ID: d.roll(12), LatenessMS: int64(d.roll(256))*50 - 20, Used: d.roll(2) > 0})
	}
	if c.Phase == api.Over && flags&1 > 0 {
		c.End = &api.End{Error: d.words()}
	}
	return c
}

func (d *die) event() api.Event {
	switch d.roll(6) {
	case 0:
		e := status([]api.Phase{api.Starting, api.Publishing, api.Up, api.Calling, "new"}[d.roll(5)])
		e.Status.Tor = api.Tor{Percent: d.roll(256) - 50, Summary: d.words(), Warning: d.words()}
		e.Status.Address, e.Status.Silent = d.words(), d.roll(2) > 0
		for range d.roll(4) {
			e.Status.Calls = append(e.Status.Calls, d.call())
		}
		return e
	case 1:
		return api.Event{Text: &api.Text{Call: string(rune('1' + d.roll(3))), Text: d.words(), Mine: d.roll(2) > 0}}
	case 2:
		return api.Event{Missed: &api.Missed{Name: d.words(), Why: d.words()}}
	case 3:
		return api.Event{Notice: d.words()}
	}
	return change(d.call())
}

// FuzzUpdate: no event and no key breaks the screen, or makes a line wider than
// the terminal, or opens a microphone that push-to-talk has closed.
func FuzzUpdate(f *testing.F) {
	f.Add([]byte("\x07\x01\x02\x03abcdefgh\x00\x01\x02\x03\x04\x05\x06"))
	f.Add([]byte("screens are made of lines, and these of letters; some are wide"))
	names := []string{"enter", "esc", "tab", "up", "down", "backspace", "home", "end", "space", "q", "y", "n", "m", "h", "r", "p", "x", "c", "d", "t", "?", "l", "日", "ctrl+c", "ctrl+w", "ctrl+u"}
	f.Fuzz(func(t *testing.T, rolls []byte) {
		d := die(rolls)
		s := newStage()
		s.send(tea.WindowSizeMsg{Width: 80, Height: 24})
		for len(d) > 0 {
			switch d.roll(8) {
			case 0, 1, 2:
				s.hear(d.event())
			case 3:
				s.send(tea.WindowSizeMsg{Width: d.roll(256) - 2, Height: d.roll(64) - 2})
			case 4:
				s.after(time.Duration(d.roll(256)) * time.Second / 4)
			case 5:
				s.send([]tea.Msg{
					tea.BlurMsg{},
					tea.KeyReleaseMsg{Code: tea.KeySpace},
					tea.KeyboardEnhancementsMsg{Flags: d.roll(32)},
					tea.PasteMsg{Content: d.words()},
					goneMsg{errors.New(d.words())},
					tea.EnvMsg{"LANG=C"},
					doneMsg{},
				}[d.roll(7)])
			default:
				s.send(key(names[d.roll(len(names))]))
			}
			fits(t, s.Model)
			for _, c := range s.calls {
				if c.speak && !c.push {
					t.Fatal("it speaks without push-to-talk")
				}
			}
		}
	})
}

// BenchmarkCall is what a call costs the screen: an event, and the page after
// it. Five come a second.
func BenchmarkCall(b *testing.B) {
	s := newStage()
	scene("chat").stage(s)
	b.ReportAllocs()
	c := talking()
	for b.Loop() {
		c.TalkedMS += 200
		s.Update(eventMsg{s.now.Add(200 * time.Millisecond), change(c)})
		if s.View().Content == "" {
			b.Fatal("nothing is shown")
		}
	}
}

// FuzzTold: whatever the phone tells is lines of text, and nothing more.
func FuzzTold(f *testing.F) {
	f.Add([]byte("\x07\x01\x02\x03abcdefgh\x00\x01\x02\x03\x04\x05\x06"))
	f.Fuzz(func(t *testing.T, rolls []byte) {
		d := die(rolls)
		var told told
		for len(d) > 0 {
			for _, line := range told.hear(d.event()) {
				if strings.TrimSpace(line) != clean(line) {
					t.Errorf("it says %q", line)
				}
			}
		}
	})
}
