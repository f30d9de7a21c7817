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
	WhyUnwanted   = "they may not ring here any more; they are not told, it rings on for them"
	WhyUnanswered = "it was not answered"
	WhyGivenUp    = "you hung up before they answered"
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
