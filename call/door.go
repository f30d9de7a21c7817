package call

import (
	"net"
	"slices"
	"sync"
	"time"
)

// Limits on streams that have not yet said who they are.
const (
	halfOpen   = 64 // handshakes under way; when full the oldest is dropped
	greetings  = 50 // first messages answered in a second
	greetBurst = 50 // of them, at once
)

// door holds the streams whose handshake is under way and bounds what they can
// cost: memory by their number, processor time by the rate of first messages.
type door struct {
	mu       sync.Mutex
	fresh    []net.Conn // that have not said a first message, oldest first
	answered []net.Conn // that were told the second, oldest first
	tokens   float64
	filled   time.Time
}

func newDoor() *door { return &door{tokens: greetBurst} }

// enter lets a stream in. When there are too many the oldest is dropped: of the
// fresh or of the answered, whichever are more than half. So those who only
// connect drive out nobody who has done more, and those who do more are bounded
// by their rate.
func (d *door) enter(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fresh = append(d.fresh, conn)
	if len(d.fresh)+len(d.answered) <= halfOpen {
		return
	}
	from := &d.answered
	if len(d.fresh) > halfOpen/2 {
		from = &d.fresh
	}
	(*from)[0].Close()
	*from = slices.Delete(*from, 0, 1)
}

// promote says that a stream is about to be answered.
func (d *door) promote(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if take(&d.fresh, conn) {
		d.answered = append(d.answered, conn)
	}
}

// leave lets a stream out, whatever became of it, and reports whether it was
// still there: if not, it had to make room and is closed.
func (d *door) leave(conn net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return take(&d.fresh, conn) || take(&d.answered, conn)
}

func take(from *[]net.Conn, conn net.Conn) bool {
	i := slices.Index(*from, conn)
	if i >= 0 {
		*from = slices.Delete(*from, i, i+1)
	}
	return i >= 0
}

// admit reports whether one more first message may be worked on at now.
func (d *door) admit(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.filled.IsZero() {
		d.tokens = min(greetBurst, d.tokens+greetings*now.Sub(d.filled).Seconds())
	}
	d.filled = now
	if d.tokens < 1 {
		return false
	}
	d.tokens--
	return true
}
