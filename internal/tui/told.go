package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// told is the state of which changes are told.
type told struct {
	phase  api.Phase
	tens   int // of tor's percent
	silent bool
	cut    bool // of the Tor network
	calls  []api.Call
	rough  map[string]bool // calls whose quality was told to be poor
	missed time.Time       // when a stranger's missed call was last told
	more   int             // that were not, since
}

// hear takes an event and gives the lines that tell of it.
func (t *told) hear(e api.Event) (lines []string) {
	switch {
	case e.Status != nil:
		return t.hearStatus(e.Status)
	case e.Call != nil:
		c := *e.Call
		c.Name, c.Peer = clean(c.Name), clean(c.Peer)
		return t.hearCall(c)
	case e.Text != nil:
		from := "you"
		if !e.Text.Mine {
			from = "they"
			for _, c := range t.calls {
				if c.ID == e.Text.Call {
					from = who(c.Name)
				}
			}
		}
		return []string{from + " wrote: " + clean(e.Text.Text)}
	case e.Missed != nil:
		return t.hearMissed(*e.Missed)
	case e.Notice != "":
		return []string{"note: " + clean(e.Notice)}
	}
	return nil
}

// strangersEvery keeps strangers' missed calls from flooding the terminal.
const strangersEvery = 10 * time.Second

func (t *told) hearMissed(m api.Missed) []string {
	line := missedWords(m)
	if m.Name == "" {
		if m.At.Sub(t.missed) < strangersEvery {
			t.more++
			return nil
		}
		if t.more > 0 {
			line += fmt.Sprintf(", and %d more of strangers", t.more)
		}
		t.missed, t.more = m.At, 0
	}
	return []string{line}
}

func (t *told) hearStatus(s *api.Status) (lines []string) {
	if s.Phase == api.Starting && s.Tor.Percent/10 != t.tens {
		t.tens = s.Tor.Percent / 10
		lines = append(lines, fmt.Sprintf("tor: %d percent: %s", s.Tor.Percent, clean(s.Tor.Summary)))
		for _, w := range []string{clean(s.Tor.Warning), clean(s.Tor.Advice)} {
			if w != "" {
				lines = append(lines, "tor: "+w)
			}
		}
	}
	if s.Phase != t.phase {
		switch s.Phase {
		case api.Publishing:
			lines = append(lines, "tor is ready; publishing your address")
		case api.Up:
			lines = append(lines, "you are up at "+groups(s.Address)+" dot onion; "+clean(s.Rings))
		case api.Calling:
			lines = append(lines, "this phone calls, and cannot be called")
		}
		t.phase = s.Phase
	}
	if cut := s.Tor.Offline && s.Phase != api.Starting; cut != t.cut {
		t.cut = cut
		lines = append(lines, onOff(cut, "offline: nobody can call you now: "+clean(s.Tor.Warning), "there is a way into the Tor network again"))
	}
	if s.Silent != t.silent {
		t.silent = s.Silent
		lines = append(lines, onOff(s.Silent, "do not disturb is on", "do not disturb is off"))
	}
	for _, c := range slices.Clone(t.calls) { // which ended while nobody listened
		if !slices.ContainsFunc(s.Calls, func(o api.Call) bool { return o.ID == c.ID }) {
			c.Phase, c.End = api.Over, nil
			lines = append(lines, t.hearCall(c)...)
		}
	}
	for _, c := range s.Calls {
		c.Name, c.Peer = clean(c.Name), clean(c.Peer)
		lines = append(lines, t.hearCall(c)...)
	}
	return lines
}

// hearCall tells what has changed in a call; figures only when asked for.
func (t *told) hearCall(c api.Call) (lines []string) {
	at := -1
	was := api.Call{Reached: true}
	for i := range t.calls {
		if t.calls[i].ID == c.ID {
			at, was = i, t.calls[i]
		}
	}
	if c.Phase == api.Over {
		if at < 0 {
			return nil
		}
		t.calls = append(t.calls[:at], t.calls[at+1:]...)
		delete(t.rough, c.ID)
		if c.End != nil && c.End.Instead != "" {
			return []string{"you have called each other at once: one call goes on"}
		}
		if words := endWords(c); words != "" {
			return []string{words}
		}
		return nil
	}
	if at < 0 {
		t.calls = append(t.calls, c)
	} else {
		t.calls[at] = c
	}
	name := who(c.Name)
	if c.Phase != was.Phase {
		switch {
		case c.Phase == api.Dialing:
			lines = append(lines, "reaching "+name)
		case c.Phase == api.Ringing && c.Outgoing:
			lines = append(lines, "it rings at "+name)
		case c.Phase == api.Ringing:
			lines = append(lines, fmt.Sprintf("%s is calling, %s, from %s dot onion: answer or decline", name, spoken(c.Name, c.Verified), groups(c.Peer)))
		case c.Phase == api.Talking:
			lines = append(lines, "talking to "+name+": the microphone is open")
		}
	}
	if c.Phase != api.Talking {
		return lines
	}
	before := conditions(&was)
	for i, now := range conditions(&c) {
		if now.on != before[i].on {
			lines = append(lines, onOff(now.on, now.yes, now.no))
		}
	}
	// Between good and poor there is room, so that a quality on the edge is
	// not told again and again.
	switch word := c.Quality.Word; {
	case !t.rough[c.ID] && (word == "poor" || word == "bad"):
		if t.rough == nil {
			t.rough = map[string]bool{}
		}
		t.rough[c.ID] = true
		lines = append(lines, "quality is "+word)
	case t.rough[c.ID] && word == "good":
		delete(t.rough, c.ID)
		lines = append(lines, "quality is good again")
	}
	return lines
}

// condition is what can be so in a call, and how that it is, and is no more, is told.
type condition struct {
	on      bool
	yes, no string
}

// conditions are always as many, in the same order.
func conditions(c *api.Call) []condition {
	name := who(c.Name)
	return []condition{
		{c.Muted, "muted: nothing of you is sent", "not muted any more"},
		{c.Holding, name + " is on hold", name + " is not on hold any more"},
		{c.Held, "you are on hold: " + name + " does not hear you, nor you them", name + " holds no more"},
		{c.Recording, "recording: both voices are kept", "not recording any more"},
		{c.Recorded, name + " records both voices", name + " does not record any more"},
		{!c.Reached, "not reaching you: nothing comes from " + name, name + " is reached again"},
		{unheard(c), "not reaching " + name + ": what you say does not arrive", "what you say arrives again"},
	}
}

func spoken(name string, verified bool) string {
	return strings.TrimPrefix(certain(name, verified), "✓ ")
}

// figuresOf is a call in a line, after it what is so in it.
func figuresOf(c *api.Call) string {
	text := fmt.Sprintf("%s, %s, %s: %s; quality %s, %.0f of 100; %d milliseconds late here and %d there; %.1f percent concealed", who(c.Name), spoken(c.Name, c.Verified),
		c.Phase, clock(milliseconds(c.TalkedMS)), onOff(c.Quality.Word == "", "not known", clean(c.Quality.Word)), c.Quality.R, c.DelayMS, c.ThereMS, c.ConcealedPC)
	if c.Phase == api.Talking {
		for _, so := range conditions(c) {
			if so.on {
				text += "; " + so.yes
			}
		}
	}
	return text
}
