package cli

import (
	"fmt"
	"time"

	"github.com/sottovoce/sotto/call"
)

// feeling is what a call's line says of how it feels: what is wrong, which comes
// first, and how late each hears the other.
func (s *shown) feeling() (wrong, late []string) {
	silence := time.Duration(s.SilenceMS) * time.Millisecond
	switch {
	case len(s.Paths) == 0:
		wrong = append(wrong, "connection lost, reconnecting: "+clock(silence))
	case !s.Reached:
		wrong = append(wrong, "they do not reach you "+clock(silence))
	case s.UnheardMS >= call.NoticeTime.Milliseconds():
		wrong = append(wrong, fmt.Sprintf("you do not reach them, the last %.1f s are not there", float64(s.TalkedMS-s.HeardMS)/1000))
	}
	switch {
	case s.DelayMS == 0:
	case s.ThereMS == 0:
		late = append(late, fmt.Sprintf("delay about %d ms", s.DelayMS))
	default:
		late = append(late, fmt.Sprintf("delay about %d ms, there %d", s.DelayMS, s.ThereMS))
	}
	return wrong, late
}

// push is push-to-talk: muted but while the person speaks. A terminal does not
// tell when a key is let go, so the space bar is pressed once to speak and once
// more to listen.
type push struct{ on, speaks bool }

// key is what a key does to it: whether it was meant, and whether the call is to
// be muted now.
func (p *push) key(key byte) (meant, mute bool) {
	switch key {
	case 'p', 'P':
		*p = push{on: !p.on}
	case ' ':
		if !p.on {
			return false, false
		}
		p.speaks = !p.speaks
	default:
		return false, false
	}
	return true, p.on && !p.speaks
}

// offer offers push-to-talk once, when the delay has been long for a while.
type offer struct {
	since time.Time
	made  bool
}

func (o *offer) due(now time.Time, s *shown) bool {
	switch {
	case o.made || s.push.on || max(s.DelayMS, s.ThereMS) < call.LongDelay.Milliseconds():
		o.since = time.Time{}
	case o.since.IsZero():
		o.since = now
	case now.Sub(o.since) > longFor:
		o.made = true
		return true
	}
	return false
}

// longFor is how long a delay is long before anything is offered: a sound server that
// starts slowly makes one of a second, which is over after five.
const longFor = 8 * time.Second

const pushToTalkOffer = "more than 400 ms pass until you hear each other: p is push-to-talk, and then the space bar speaks"

// speaking is what a call's line says of this side's microphone.
func (s *shown) speaking() string {
	switch {
	case s.push.on && !s.push.speaks:
		return "you (space speaks)"
	case s.Muted:
		return "you (muted)"
	}
	return "you " + meter(s.YouDB)
}
