package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/desk"
)

// console shows a phone's calls on a terminal, and does what keys say. It is a
// client like any other.
type console struct {
	*live
	phone  *api.Client
	keys   <-chan byte // nil: none
	only   string      // the id of the one call that this is about; "": all of them
	answer bool        // calls are answered without asking
	ready  chan struct{}
	// begin, if set, makes the one call, once the phone is listened to: so nothing
	// of it is missed, however soon it is over.
	begin func(context.Context) (api.Call, error)

	status  api.Status
	calls   []*shown
	last    *api.Call   // how the one call ended
	strange strangeness // of missed calls
}

// shown is a call as it is known here.
type shown struct {
	api.Call
	at     time.Time // when that was
	rang   time.Time // when the person was told
	talked bool
}

// since is how long the call has been in its phase.
func (s *shown) since() time.Duration {
	return time.Duration(s.SinceMS)*time.Millisecond + time.Since(s.at)
}

// errHungUp is q while nobody calls: the phone is put away.
var errHungUp = errors.New("put away")

// run shows the phone until it is gone, or the one call is over. It gives
// errInterrupted for Ctrl-C, and errHungUp for q while nobody calls.
func (c *console) run(ctx context.Context) error {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	events, ended := make(chan api.Event), make(chan error, 1)
	go func() {
		ended <- c.listen(inner, func(e api.Event) error {
			select {
			case events <- e:
				return nil
			case <-inner.Done():
				return inner.Err()
			}
		})
	}()
	defer func() { cancel(); <-ended; c.clear() }()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	interrupted, late := ctx.Done(), (<-chan time.Time)(nil)
	for {
		select {
		case <-interrupted:
			if c.only == "" {
				return context.Cause(ctx)
			}
			_ = c.phone.HangUp(inner, c.only) // and its end is seen
			interrupted, late = nil, time.After(hangUpTime)
		case <-late:
			return errInterrupted
		case e := <-events:
			if c.begin != nil {
				call, err := c.begin(inner)
				if err != nil {
					return err
				}
				c.only, c.begin = call.ID, nil
			}
			c.take(e)
			if c.ready != nil {
				close(c.ready)
				c.ready = nil
			}
		case err := <-ended:
			ended <- err // for the deferred wait
			return err
		case key, ok := <-c.keys:
			if !ok {
				c.keys = nil
				continue
			}
			if err := c.press(inner, key); err != nil {
				return err
			}
		case now := <-ticker.C:
			c.strange.rest(c.live, now)
		}
		if c.last != nil {
			return context.Cause(ctx)
		}
		c.draw()
	}
}

// hangUpTime is how long the end of a call is waited for that was hung up by a
// signal.
const hangUpTime = 2 * time.Second

// listen gives f the phone's events until it is gone. A terminal that stood still
// for so long that the phone has let it go listens anew.
func (c *console) listen(ctx context.Context, f func(api.Event) error) error {
	for {
		err := c.phone.Events(ctx, f)
		if !errors.Is(err, api.ErrGone) {
			return err
		}
		if _, gone := c.phone.Status(ctx); gone != nil {
			return err
		}
	}
}

// take acts on an event.
func (c *console) take(e api.Event) {
	switch {
	case e.Status != nil:
		c.stand(*e.Status)
	case e.Call != nil:
		c.follow(*e.Call)
	case e.Text != nil && (c.only == "" || e.Text.Call == c.only):
		who := "they write"
		if s := c.find(e.Text.Call); s != nil {
			who = cmp.Or(name(s.Call), who)
		}
		if e.Text.Mine {
			who = "you"
		}
		c.say("%s: %s", who, e.Text.Text)
	case e.Missed != nil && c.only == "":
		c.strange.tell(c.live, *e.Missed)
	case e.Notice != "":
		c.say("%s", e.Notice)
	}
}

// stand is how the phone stands now.
func (c *console) stand(now api.Status) {
	before := c.status
	c.status = now
	if w := now.Tor.Warning; w != "" && w != before.Tor.Warning {
		c.say("tor: %s", w)
	}
	if a := now.Tor.Advice; a != "" && a != before.Tor.Advice {
		c.say("tor: %s", a)
	}
	if now.Phase == api.Up && before.Phase != api.Up && c.only == "" {
		c.say("you are up at %s", now.Address)
		c.say("%s", now.Rings)
	}
	// Those that were on, or have ended, while nobody listened here.
	for _, call := range now.Calls {
		c.follow(call)
	}
	c.calls = slices.DeleteFunc(c.calls, func(s *shown) bool {
		gone := !slices.ContainsFunc(now.Calls, func(o api.Call) bool { return o.ID == s.ID })
		if gone && s.ID == c.only {
			s.End = &api.End{Exit: exitOther, Error: "the call has ended while this terminal stood still"}
			c.last = &s.Call
		}
		return gone
	})
}

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
		c.say("talking%s: m mutes, h holds, r records, q hangs up", onceNote(s.Call))
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
		c.say("the call is over after %s", clock(time.Duration(s.TalkedMS)*time.Millisecond))
	case s.talked || s.Outgoing:
		c.say("the call has ended: %s", end.Error)
	case end.Error == desk.WhyUnanswered, end.Error == desk.WhyContact: // it is listed as missed
	default:
		c.say("%s", end.Error)
	}
}

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
			err = c.phone.Record(ctx, front.ID, !front.Recording && !front.Announced)
		}
	case 'q', 'Q':
		switch {
		case ringing != nil:
			err = c.phone.Decline(ctx, ringing.ID)
		case front != nil && front.Phase != api.Closing:
			err = c.phone.HangUp(ctx, front.ID)
		case len(c.calls) == 0 && c.only == "":
			return errHungUp
		}
	}
	var refused *api.Error
	if errors.As(err, &refused) {
		c.say("%s", refused.Text) // such as a call that has ended in this moment
	}
	return nil
}

// draw shows the changing line.
func (c *console) draw() {
	ringing, front := c.ringing(), c.front()
	starting := c.status.Phase == api.Starting
	switch {
	case ringing != nil && !c.answer:
		if time.Since(ringing.rang) >= startle {
			c.show("ringing", "answer? y or n   "+clock(ringing.since()))
		}
	case front != nil && front.Phase == api.Talking:
		c.show("talking", c.describe(front))
	case starting && (front != nil || c.only == ""):
		t := c.status.Tor
		if t.Summary == "" {
			return // it has not been started
		}
		c.show("tor "+t.Summary, bar("tor", t.Percent, t.Summary))
	case front != nil && front.Phase == api.Dialing:
		c.show("dialing", "reaching the other side … "+clock(front.since()))
	case front != nil && front.Phase == api.Ringing || ringing != nil:
		if front == nil {
			front = ringing
		}
		c.show("ringing", "ringing … "+clock(front.since())+onceNote(front.Call))
	case c.only != "" || len(c.calls) > 0:
	case c.status.Phase == api.Publishing:
		c.show("publishing", "publishing your address …")
	case c.status.Phase == api.Up:
		c.show("waiting", "waiting for calls, q ends")
	}
}

// describe is a call that talks in a line.
func (c *console) describe(s *shown) string {
	parts := []string{clock(s.since())}
	silence := time.Duration(s.SilenceMS) * time.Millisecond
	switch { // what is wrong comes first, where a narrow terminal shows it
	case len(s.Paths) == 0:
		parts = append(parts, "connection lost, reconnecting: "+clock(silence))
	case !s.Reached:
		parts = append(parts, "nothing comes for "+clock(silence))
	case s.Held:
		parts = append(parts, "they hold")
	}
	if s.Holding {
		parts = append(parts, "on hold, h resumes")
	}
	switch {
	case s.Announced:
		parts = append(parts, "to record: telling them")
	case s.Recording:
		parts = append(parts, "recording")
	}
	if s.Recorded {
		parts = append(parts, "they record")
	}
	if s.OneTime {
		parts = append(parts, "one-time")
	}
	you := "you " + meter(s.YouDB)
	if s.Muted {
		you = "you (muted)"
	}
	parts = append(parts, you, "them "+meter(s.ThemDB))
	if s.DelayMS > 0 {
		parts = append(parts, fmt.Sprintf("delay about %d ms", s.DelayMS))
	}
	parts = append(parts, fmt.Sprintf("concealed %.1f %%", s.ConcealedPC), fmt.Sprintf("paths %d", len(s.Paths)))
	return strings.Join(parts, "  ")
}
