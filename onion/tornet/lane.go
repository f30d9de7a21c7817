package tornet

import (
	"net"
	"os"
	"sync"
	"time"
)

// window is how many bytes a lane takes in before it blocks: about what tor
// sends on a circuit that does not answer, its sockets' buffers included.
const window = 64 << 10

// Delay is how much later something arrives that is sent at a time after the
// beginning.
type Delay = func(sent time.Duration) time.Duration

// lane is one direction of a stream: bytes go in, and come out in order when
// they are due.
type lane struct {
	delay func() time.Duration // of what goes in now

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when anything below has changed
	queue   []piece
	size    int       // bytes in queue
	held    time.Time // nothing comes out before
	putEnd  error     // why no more goes in
	takeEnd error     // why no more comes out, whatever is queued
	putBy   time.Time // deadlines
	takeBy  time.Time
}

// piece is what went in at once, or the end of the lane.
type piece struct {
	data []byte
	end  error
	due  time.Time
}

func newLane(delay func() time.Duration) *lane {
	return &lane{delay: delay, changed: make(chan struct{})}
}

// update changes the lane and wakes all who wait on it.
func (l *lane) update(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	l.wake()
}

func (l *lane) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// wait waits for a change or a time, if that is not zero. mu is held before and
// after.
func (l *lane) wait(until time.Time) {
	changed := l.changed
	l.mu.Unlock()
	defer l.mu.Lock()
	var timeout <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-changed:
	case <-timeout:
	}
}

func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

// put queues all of p and keeps none of it. It waits for room.
func (l *lane) put(p []byte) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.putEnd != nil:
			return n, l.putEnd
		case passed(l.putBy):
			return n, os.ErrDeadlineExceeded
		}
		if k := min(len(p)-n, window-l.size); k > 0 {
			l.append(piece{data: append([]byte(nil), p[n:n+k]...)})
			l.size += k
			n += k
		}
		if n == len(p) {
			return n, nil
		}
		l.wait(l.putBy)
	}
}

// append queues a piece behind all others. mu is held.
func (l *lane) append(p piece) {
	p.due = time.Now().Add(l.delay())
	if k := len(l.queue); k > 0 && p.due.Before(l.queue[k-1].due) {
		p.due = l.queue[k-1].due
	}
	l.queue = append(l.queue, p)
	l.wake()
}

// take waits for what is due next and gives some of it.
func (l *lane) take(p []byte) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.takeEnd != nil:
			return 0, l.takeEnd
		case passed(l.takeBy):
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		}
		until := l.takeBy
		if len(l.queue) > 0 {
			head := &l.queue[0]
			due := head.due
			if l.held.After(due) {
				due = l.held
			}
			if passed(due) {
				if head.end != nil {
					return 0, head.end // and again, at every call
				}
				n = copy(p, head.data)
				l.size -= n
				if head.data = head.data[n:]; len(head.data) == 0 {
					l.queue = l.queue[1:]
				}
				l.wake()
				return n, nil
			}
			if until.IsZero() || due.Before(until) {
				until = due
			}
		}
		l.wait(until)
	}
}

// finish is the end: nothing more goes in, and end comes out after all that is
// queued, delayed like it.
func (l *lane) finish(end error) {
	l.update(func() {
		if l.putEnd == nil {
			l.putEnd = net.ErrClosed
			l.append(piece{end: end})
		}
	})
}

// abort ends both ends at once, unless they have ended; what is queued is lost.
func (l *lane) abort(put, take error) {
	l.update(func() {
		if l.putEnd == nil {
			l.putEnd = put
		}
		if l.takeEnd == nil {
			l.takeEnd = take
		}
		l.queue, l.size = nil, 0
	})
}
