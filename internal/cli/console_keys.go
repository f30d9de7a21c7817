package cli

import (
	"context"
	"errors"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// ringing is the call that asks to be answered, front the one that has the
// person's ear, or would have.
func (c *console) ringing() *shown {
	for _, s := range c.calls {
		if s.Phase == api.Ringing && !s.Outgoing && c.only == "" {
			return s
		}
	}
	return nil
}

func (c *console) front() (front *shown) {
	if c.only != "" {
		return c.find(c.only)
	}
	rank := func(s *shown) int {
		switch {
		case s.Phase == api.Talking && !s.Holding:
			return 3
		case s.Outgoing && (s.Phase == api.Dialing || s.Phase == api.Ringing):
			return 2
		case s.Phase == api.Talking:
			return 1
		}
		return 0
	}
	for _, s := range c.calls {
		if rank(s) > 0 && (front == nil || rank(s) > rank(front)) {
			front = s
		}
	}
	return front
}

// waits is the call that is on hold while front is not.
func (c *console) waits(front *shown) *shown {
	for _, s := range c.calls {
		if c.only == "" && s != front && s.Holding && front.Phase == api.Talking && !front.Holding {
			return s
		}
	}
	return nil
}

// startle is how long after the first ring keys are not taken: whoever was
// typing to another call, or to nobody, has not seen who calls yet.
const startle = 500 * time.Millisecond

// settle is how long after a call's end q does not end the phone: whoever presses
// it then, or twice, means the call.
const settle = 2 * time.Second

// again is how long after r a second one records: the other side is told at once, so
// that one key alone, which may be the wrong one, does not.
const again = 3 * time.Second

// repeats is how long after a key the next may be the same, held down.
const repeats = 800 * time.Millisecond

// record begins a recording, once that was asked for twice, or ends it.
func (c *console) record(ctx context.Context, s *shown) error {
	held := time.Since(s.pressed) < repeats
	s.pressed = time.Now()
	if held {
		return nil
	}
	on := s.Recording || s.Announced
	if on || time.Since(s.asked) < again {
		s.asked = time.Time{}
		return c.phone.Record(ctx, s.ID, !on)
	}
	s.asked = time.Now()
	c.say("to record both voices, of which %s is told: wait a moment, then r again, within %.0f s", other(s.Call), again.Seconds())
	return nil
}

// press does what a key says.
func (c *console) press(ctx context.Context, key byte) error {
	if key == ctrlC {
		if c.only != "" {
			_ = c.phone.HangUp(ctx, c.only)
		}
		return errInterrupted
	}
	if c.begin != nil {
		return nil
	}
	ringing, front := c.ringing(), c.front()
	if ringing != nil && time.Since(ringing.rang) < startle {
		return nil
	}
	var err error
	if ringing == nil && front != nil && front.Phase == api.Talking {
		if meant, mute := front.push.key(key); meant {
			err = c.phone.Mute(ctx, front.ID, mute)
		}
	}
	switch key {
	case 'y', 'Y':
		if ringing != nil {
			err = c.phone.Answer(ctx, ringing.ID)
		}
	case 'n', 'N':
		if ringing != nil {
			err = c.phone.Decline(ctx, ringing.ID)
		}
	case 'm', 'M':
		if front != nil {
			front.push = push{}
			err = c.phone.Mute(ctx, front.ID, !front.Muted)
		}
	case 'h', 'H':
		if other := c.waits(front); other != nil {
			err = c.phone.Hold(ctx, other.ID, false) // which puts this one on hold
		} else if front != nil && front.Phase == api.Talking {
			err = c.phone.Hold(ctx, front.ID, !front.Holding)
		}
	case 'r', 'R':
		if front != nil && front.Phase == api.Talking {
			err = c.record(ctx, front)
		}
	case 'q', 'Q':
		switch {
		case ringing != nil:
			err = c.phone.Decline(ctx, ringing.ID)
		case front != nil && front.Phase != api.Closing:
			err = c.phone.HangUp(ctx, front.ID)
		case len(c.calls) == 0 && c.only == "" && time.Since(c.ended) >= settle:
			return errHungUp
		}
	}
	var refused *api.Error
	if errors.As(err, &refused) {
		c.say("%s", refused.Text) // such as a call that has ended in this moment
	}
	return nil
}
