package desk

import (
	"github.com/sottovoce/sotto/identity"
)

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
