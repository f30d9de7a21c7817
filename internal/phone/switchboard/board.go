// Package switchboard is a phone that is up: it publishes the address, takes and
// makes calls, and tells whoever listens how they stand. What becomes of a call
// the desk decides (internal/phone/desk); this is the driver that does it.
//
//	call.Line, call.Dial ─ phases ─▶ desk ─ acts ─▶ calls, handset
//	people, programs ────── acts ──▶  │
//	                                  └─▶ events ─▶ one bounded queue a listener
//
// One lock guards the desk and all that is told. Nothing is waited for under it:
// a call's own methods take microseconds, and a listener whose queue is full is
// let go, so that nobody who listens can hold up a call.
package switchboard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/desk"
	"github.com/sottovoce/sotto/internal/phone/gate"
	"github.com/sottovoce/sotto/internal/phone/history"
)

// Config is what a phone needs. Calls, Open, Gate and End must be set; Calls'
// own Open is not used.
type Config struct {
	Calls call.Config
	// Open opens microphone and loudspeaker, once for all calls that talk at a
	// time.
	Open func(context.Context) (call.Sound, error)
	// Ring rings until ctx ends; nil: nothing is heard. It is over before Open.
	Ring func(context.Context) error
	// Record keeps both voices of a call in a file until stop is called.
	Record func(*call.Call) (path string, stop func(), err error)
	// Levels are those of what goes out and of what is played, in dBFS.
	Levels func() (you, them float64)
	Gate   *gate.Gate
	// Resolve says who is meant by a name or an address.
	Resolve func(text string) (contact.Contact, error)
	// Ready waits until the network can be used; nil: it can.
	Ready func(context.Context) error
	// Publish makes the address one that can be called; nil: this phone only
	// makes calls.
	Publish func(context.Context) (net.Listener, error)
	// Reach is told before somebody is dialled, and what it gives at the call's
	// end; nil: nothing needs to be.
	Reach func(identity.Address) (done func())
	// End says how an error ends a call: its exit code, its words, and whether
	// calling again may help.
	End func(error) api.End

	// History keeps what has become of calls; nil: nothing is kept.
	History *history.Keeper

	Sotto     string // the program's version
	Closed    bool   // Publish makes the address one that contacts alone can find
	OneTime   bool   // the identity is a one-time one
	AnswerAll bool   // whatever rings is answered
	RecordAll bool   // both voices are kept from the start of each call
}

// ErrPutAway is why Run has ended when [Board.PutAway] was called.
var ErrPutAway = errors.New("the phone was put away")

// Board is a phone. Its methods may be called from any goroutine.
type Board struct {
	config  Config
	handset handset
	began   chan struct{} // closed when Run has begun

	mu        sync.Mutex // see the package's comment
	desk      desk.Desk
	status    api.Status // without calls and missed ones
	calls     []*line    // in the order in which they began
	last      desk.ID
	missed    []api.Missed
	listeners map[chan api.Event]struct{}
	run       context.Context // Run's; nil before
	stop      context.CancelCauseFunc
	away      bool               // PutAway was called
	over      bool               // Run waits for its end
	quieten   context.CancelFunc // ends the ringing; nil: it does not ring
	rung      chan struct{}      // closed when the last ringing has ended; nil: none was
	group     sync.WaitGroup
}

// New makes a phone; nothing happens before Run.
func New(c Config, pid int) *Board {
	b := &Board{
		config: c, began: make(chan struct{}), listeners: map[chan api.Event]struct{}{},
		desk: desk.Desk{Me: c.Calls.Key.Address(), NoWait: c.AnswerAll},
	}
	b.handset.open = func(ctx context.Context) (call.Sound, error) {
		b.mu.Lock()
		rung := b.rung
		b.mu.Unlock()
		if rung != nil {
			<-rung // it may be the same loudspeaker
		}
		return c.Open(ctx)
	}
	b.status = api.Status{
		Version: api.Version, Sotto: c.Sotto, PID: pid, Address: c.Calls.Key.Address().Onion(), Phase: api.Starting,
		Rings: c.Gate.Describe(), Closed: c.Closed,
	}
	if c.Publish == nil {
		b.status.Rings = "nobody: this phone is up for a call that is made"
	}
	return b
}

// Run is the phone, until ctx ends, it is put away, or the address cannot be
// published any more. It hangs up all calls and waits for them.
func (b *Board) Run(ctx context.Context) error {
	defer b.keepHistory(ctx)() // to the end of the last call
	ctx, stop := context.WithCancelCause(ctx)
	defer b.group.Wait()
	defer stop(nil)
	b.mu.Lock()
	b.run, b.stop = ctx, stop
	if b.away {
		stop(ErrPutAway)
	}
	b.mu.Unlock()
	close(b.began)
	err := b.serve(ctx)
	b.mu.Lock()
	b.over = true
	b.mu.Unlock()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if errors.Is(err, ErrPutAway) {
		return nil
	}
	return err
}

func (b *Board) serve(ctx context.Context) error {
	if err := b.ready(ctx); err != nil {
		return err
	}
	if b.config.Publish == nil {
		b.phase(api.Calling)
		<-ctx.Done()
		return nil
	}
	_ = b.Reread() // since the profile was opened they may have changed; Follow tells what is wrong
	b.phase(api.Publishing)
	listener, err := b.config.Publish(ctx)
	if err != nil {
		return err
	}
	b.phase(api.Up)
	b.group.Go(func() { b.config.Gate.Follow(ctx, b.contactsChanged) })
	line := call.Line{Config: b.config.Calls, Handle: b.take, Told: b.told, Known: b.config.Gate.Knows}
	return line.Serve(ctx, listener)
}

func (b *Board) ready(ctx context.Context) error {
	if b.config.Ready == nil {
		return nil
	}
	return b.config.Ready(ctx)
}

// phase moves the phone on.
func (b *Board) phase(p api.Phase) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status.Phase = p
	if p == api.Up {
		b.status.Up = time.Now().Round(time.Millisecond)
	}
	b.tellStatus()
}

// Tor says how far tor is.
func (b *Board) Tor(t api.Tor) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t != b.status.Tor {
		b.status.Tor = t
		b.tellStatus()
	}
}

// Notice tells whoever listens a line for the person.
func (b *Board) Notice(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tell(api.Event{Notice: text})
}

// Reread takes in the contacts as they are now. When it returns they count.
func (b *Board) Reread() error {
	text, err := b.config.Gate.Reread()
	if err != nil {
		return fmt.Errorf("contacts stay as they were: %w", err)
	}
	b.contactsChanged(text)
	return nil
}

// contactsChanged tells of contacts that have changed, if there is something to
// say, and goes by them in calls that ring.
func (b *Board) contactsChanged(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if text != "" {
		b.tell(api.Event{Notice: text})
	}
	if b.config.Publish != nil {
		b.status.Rings = b.config.Gate.Describe()
	}
	for _, l := range slices.Clone(b.calls) {
		if !l.outgoing {
			b.act(b.desk.Judged(b.judge(l)))
		}
	}
	b.tellStatus()
}

// judge is an incoming call as who may ring is now; b.mu is held.
func (b *Board) judge(l *line) desk.Call {
	who := b.config.Gate.At(l.peer)
	c := desk.Call{ID: l.id, Peer: l.peer, Known: b.config.Gate.Knows(l.peer), Auto: b.config.AnswerAll || who.Auto && who.Name != ""}
	c.Rings, c.Why = b.config.Gate.Judge(l.peer)
	return c
}

// told says whether a caller who is proven rings, and lists one who does not.
func (b *Board) told(a identity.Address) bool {
	rings, why := b.config.Gate.Judge(a)
	b.mu.Lock()
	defer b.mu.Unlock()
	if rings || b.desk.Dials(a) { // whom one calls may call
		return true
	}
	if why != "" {
		b.miss(a, why)
		b.keep(history.Entry{Began: time.Now(), Peer: a, How: history.Missed})
	}
	return false
}

// mostMissed is how many missed calls are kept.
const mostMissed = 500

// miss lists a missed call; b.mu is held.
func (b *Board) miss(a identity.Address, why string) {
	m := api.Missed{At: time.Now().Round(time.Millisecond), Peer: a.Onion(), Name: b.config.Gate.At(a).Name, Why: why}
	if b.missed = append(b.missed, m); len(b.missed) > mostMissed {
		// Strangers go first: they can be as many as they like.
		i := max(0, slices.IndexFunc(b.missed, func(m api.Missed) bool { return m.Name == "" }))
		b.missed = slices.Delete(b.missed, i, i+1)
	}
	b.tell(api.Event{Missed: &m})
}

// next is a new call's number; b.mu is held.
func (b *Board) next() (desk.ID, string) {
	b.last++
	return b.last, strconv.FormatUint(uint64(b.last), 10)
}
