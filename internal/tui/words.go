package tui

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/desk"
)

// maxLine is the longest line that can be typed, in bytes: what a call can say
// at once.
const maxLine = control.MaxText

// clean is text from elsewhere, fit to be shown. The phone has done so already;
// this is the last door before a terminal. Besides what control.Text takes out,
// signs that join others or choose between shapes go, since terminals do not
// agree how wide these are, and marks that pile up on one letter.
func clean(text string) string {
	text = control.Text([]byte(text))
	marks := 0
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.Is(unicode.M, r) {
			marks = 0
		} else if marks++; marks > 2 {
			return -1
		}
		if !shown(r) {
			return -1
		}
		return r
	}, text))
}

// shown says that a character can be shown, with a width that is certain.
func shown(r rune) bool {
	return unicode.IsPrint(r) && !unicode.Is(unicode.Variation_Selector, r) &&
		(r < 0x1f1e6 || r > 0x1f1ff) && (r < 0x1f3fb || r > 0x1f3ff) // flags are made of two, skin goes with what is before
}

// clock is a duration as people read it: 1:05, 1:00:05.
func clock(d time.Duration) string {
	s := max(0, int(d/time.Second))
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

func milliseconds(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// who is a name, or what stands for one.
func who(name string) string {
	if name == "" {
		return "a stranger"
	}
	return name
}

// capital is what stands for a name at the beginning of a line.
func capital(who string) string {
	if who == "a stranger" {
		return "A stranger"
	}
	return who
}

// certain says how sure a name is.
func certain(name string, verified bool) string {
	switch {
	case name == "":
		return "not in your contacts"
	case verified:
		return "✓ verified"
	}
	return "not verified"
}

// groups is a whole address as it can be read out: eight groups of seven.
func groups(address string) string {
	name := strings.TrimSuffix(clean(address), ".onion")
	var out strings.Builder
	for i, r := range []rune(name) {
		if i > 0 && i%7 == 0 {
			out.WriteByte(' ')
		}
		out.WriteRune(r)
	}
	return out.String()
}

// endWords says how a call ended, "" where another one goes on in its place or it
// is listed as missed.
func endWords(c api.Call) string {
	with := who(clean(c.Name))
	if end := c.End; end != nil {
		switch {
		case end.Instead != "", end.Error == desk.WhyUnanswered, end.Error == desk.WhyContact:
			return ""
		case end.Error != "":
			return with + ": " + clean(end.Error)
		}
	}
	if c.TalkedMS == 0 {
		return with + ": the call is over"
	}
	return fmt.Sprintf("the call with %s is over after %s", with, clock(milliseconds(c.TalkedMS)))
}

// missedWords says that a call was missed.
func missedWords(m api.Missed) string {
	text := "missed a call from " + who(clean(m.Name))
	if why := clean(m.Why); why != "" {
		text += ": " + why
	}
	return text
}

// delayed is how many ms of delay make people speak at once.
const delayed = int64(call.LongDelay / time.Millisecond)

// unheard tells that what is said does not arrive.
func unheard(c *api.Call) bool { return c.UnheardMS >= call.NoticeTime.Milliseconds() }

// alerts are what has to be known of a call besides figures.
func alerts(c *api.Call) (lines []string) {
	name := who(c.Name)
	if c.Phase == api.Talking {
		if !c.Reached {
			lines = append(lines, fmt.Sprintf("not reaching you: nothing from %s for %d s; other circuits are tried", name, c.SilenceMS/1000))
		} else if unheard(c) {
			lines = append(lines, fmt.Sprintf("not reaching them: the last %.1f s that you said are not there", float64(c.TalkedMS-c.HeardMS)/1000))
		}
		switch {
		case c.Held && c.Holding:
			lines = append(lines, "on hold, by both of you: h ends yours")
		case c.Held:
			lines = append(lines, "you are on hold: they do not hear you") // short: all of it is shown at 40 columns
		case c.Holding:
			lines = append(lines, "on hold: "+name+" does not hear you, nor you them; h ends that")
		}
		if c.Recorded {
			lines = append(lines, "they record: "+name+" keeps both voices")
		}
		switch {
		case c.Recording:
			lines = append(lines, "recording: both voices are kept, and "+name+" knows")
		case c.Announced:
			lines = append(lines, "about to record: "+name+" is told first")
		}
	}
	return lines
}
