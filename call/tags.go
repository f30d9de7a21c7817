package call

import (
	"sync"

	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
)

// ahead is how far past the highest burned path number a tag is known.
const ahead = 16

// tags are the names by which streams may join the calls of a line.
type tags struct {
	mu    sync.Mutex
	live  map[[record.TagSize]byte]*ticket
	calls map[*Call]*enrolment
}

// ticket is one path that has not joined yet.
type ticket struct {
	call *Call
	keys record.PathKeys
}

type enrolment struct{ burned int } // highest path number used so far

func newTags() *tags {
	return &tags{live: map[[record.TagSize]byte]*ticket{}, calls: map[*Call]*enrolment{}}
}

// enrol makes a call joinable.
func (t *tags) enrol(c *Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls[c] = &enrolment{}
	t.extend(c)
}

// extend makes tags live up to ahead past the highest burned; t.mu is held.
func (t *tags) extend(c *Call) {
	for c.chain.Number() <= min(t.calls[c].burned+ahead, paths.Most-1) {
		keys := c.chain.Next()
		t.live[keys.Tag] = &ticket{call: c, keys: keys}
	}
}

// from gives the calls of a peer.
func (t *tags) from(peer identity.Address) (calls []*Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.calls {
		if c.Peer == peer {
			calls = append(calls, c)
		}
	}
	return calls
}

// dismiss forgets a call.
func (t *tags) dismiss(c *Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.calls, c)
	c.chain.Wipe()
	for tag, k := range t.live {
		if k.call == c {
			k.keys.Wipe()
			delete(t.live, tag)
		}
	}
}

// find looks a stream's first bytes up.
func (t *tags) find(b []byte) *ticket {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.live[[record.TagSize]byte(b)]
}

// burn uses a ticket up, and reports false if that has happened before.
func (t *tags) burn(k *ticket) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live[k.keys.Tag] != k {
		return false
	}
	delete(t.live, k.keys.Tag)
	e := t.calls[k.call]
	e.burned = max(e.burned, k.keys.Number)
	t.extend(k.call)
	return true
}
