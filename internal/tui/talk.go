package tui

import (
	"slices"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// talk is a call as it was last told, and what the screen keeps of it.
type talk struct {
	api.Call
	at    time.Time // when it was told
	since time.Time // when it came into its phase
	came  time.Time // when it was first told
	paths []lateness
	texts []api.Text

	push  bool // push-to-talk
	speak bool // and the microphone is open
}

// maxTexts of a call are kept, the newest.
const maxTexts = 200

// rings says that it is to be answered here.
func (t *talk) rings() bool { return !t.Outgoing && t.Phase == api.Ringing }

// put takes what was told of the call.
func (t *talk) put(at time.Time, c api.Call) {
	t.at, t.since = at, at.Add(-time.Duration(c.SinceMS)*time.Millisecond)
	c.Name, c.Peer = clean(c.Name), clean(c.Peer)
	t.Call = c
	if c.Phase != api.Talking {
		t.push, t.speak = false, false
	}
	t.paths = slices.DeleteFunc(t.paths, func(l lateness) bool {
		return !slices.ContainsFunc(c.Paths, func(p api.Path) bool { return p.ID == l.path })
	})
	for _, p := range c.Paths {
		t.lateness(p.ID).add(at.Unix(), p.LatenessMS)
	}
}

// lateness is the history of a path.
func (t *talk) lateness(path int) *lateness {
	for i := range t.paths {
		if t.paths[i].path == path {
			return &t.paths[i]
		}
	}
	t.paths = append(t.paths, lateness{path: path})
	return &t.paths[len(t.paths)-1]
}

// span is for how many seconds a path's lateness is kept.
const span = 30

// lateness is how late a path was in each of the last seconds: the most of each.
type lateness struct {
	path  int
	last  int64        // the second of the newest
	worst [span]uint16 // ms and one more; 0: nothing was told. Second s is at s modulo span.
}

// add takes a lateness in ms that was told in a second.
func (l *lateness) add(second, ms int64) {
	if second <= l.last-span {
		return
	}
	for s := max(l.last+1, second-span+1); s <= second; s++ {
		l.worst[s%span] = 0
	}
	l.last = max(l.last, second)
	slot := &l.worst[second%span]
	*slot = max(*slot, uint16(min(max(ms, 0), 60_000)+1))
}

// at is the lateness in ms in a second, -1 where nothing was told.
func (l *lateness) at(second int64) int64 {
	if second > l.last || second <= l.last-span || second < 0 {
		return -1
	}
	return int64(l.worst[second%span]) - 1
}
