package desk

import (
	"bytes"
)

// Asks says that an incoming call asks to ring, of which ID, Peer, Known, Auto,
// Rings and Why are known.
func (d *Desk) Asks(c Call) []Act {
	c.Phase = Quiet
	d.calls = append(d.calls, c)
	return d.asked(c.ID)
}

// Judged says anew of a call that came in what Asks said of it: who may ring has
// changed. One that rings, and may not, runs on as one that nobody answers.
func (d *Desk) Judged(now Call) []Act {
	c := d.at(now.ID)
	if c == nil {
		return nil
	}
	c.Known, c.Auto, c.Rings, c.Why = now.Known, now.Auto, now.Rings, now.Why
	if c.Phase != Ringing || c.Rings {
		return nil
	}
	acts := []Act{{Do: Hush, Call: c.ID, Why: WhyUnwanted}}
	if c.Why == "" {
		c.Phase = Quiet
		return acts
	}
	return d.quiet(acts, c, c.Why)
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
