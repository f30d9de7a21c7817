// Package desk decides what becomes of the calls of one phone: which of them
// rings, which is told busy, which waits while another talks, and which of two
// survives when both sides dial at once. It is a plain value: events go in,
// acts come out; no goroutine, clock or I/O.
//
//	                 ┌── the dial fails ───────────────────────────┐
//	Call ─▶ Reaching ── proven ─▶ Asking ── answered ─▶ Talking ─▶ (gone)
//	Asks ─▶ Ringing ───────── answered here ────────────▲     ▲
//	   ├──▶ Quiet    nobody here is told: it looks unanswered, and ends so
//	   └──▶ Parked   from somebody who is being called: it waits for that call's fate
//
// One call has the person's ear: all others that talk are on hold. A contact's
// call rings while another talks, if no more than that one is on; a stranger's
// gives way to any other. Of those whose calls do not ring by what the person has
// said, only they come here who are being called: both have said yes then. Once
// that is taken back they stay [Quiet].
//
// # Glare
//
// When two people dial each other at once, both have said yes, and one of the two
// calls is to survive, whichever way the messages cross: the one dialled by the
// smaller of the two onion addresses, compared byte by byte. Who has the larger
// address answers the other's call as soon as it asks to ring, and hangs up the
// own one. Who has the smaller one stops dialling if the dial has not come so
// far that the other side may know of it: then the call that came is answered,
// else it is parked until the own one is answered, or over. See section 10 of
// docs/protocol.md.
package desk

import (
	"bytes"
	"errors"
	"slices"

	"github.com/sottovoce/sotto/identity"
)

// ID names a call at this desk.
type ID uint64

// Phase is where a call stands, for the desk.
type Phase uint8

// The phases; see the package's comment.
const (
	Reaching Phase = iota
	Asking
	Ringing
	Quiet
	Parked
	Talking
	Closing // hung up here, and not yet over
)

// Verb is something to be done with a call.
type Verb uint8

// The verbs.
const (
	Ring    Verb = iota // tell the person that it rings
	Answer              // say yes
	Decline             // say no
	Busy                // say that there is another call
	HangUp              // hang up a call that has been proven
	Cancel              // stop a dial; should it come through in spite of that, Proven says what then
	Hold                // put on hold
	Resume              // take off hold
	Missed              // list it as missed, with the reason
	Hush                // it rings here no more: the person is not to be shown it
)

func (v Verb) String() string {
	return [...]string{"ring", "answer", "decline", "busy", "hang up", "cancel", "hold", "resume", "missed", "hush"}[v]
}

// Act is what is to be done with a call.
type Act struct {
	Do   Verb
	Call ID
	Why  string // of Missed and Hush
}

// Reasons why a call was missed, or is hushed.
const (
	WhyDeclined   = "you declined; strangers are not told, it rings on for them"
	WhyBusy       = "you were busy with another"
	WhyContact    = "a contact called meanwhile"
	WhySilent     = "this phone is silent"
	WhyUnanswered = "it was not answered"
)

// Reasons why something cannot be done.
var (
	ErrOn      = errors.New("there is a call with them already")
	ErrDialing = errors.New("another call is being made: hang that up first")
	ErrFull    = errors.New("two calls are on: hang one of them up first")
	ErrNoCall  = errors.New("there is no such call")
)

// Call is a call as the desk sees it.
type Call struct {
	ID     ID
	Peer   identity.Address
	Known  bool   // is a contact
	Auto   bool   // to be answered without asking
	Rings  bool   // may ring here; else it comes only since its peer is being called
	Why    string // it does not ring, as it is listed; "": it is not
	Phase  Phase
	OnHold bool

	doomed bool // Reaching, and given up: hung up, should it come through
}

// Desk is the desk of one phone. Me must be set.
type Desk struct {
	Me      identity.Address
	NoCalls bool // do not disturb: nothing rings
	NoWait  bool // no call rings while another is on, as where nobody sits

	calls []Call // in the order in which they began
}

// Calls are those that are on.
func (d *Desk) Calls() []Call { return slices.Clone(d.calls) }

// Clone is another desk in the same state.
func (d *Desk) Clone() Desk {
	c := *d
	c.calls = slices.Clone(d.calls)
	return c
}

// Dials says whether a is being called, and not yet talked to: both have said yes
// if they call now.
func (d *Desk) Dials(a identity.Address) bool { return d.outgoing(a) != nil }

func (d *Desk) at(id ID) *Call {
	for i := range d.calls {
		if d.calls[i].ID == id {
			return &d.calls[i]
		}
	}
	return nil
}

func (d *Desk) find(f func(*Call) bool) *Call {
	for i := range d.calls {
		if f(&d.calls[i]) {
			return &d.calls[i]
		}
	}
	return nil
}

// outgoing is the call to a that is being made.
func (d *Desk) outgoing(a identity.Address) *Call {
	return d.find(func(c *Call) bool { return c.Peer == a && !c.doomed && (c.Phase == Reaching || c.Phase == Asking) })
}

// talks says whether there is a call with a that was answered.
func (d *Desk) talks(a identity.Address) bool {
	return d.find(func(c *Call) bool { return c.Peer == a && c.Phase == Talking }) != nil
}

// count is how many calls are in one of these phases.
func (d *Desk) count(phases ...Phase) (n int) {
	for _, c := range d.calls {
		if slices.Contains(phases, c.Phase) && !c.doomed {
			n++
		}
	}
	return n
}

// Call begins an outgoing call. Where its peer rings here, that is answered
// instead, and answered names it.
func (d *Desk) Call(id ID, peer identity.Address) (acts []Act, answered ID, err error) {
	in := d.find(func(c *Call) bool {
		return c.Peer == peer && (c.Phase == Ringing || c.Phase == Quiet || c.Phase == Parked)
	})
	switch {
	case d.talks(peer) || d.Dials(peer):
		return nil, 0, ErrOn
	case d.count(Talking) > 1:
		return nil, 0, ErrFull
	case in != nil:
		return d.take(in), in.ID, nil
	case d.count(Reaching, Asking) > 0:
		return nil, 0, ErrDialing
	}
	d.calls = append(d.calls, Call{ID: id, Peer: peer, Phase: Reaching})
	return nil, 0, nil
}

// Proven says that a dial came through: the other side knows of the call.
func (d *Desk) Proven(id ID) []Act {
	c := d.at(id)
	if c == nil || c.Phase != Reaching {
		return nil
	}
	if c.doomed {
		c.Phase, c.doomed = Closing, false
		return []Act{{Do: HangUp, Call: id}}
	}
	c.Phase = Asking
	return nil
}

// Asks says that an incoming call asks to ring, of which ID, Peer, Known, Auto,
// Rings and Why are known.
func (d *Desk) Asks(c Call) []Act {
	c.Phase = Quiet
	d.calls = append(d.calls, c)
	return d.asked(c.ID)
}

// asked decides on a call that asks to ring.
func (d *Desk) asked(id ID) []Act {
	c := d.at(id)
	if own := d.outgoing(c.Peer); own != nil {
		return d.glare(c, own)
	}
	if d.talks(c.Peer) {
		c.Phase = Parked // it may have crossed with the one that talks
		return nil
	}
	var acts []Act
	switch {
	case !c.Rings && c.Why == "":
		c.Phase = Quiet
		return nil
	case !c.Rings:
		return d.quiet(acts, c, c.Why)
	case d.NoCalls:
		return d.quiet(acts, c, WhySilent)
	}
	if ringing := d.find(func(o *Call) bool { return o.Phase == Ringing }); ringing != nil {
		if !c.Known || ringing.Known {
			return d.refuse(acts, c)
		}
		acts = d.quiet(append(acts, Act{Do: Hush, Call: ringing.ID, Why: WhyContact}), ringing, WhyContact)
	}
	others := d.count(Reaching, Asking, Talking)
	switch {
	case others > 1, others == 1 && (!c.Known || d.NoWait):
		return d.refuse(acts, c)
	case others == 0 && c.Auto:
		return append(acts, d.take(c)...)
	}
	c.Phase = Ringing
	return append(acts, Act{Do: Ring, Call: id})
}

// glare is two people dialling each other at once.
func (d *Desk) glare(in, own *Call) []Act {
	if bytes.Compare(d.Me[:], in.Peer[:]) > 0 { // theirs survives
		return d.take(in) // which gives up ours
	}
	in.Phase = Parked
	if own.Phase == Reaching {
		return []Act{{Do: Cancel, Call: own.ID}} // too late, and it survives
	}
	return nil
}

// refuse is busy for contacts; strangers are not told whether somebody is there.
func (d *Desk) refuse(acts []Act, c *Call) []Act {
	if !c.Known {
		return d.quiet(acts, c, WhyBusy)
	}
	c.Phase = Closing
	return append(acts, Act{Do: Busy, Call: c.ID}, Act{Do: Missed, Call: c.ID, Why: WhyBusy})
}

// quiet lets a call run on as one that nobody answers.
func (d *Desk) quiet(acts []Act, c *Call, why string) []Act {
	c.Phase = Quiet
	return append(acts, Act{Do: Missed, Call: c.ID, Why: why})
}

// take says yes to an incoming call: those that talk go on hold, one that is
// being made is given up.
func (d *Desk) take(c *Call) (acts []Act) {
	for i := range d.calls {
		if o := &d.calls[i]; o.ID != c.ID && (o.Phase == Reaching && !o.doomed || o.Phase == Asking) {
			acts = append(acts, d.end(o)...)
		}
	}
	acts = d.front(acts, c)
	c.Phase = Talking
	return append(acts, Act{Do: Answer, Call: c.ID})
}

// front puts everybody but c on hold.
func (d *Desk) front(acts []Act, c *Call) []Act {
	for i := range d.calls {
		if o := &d.calls[i]; o.ID != c.ID && o.Phase == Talking && !o.OnHold {
			o.OnHold = true
			acts = append(acts, Act{Do: Hold, Call: o.ID})
		}
	}
	return acts
}

// end gives up an outgoing call, or ends one that talks.
func (d *Desk) end(c *Call) []Act {
	if c.Phase == Reaching {
		c.doomed = true
		return []Act{{Do: Cancel, Call: c.ID}}
	}
	c.Phase = Closing
	return []Act{{Do: HangUp, Call: c.ID}}
}

// Talks says that an outgoing call was answered.
func (d *Desk) Talks(id ID) []Act {
	c := d.at(id)
	if c == nil || c.Phase != Asking {
		return nil
	}
	c.Phase = Talking
	return d.front(nil, c)
}

// Hears says whether a call talks, and is not on hold.
func (d *Desk) Hears(id ID) bool {
	c := d.at(id)
	return c != nil && c.Phase == Talking && !c.OnHold
}

// Over says that a call is no more, or that a dial has failed.
func (d *Desk) Over(id ID) (acts []Act) {
	i := slices.IndexFunc(d.calls, func(c Call) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	c := d.calls[i]
	d.calls = slices.Delete(d.calls, i, i+1)
	if c.Phase == Ringing {
		acts = append(acts, Act{Do: Missed, Call: id, Why: WhyUnanswered})
	}
	return append(acts, d.unpark(c)...)
}

// unpark looks whether somebody has waited for the end of c.
func (d *Desk) unpark(c Call) []Act {
	in := d.find(func(o *Call) bool { return o.Peer == c.Peer && o.Phase == Parked })
	if in == nil {
		return nil
	}
	if c.Phase == Reaching && !c.doomed || c.Phase == Asking {
		return d.take(in) // the own call has come to nothing, and both have said yes
	}
	in.Phase = Quiet
	return d.asked(in.ID)
}

// Answer says yes to a call that rings.
func (d *Desk) Answer(id ID) ([]Act, error) {
	switch c := d.at(id); {
	case c == nil || c.Phase != Ringing:
		return nil, ErrNoCall
	case d.count(Talking) > 1:
		return nil, ErrFull
	default:
		return d.take(c), nil
	}
}

// HangUp ends a call of whatever phase; one that rings is declined. To a
// stranger nothing is said: it rings on for them.
func (d *Desk) HangUp(id ID) ([]Act, error) {
	c := d.at(id)
	if c == nil {
		return nil, ErrNoCall
	}
	switch {
	case c.doomed:
		return nil, nil
	case c.Phase == Reaching || c.Phase == Asking:
		acts := d.end(c)
		return append(acts, d.unpark(*c)...), nil // who is parked rings like any other now
	case c.Phase == Talking:
		return d.end(c), nil
	case c.Phase == Ringing:
		return d.decline(c), nil
	}
	return nil, ErrNoCall
}

// Decline says no to a call that rings.
func (d *Desk) Decline(id ID) ([]Act, error) {
	c := d.at(id)
	if c == nil || c.Phase != Ringing {
		return nil, ErrNoCall
	}
	return d.decline(c), nil
}

func (d *Desk) decline(c *Call) []Act {
	if !c.Known {
		c.Phase = Quiet
		return []Act{{Do: Hush, Call: c.ID, Why: WhyDeclined}}
	}
	c.Phase = Closing
	if d.count(Talking) > 0 {
		return []Act{{Do: Busy, Call: c.ID}}
	}
	return []Act{{Do: Decline, Call: c.ID}}
}

// Hold puts a call on hold, or takes it off, which puts the others on.
func (d *Desk) Hold(id ID, on bool) ([]Act, error) {
	c := d.at(id)
	switch {
	case c == nil || c.Phase != Talking:
		return nil, ErrNoCall
	case c.OnHold == on:
		return nil, nil
	case on:
		c.OnHold = true
		return []Act{{Do: Hold, Call: id}}, nil
	}
	acts := d.front(nil, c)
	c.OnHold = false
	return append(acts, Act{Do: Resume, Call: id}), nil
}
