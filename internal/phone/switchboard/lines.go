package switchboard

import (
	"context"
	"sync"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/desk"
)

// line is a call on the board, from the dial, or from when it asks to ring.
type line struct {
	id       desk.ID
	name     string // the id, for others
	peer     identity.Address
	outgoing bool
	began    time.Time
	hangUp   context.CancelFunc // ends it, however far it is
	lease    *lease

	// Guarded by the board's lock.
	call    *call.Call // nil while it is dialled
	shown   bool       // the person has been told of it
	phase   api.CallPhase
	entered time.Time // when phase began
	dialled time.Time
	setup   time.Duration
	stop    func()      // ends the recording; nil: none is on
	talked  bool        // it was answered
	missed  string      // why it is listed as missed; "": it is not
	instead string      // the call that goes on in its place
	end     *api.End    // how it has ended for the person, where that is not how it ends
	heard   [2]listened // what was heard by two moments, the older first
	trip    time.Duration
	delay   time.Duration // mouth to ear, when it was last known

	recording sync.Mutex // held while a recording begins or ends, which writes files
}

// refresh is how often a call that talks is told of.
const refresh = 200 * time.Millisecond

// newLine puts a call on the board; b.mu is held.
func (b *Board) newLine(peer identity.Address, outgoing bool, phase api.CallPhase) *line {
	now := time.Now()
	l := &line{peer: peer, outgoing: outgoing, began: now, phase: phase, entered: now, lease: b.handset.lease()}
	l.id, l.name = b.next()
	b.calls = append(b.calls, l)
	return l
}

func (b *Board) line(id desk.ID) *line {
	for _, l := range b.calls {
		if l.id == id {
			return l
		}
	}
	return nil
}

// Call calls somebody. Should they ring here, that is answered instead.
func (b *Board) Call(ctx context.Context, whom string) (api.Call, error) {
	peer, err := b.config.Resolve(whom)
	if err != nil {
		return api.Call{}, err
	}
	select {
	case <-b.began:
	case <-ctx.Done():
		return api.Call{}, ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over || b.run.Err() != nil {
		return api.Call{}, ErrPutAway
	}
	l := b.newLine(peer.Address, true, api.Dialing)
	acts, answered, err := b.desk.Call(l.id, peer.Address)
	if err != nil || answered != 0 {
		b.forget(l)
	}
	if err != nil {
		return api.Call{}, err
	}
	if answered != 0 {
		b.act(acts)
		return b.describe(b.line(answered)), nil
	}
	l.shown = true
	run, hangUp := context.WithCancel(b.run)
	l.hangUp = hangUp
	b.act(acts)
	b.tellCall(l)
	b.group.Go(func() { b.dial(run, l) })
	return b.describe(l), nil
}

// dial makes an outgoing call and sees it through.
func (b *Board) dial(ctx context.Context, l *line) {
	defer l.hangUp()
	if err := b.ready(ctx); err != nil {
		b.ended(l, cut(ctx, err))
		return
	}
	if b.config.Reach != nil {
		defer b.config.Reach(l.peer)()
	}
	b.mu.Lock()
	l.dialled = time.Now()
	b.mu.Unlock()
	c, err := call.Dial(ctx, b.config.Calls, l.peer)
	if err != nil {
		b.ended(l, cut(ctx, err))
		return
	}
	b.mu.Lock()
	l.call = c
	acts := b.desk.Proven(l.id)
	if len(acts) == 0 && b.run.Err() == nil {
		// A dial that was stopped too late goes on as if it had not been.
		ctx, l.hangUp = context.WithCancel(b.run)
		defer l.hangUp()
	}
	b.act(acts)
	b.mu.Unlock()
	b.live(ctx, l, c)
}

// cut is how a dial ends that somebody has stopped.
func cut(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return call.ErrCancelled
	}
	return err
}

// take sees an incoming call through.
func (b *Board) take(ctx context.Context, c *call.Call) {
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	b.mu.Lock()
	l := b.newLine(c.Peer, false, api.Ringing)
	l.call, l.hangUp = c, hangUp
	b.mu.Unlock()
	b.live(ctx, l, c)
}

// live runs a call.
func (b *Board) live(ctx context.Context, l *line, c *call.Call) {
	var group sync.WaitGroup
	inner, cancel := context.WithCancel(ctx)
	c.Open = l.lease.Open
	c.OnSoundError = func(err error) { b.Notice(err.Error()) }
	c.OnText = func(text string) { b.text(l, text, false) }
	c.OnRecorded = func(bool) { b.changed(l) }
	c.OnPhase = func(p call.Phase) {
		if p == call.Talking {
			group.Go(func() { b.watch(inner, l) })
			if b.config.RecordAll {
				group.Go(func() { _ = b.record(l, true) }) // which tells what does not work
			}
		}
		b.entered(l, p)
	}
	err := c.Run(ctx)
	cancel()
	group.Wait()
	_ = b.record(l, false) // ending one cannot fail
	b.ended(l, err)
}

// watch tells how a call stands while both talk.
func (b *Board) watch(ctx context.Context, l *line) {
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			b.changed(l)
		}
	}
}

func (b *Board) changed(l *line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tellCall(l)
}
