package switchboard

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/desk"
	"github.com/sottovoce/sotto/internal/phone/history"
)

// entered follows a call's phases. It is asked by the call's own clock.
func (b *Board) entered(l *line, p call.Phase) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.talked = l.talked || p == call.Talking
	switch {
	case p == call.Ringing && l.outgoing:
		l.setup = time.Since(l.dialled)
		b.move(l, api.Ringing)
	case p == call.Ringing:
		b.act(b.desk.Asks(b.judge(l))) // anew: who was called then may not be now
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
				l.missed = a.Why
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
	if l.outgoing && errors.Is(err, call.ErrCancelled) {
		e.Error = desk.WhyGivenUp
	}
	if e.Instead = l.instead; e.Instead != "" {
		e = api.End{Instead: l.instead}
	}
	if how := l.how(err); how != "" && b.config.History != nil {
		entry := history.Entry{Began: l.began, Outgoing: l.outgoing, Peer: l.peer, How: how}
		if l.talked {
			entry.Talked = l.call.Status().TalkedFor
		}
		b.keep(entry)
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
