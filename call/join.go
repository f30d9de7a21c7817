package call

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/call/record"
)

// tendEvery is how often the caller looks after its paths.
const tendEvery = 10 // ticks

// errEnough says that no further path may be opened in this call.
var errEnough = errors.New("this call has opened as many circuits as it may")

// tend is the caller's care for its paths: it opens, replaces and redials as
// the keeper says. It runs in the tick's goroutine and waits for nothing.
func (c *Call) tend(ctx context.Context, group *sync.WaitGroup) {
	c.mu.Lock()
	step := paths.Step{}
	if c.machine.phase < Closing {
		open := c.standings()
		if c.unheard() {
			open = nil // a tor that died at the other end ends no stream here
		}
		step = c.keeper.Tick(c.now(), open, c.machine.phase < Talking)
	}
	var old *path
	if step.Close {
		old = c.paths[step.Path]
	}
	c.mu.Unlock()
	if old != nil {
		c.leave(old)
	}
	if step.Open {
		group.Go(func() {
			p, err := c.dialPath(ctx)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.keeper.Opened(err == nil)
			if err == nil {
				c.fresh = append(c.fresh, p)
			}
		})
	}
}

// deadTime without a record on any path is when the caller no longer believes
// in its paths, and dials anew.
const deadTime = 3 * time.Second

// redialTime bounds a dial while nothing is heard.
const redialTime = 12 * time.Second

// unheard reports whether nothing has come for deadTime; c.mu is held.
func (c *Call) unheard() bool { return c.now()-c.heard > deadTime }

// giveUp ends a call of which nothing is heard.
func (c *Call) giveUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.began.IsZero() && c.unheard() {
		c.machine.lost(c.now())
	}
}

// standings is how late the open paths run, in their worse direction; c.mu is
// held.
func (c *Call) standings() []paths.Standing {
	open := c.standing[:0] // the tick's goroutine asks: it must not allocate
	for id := range paths.ID(paths.Most) {
		if there, ok := c.schedule.Lateness(id); ok {
			open = append(open, paths.Standing{Path: id, Lateness: max(there, c.received.Mean(id))})
		}
	}
	return open
}

// dialPath opens one more path to the callee: a stream on a circuit of its own
// and one block each way. The path's number is burned before a byte is written
// and never tried again.
func (c *Call) dialPath(ctx context.Context) (*path, error) {
	c.mu.Lock()
	unheard := c.unheard()
	lost := unheard || c.schedule.Paths() == 0
	c.mu.Unlock()
	dial := c.config.Dial
	if c.config.Join != nil {
		dial = c.config.Join
	}
	if unheard && c.config.Redial != nil {
		dial = c.config.Redial
	}
	if lost { // rather dial afresh than wait on what tor still remembers
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, redialTime)
		defer cancel()
	}
	conn, err := dial(ctx, c.Peer)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	p, err := c.joinOver(conn)
	if err != nil {
		conn.Close()
	}
	return p, err
}

func (c *Call) joinOver(conn stream) (*path, error) {
	c.mu.Lock()
	keys, ok := c.chain.Next(), c.chain.Number() <= paths.Most
	c.mu.Unlock()
	if !ok {
		return nil, errEnough
	}
	if err := conn.SetDeadline(time.Now().Add(HandshakeTime)); err != nil {
		return nil, err
	}
	var join, answer record.Cell
	var nc [32]byte
	rand.Read(nc[:])
	keys.SealJoin(&join, nc)
	if _, err := conn.Write(join[:]); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return nil, err
	}
	ns, err := keys.OpenJoined(&answer, &join)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	caller, callee := keys.Records(append(nc[:], ns[:]...))
	keys.Wipe()
	return newPath(paths.ID(keys.Number), conn, caller, callee), nil
}

// mayJoin reports whether one more path may join at the callee.
func (c *Call) mayJoin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.began.IsZero() && c.machine.phase < Closing && (c.lost() || c.room() && c.joins.Has(c.now()))
}

// admit takes in a path that has joined at the callee, or reports false: the
// call is over, or others that joined at the same time were enough.
func (c *Call) admit(p *path) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.machine.phase >= Closing || len(c.fresh) > paths.Burst || !c.lost() && !(c.room() && c.joins.Take(c.now())) {
		return false
	}
	c.fresh = append(c.fresh, p)
	return true
}

// room reports whether the callee may hold one more path beside those that are
// open; c.mu is held.
func (c *Call) room() bool { return c.schedule.Paths()+len(c.fresh) <= paths.Burst+2 }

// lost reports whether no path is open, or none brings anything: paths whose
// tor died at the other end must not keep out what would bring the call back,
// nor does that count against what the caller may open. c.mu is held.
func (c *Call) lost() bool { return c.schedule.Paths()+len(c.fresh) == 0 || c.unheard() }
