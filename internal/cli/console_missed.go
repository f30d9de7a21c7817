package cli

import (
	"fmt"
	"time"

	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/desk"
)

// strangeness keeps strangers' missed calls from flooding the screen: after one
// is told of the next ones are only counted for a while.
type strangeness struct {
	told time.Time
	more int        // who wait until they may be told of
	last api.Missed // of them
}

// quietFor is that while.
const quietFor = 10 * time.Second

func (q *strangeness) tell(show *live, m api.Missed) {
	why := ": " + m.Why
	if m.Why == desk.WhyUnanswered {
		why = ""
	}
	if m.Name != "" {
		show.say("missed a call from %s%s %s", m.Name, why, stamp(m.At))
		return
	}
	q.more, q.last = q.more+1, m
	q.rest(show, m.At)
}

// rest tells of those who wait, once they may be told of.
func (q *strangeness) rest(show *live, now time.Time) {
	if q.more == 0 || now.Sub(q.told) < quietFor {
		return
	}
	more := ""
	if q.more > 1 {
		more = fmt.Sprintf(" (and %d more of strangers)", q.more-1)
	}
	q.told, q.more = now, 0
	show.say("missed a call from %s", q.last.Peer)
	show.say("  a stranger: %s%s %s", q.last.Why, more, stamp(q.last.At))
}

// stamp is when a call was missed, for who comes back to the screen later.
func stamp(t time.Time) string { return t.Local().Format("(Mon 15:04)") }
