package call

import (
	"context"
	"slices"
	"sync"
)

// unanswered is how many incoming calls may wait for an answer. Each costs a
// codec, three goroutines and 50 records a second, and a stranger can make as
// many keys as they like.
const unanswered = 8

// lobby holds the incoming calls that nobody has answered yet. When there are
// too many the oldest stranger's is hung up, or else the oldest: to keep others
// out, calls must keep coming, and strangers keep out nobody who is known.
type lobby struct {
	mu      sync.Mutex
	waiting []guest // oldest first
}

type guest struct {
	call   *Call
	known  bool
	cancel context.CancelFunc
}

// enter lets a call in. The context that it is handled with ends when it has
// to make room; leave must be called when it is over.
func (l *lobby) enter(ctx context.Context, c *Call, known bool) (_ context.Context, leave func()) {
	ctx, cancel := context.WithCancel(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = slices.DeleteFunc(l.waiting, func(g guest) bool { return g.call.answered() })
	l.waiting = append(l.waiting, guest{c, known, cancel})
	if len(l.waiting) > unanswered {
		i := max(0, slices.IndexFunc(l.waiting, func(g guest) bool { return !g.known }))
		l.waiting[i].cancel()
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
	return ctx, func() {
		cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.waiting = slices.DeleteFunc(l.waiting, func(g guest) bool { return g.call == c })
	}
}

// answered reports whether somebody has said yes.
func (c *Call) answered() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.machine.talked
}
