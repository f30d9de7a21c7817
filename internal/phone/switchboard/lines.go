package switchboard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/desk"
)

// line is a call on the board, from the dial, or from when it asks to ring.
type line struct {
	id       desk.ID
	name     string // the id, for others
	peer     identity.Address
	outgoing bool
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
	instead string      // the call that goes on in its place
	end     *api.End    // how it has ended for the person, where that is not how it ends
	heard   [2]listened // what was heard by two moments, the older first
	trip    time.Duration

	recording sync.Mutex // held while a recording begins or ends, which writes files
}

// refresh is how often a call that talks is told of.
const refresh = 200 * time.Millisecond

// newLine puts a call on the board; b.mu is held.
func (b *Board) newLine(peer identity.Address, outgoing bool, phase api.CallPhase) *line {
	l := &line{peer: peer, outgoing: outgoing, phase: phase, entered: time.Now(), lease: b.handset.lease()}
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

// entered follows a call's phases. It is asked by the call's own clock.
func (b *Board) entered(l *line, p call.Phase) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case p == call.Ringing && l.outgoing:
		l.setup = time.Since(l.dialled)
		b.move(l, api.Ringing)
	case p == call.Ringing:
		c, who := desk.Call{ID: l.id, Peer: l.peer, Known: b.config.Gate.Knows(l.peer)}, b.config.Gate.At(l.peer)
		c.Auto = b.config.AnswerAll || who.Auto && who.Name != ""
		c.Rings, c.Why = b.config.Gate.Judge(l.peer) // anew: who was called then may not be now
		b.act(b.desk.Asks(c))
		b.replace(l)
	case p == call.Talking && l.outgoing:
		b.act(b.desk.Talks(l.id))
		if b.desk.Hears(l.id) { // else it was hung up as the answer came
			l.lease.take()
		}
		b.move(l, api.Talking)
	case p == call.Talking:
		b.move(l, api.Talking)
	case p == call.Closing:
		b.act(b.desk.Over(l.id)) // nothing more can be said in it
		b.move(l, api.Closing)
	}
}

// lostTime without a record is when a call makes room for a new one from the same
// peer, who has lost it.
const lostTime = 3 * time.Second

// replace ends calls with the peer of a new one, which waits for their end, that
// bring nothing; b.mu is held. Of those that came in the line sees to that itself.
func (b *Board) replace(l *line) {
	for _, o := range b.calls {
		if o != l && o.peer == l.peer && o.phase == api.Talking && o.call.Status().Silence > lostTime {
			o.hangUp()
		}
	}
}

// move moves a call on, and tells; b.mu is held.
func (b *Board) move(l *line, p api.CallPhase) {
	l.phase, l.entered = p, time.Now()
	b.tellCall(l)
}

// ring rings on the loudspeaker while a call rings and none talks; b.mu is held.
func (b *Board) ring() {
	wanted := false
	for _, c := range b.desk.Calls() {
		if c.Phase == desk.Talking {
			wanted = false
			break
		}
		wanted = wanted || c.Phase == desk.Ringing
	}
	switch {
	case b.config.Ring == nil || wanted == (b.quieten != nil):
	case wanted:
		ctx, quieten := context.WithCancel(b.run)
		rung := make(chan struct{})
		b.quieten, b.rung = quieten, rung
		b.group.Go(func() {
			defer close(rung)
			if err := b.config.Ring(ctx); err != nil && ctx.Err() == nil {
				b.Notice(err.Error())
			}
		})
	default:
		b.quieten()
		b.quieten = nil
	}
}

// act does what the desk says; b.mu is held.
func (b *Board) act(acts []desk.Act) {
	for _, a := range acts {
		l := b.line(a.Call)
		if l == nil {
			continue
		}
		switch a.Do {
		case desk.Ring:
			l.shown = true
			b.move(l, api.Ringing)
		case desk.Answer:
			if l.shown = true; l.phase == api.Over { // it was hushed, and is taken all the same
				l.phase = api.Ringing
			}
			for _, o := range b.calls {
				if o != l && o.outgoing && o.peer == l.peer {
					o.instead = l.name
				}
			}
			l.lease.take()
			b.ring() // no more
			l.call.Answer()
		case desk.Decline:
			l.call.Decline()
		case desk.Busy:
			l.call.Busy()
		case desk.HangUp, desk.Cancel:
			l.hangUp()
		case desk.Hold:
			l.lease.leave()
			_ = l.call.Hold(true) // what cannot be said to them holds here all the same
			b.tellCall(l)
		case desk.Resume:
			l.lease.take()
			if err := l.call.Hold(false); err != nil { // it holds on, and the desk has to know
				b.tell(api.Event{Notice: fmt.Sprintf("%s: %v", b.called(l), err)})
				again, _ := b.desk.Hold(l.id, true)
				b.act(again)
			}
			b.tellCall(l)
		case desk.Missed:
			if b.config.Gate.Lists(l.peer) {
				b.miss(l.peer, a.Why)
			}
		case desk.Hush:
			b.hush(l, a.Why)
		}
	}
}

// hush takes a call from the person's sight, which runs on as one that nobody
// answers; b.mu is held.
func (b *Board) hush(l *line, why string) {
	e := b.config.End(call.ErrDeclined)
	e.Error = why
	l.phase, l.end = api.Over, &e
	b.tellCall(l)
	l.shown = false
}

// ended takes a call off the board.
func (b *Board) ended(l *line, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.act(b.desk.Over(l.id)) // should it not have been; another may go on in its place
	l.lease.leave()
	e := b.config.End(err)
	if !l.outgoing && err != nil {
		e.Again = false
		switch {
		case errors.Is(err, call.ErrDeclined):
			e.Error = "you declined"
		case errors.Is(err, call.ErrBusy):
			e.Error = "they were told that you are in another call"
		case errors.Is(err, call.ErrNoAnswer), errors.Is(err, call.ErrCancelled):
			e.Error = desk.WhyUnanswered
		}
	}
	if e.Instead = l.instead; e.Instead != "" {
		e = api.End{Instead: l.instead}
	}
	l.end = &e
	b.move(l, api.Over)
	b.forget(l)
	b.stillHeld()
}

// stillHeld reminds of a call that is on hold, and alone; b.mu is held.
func (b *Board) stillHeld() {
	var held *line
	for _, c := range b.desk.Calls() {
		switch {
		case c.Phase != desk.Talking:
		case !c.OnHold:
			return
		default:
			held = b.line(c.ID)
		}
	}
	if held != nil {
		b.tell(api.Event{Notice: b.called(held) + " is still on hold"})
	}
}

func (b *Board) forget(l *line) {
	for i, o := range b.calls {
		if o == l {
			b.calls = append(b.calls[:i:i], b.calls[i+1:]...)
		}
	}
}

// called is a contact's name or a stranger's address.
func (b *Board) called(l *line) string {
	if name := b.config.Gate.At(l.peer).Name; name != "" {
		return name
	}
	return l.peer.Onion()
}

// text tells of a line of text.
func (b *Board) text(l *line, text string, mine bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tell(api.Event{Text: &api.Text{Call: l.name, At: time.Now().Round(time.Millisecond), Mine: mine, Text: text}})
}

// record begins or ends the keeping of both voices.
func (b *Board) record(l *line, on bool) error {
	l.recording.Lock()
	defer l.recording.Unlock()
	b.mu.Lock()
	stop, c := l.stop, l.call
	b.mu.Unlock()
	if on == (stop != nil) {
		return nil
	}
	if !on {
		stop()
		b.set(l, nil)
		return nil
	}
	path, stop, err := b.config.Record(c)
	if err != nil {
		if b.config.RecordAll {
			b.Notice(err.Error())
		}
		return err
	}
	b.set(l, func() {
		stop()
		b.Notice("recorded to " + path)
	})
	b.Notice("recording to " + path + ", and the other side is told")
	return nil
}

func (b *Board) set(l *line, stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.stop = stop
	b.tellCall(l)
}

var errSilence = errors.New("there is nothing to say in that text")

// say sends a line of text.
func (b *Board) say(l *line, text string) error {
	text = control.Text([]byte(text))
	if text == "" {
		return errSilence
	}
	b.mu.Lock()
	c := l.call
	b.mu.Unlock()
	if c == nil {
		return call.ErrNotTalking
	}
	if err := c.Say(text); err != nil {
		return err
	}
	b.text(l, text, true)
	return nil
}

// Contacts are those who have names.
func (b *Board) Contacts() []api.Contact {
	all := []api.Contact{}
	for _, c := range b.config.Gate.Book().List() {
		if c.Name != "" {
			all = append(all, describeContact(c))
		}
	}
	return all
}

func describeContact(c contact.Contact) api.Contact {
	return api.Contact{Name: c.Name, Address: c.Address.Onion(), Verified: c.Verified, Blocked: c.Blocked, Auto: c.Auto}
}
