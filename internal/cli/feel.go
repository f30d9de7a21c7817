package cli

import (
	"fmt"
	"time"

	"github.com/sottovoce/sotto/call"
)

// feeling is what a call's line says of how it feels: what is wrong, which comes
// first, and how late each hears the other.
func feeling(st call.Status) (wrong, late []string) {
	switch {
	case st.Paths == 0:
		wrong = append(wrong, "connection lost, reconnecting: "+clock(st.Silence))
	case !st.Reached:
		wrong = append(wrong, "they do not reach you "+clock(st.Silence))
	case st.Unheard >= call.NoticeTime:
		behind := st.TalkedFor - st.HeardUpTo
		wrong = append(wrong, fmt.Sprintf("you do not reach them, the last %.1f s are not there", behind.Seconds()))
	}
	switch {
	case st.MouthToEar == 0:
	case st.MouthToEarThere == 0:
		late = append(late, fmt.Sprintf("delay about %d ms", st.MouthToEar.Milliseconds()))
	default:
		late = append(late, fmt.Sprintf("delay about %d ms, there %d", st.MouthToEar.Milliseconds(), st.MouthToEarThere.Milliseconds()))
	}
	return wrong, late
}

// talkKeys are the keys of push-to-talk: t turns it on and off, and since a
// terminal does not tell when a key is let go, the space bar is pressed once to
// speak and once to listen. They report whether key was one of them.
func talkKeys(c *call.Call, key byte) bool {
	st := c.Status()
	switch key {
	case 't', 'T':
		c.PushToTalk(!st.PushToTalk)
	case ' ':
		if st.PushToTalk {
			c.Press(!st.Pressed)
		}
	default:
		return false
	}
	return true
}

// offer offers push-to-talk once, when the delay has been long for a while.
type offer struct {
	since time.Time
	made  bool
}

func (o *offer) due(now time.Time, st call.Status) bool {
	switch {
	case o.made || st.PushToTalk || max(st.MouthToEar, st.MouthToEarThere) < call.LongDelay:
		o.since = time.Time{}
	case o.since.IsZero():
		o.since = now
	case now.Sub(o.since) > longFor:
		o.made = true
		return true
	}
	return false
}

// longFor is how long a delay is long before anything is offered.
const longFor = 3 * time.Second

const pushToTalkOffer = "more than 400 ms pass until you hear each other: t is push-to-talk, and then the space bar speaks"

// speaking is what a call's line says of this side's microphone.
func speaking(st call.Status, level float64) string {
	switch {
	case st.Muted:
		return "you (muted)"
	case st.PushToTalk && !st.Pressed:
		return "you (space speaks)"
	}
	return "you " + meter(level)
}
