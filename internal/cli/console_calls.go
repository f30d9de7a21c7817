package cli

import (
	"cmp"
	"time"

	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/desk"
)

func (c *console) find(id string) *shown {
	for _, s := range c.calls {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// name is a contact's name, and whether it is certain; "" for a stranger.
func name(c api.Call) string {
	if c.Verified {
		return c.Name + " (verified)"
	}
	return c.Name
}

// other is who is at the other end of a call, in a sentence about them.
func other(c api.Call) string { return cmp.Or(c.Name, "the other side") }

// onceNote follows what is said of a one-time identity's call.
func onceNote(c api.Call) string {
	if c.OneTime {
		return " (one-time identity)"
	}
	return ""
}

// follow takes in how a call stands, and says what has become of it.
func (c *console) follow(now api.Call) {
	s := c.find(now.ID)
	if s == nil {
		s = &shown{}
		c.calls = append(c.calls, s)
		if now.Outgoing && c.only == "" {
			c.say("calling %s", cmp.Or(name(now), now.Peer))
		}
	}
	before := s.Call
	s.Call, s.at = now, time.Now()
	mine := c.only == "" || c.only == now.ID
	if mine && now.Recorded != before.Recorded {
		if now.Recorded {
			c.say("the other side records this call")
		} else if now.Phase == api.Talking {
			c.say("the other side does not record any more")
		}
	}
	if now.Phase != before.Phase {
		c.enter(s, before.Phase, mine)
	}
}

// enter says what it means that a call is in its phase now.
func (c *console) enter(s *shown, before api.CallPhase, mine bool) {
	switch {
	case s.Phase == api.Over:
		c.over(s, before, mine)
	case !mine:
	case s.Phase == api.Ringing && !s.Outgoing:
		c.announce(s)
	case s.Phase == api.Talking:
		if s.talked = true; !s.Outgoing && s.rang.IsZero() && c.only == "" {
			c.announce(s) // it was answered without asking
		}
		c.say("talking%s: m mutes, p is push-to-talk, h holds, r records, q hangs up", onceNote(s.Call))
	}
}

// announce says who calls.
func (c *console) announce(s *shown) {
	s.rang = time.Now()
	c.say("a call from %s", cmp.Or(name(s.Call), s.Peer))
	if s.Name == "" {
		c.say("  a stranger: not in your contacts")
	}
	c.bell()
}

// over says how a call has ended.
func (c *console) over(s *shown, before api.CallPhase, mine bool) {
	for i, o := range c.calls {
		if o == s {
			c.calls = append(c.calls[:i:i], c.calls[i+1:]...)
		}
	}
	c.ended = time.Now()
	end := s.End
	switch {
	case end == nil:
		end = &api.End{}
	case end.Instead != "":
		if c.only == s.ID {
			c.only = end.Instead // both have dialled: it goes on in the other call
			if o := c.find(c.only); o != nil && o.Phase == api.Talking {
				c.enter(o, api.Ringing, true)
			}
		}
		return
	}
	if c.only != "" {
		if c.only == s.ID {
			c.last = &s.Call
		}
		return
	}
	switch {
	case before == "" || !mine:
	case s.talked && end.Error == "":
		c.say("the call with %s is over after %s", cmp.Or(name(s.Call), "a stranger"), clock(time.Duration(s.TalkedMS)*time.Millisecond))
	case s.talked || s.Outgoing:
		c.say("the call with %s has ended: %s", cmp.Or(name(s.Call), "a stranger"), end.Error)
	case end.Error == desk.WhyUnanswered, end.Error == desk.WhyContact: // it is listed as missed
	default:
		c.say("%s", end.Error)
	}
}
