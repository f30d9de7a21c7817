package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// console shows a phone's calls on a terminal, and does what keys say. It is a
// client like any other.
type console struct {
	*live
	phone  *api.Client
	keys   <-chan byte // nil: none
	only   string      // the id of the one call that this is about; "": all of them
	answer bool        // calls are answered without asking
	home   string      // the profile's folder, as it was named; "": it was not
	ready  chan struct{}
	// begin, if set, makes the one call, once the phone is listened to: so nothing
	// of it is missed, however soon it is over.
	begin func(context.Context) (api.Call, error)

	status  api.Status
	calls   []*shown
	last    *api.Call   // how the one call ended
	ended   time.Time   // when a call was last over
	strange strangeness // of missed calls
}

// shown is a call as it is known here.
type shown struct {
	api.Call
	at      time.Time // when that was
	rang    time.Time // when the person was told
	asked   time.Time // when r was pressed, to record,
	pressed time.Time // and when at all
	talked  bool
	push    push
	slow    offer
}

// since is how long the call has been in its phase.
func (s *shown) since() time.Duration {
	return time.Duration(s.SinceMS)*time.Millisecond + time.Since(s.at)
}

// errHungUp is q while nobody calls: the phone is put away.
var errHungUp = errors.New("put away")

// errNobodyLooks is that the terminal is gone, which is a signal to hang up like
// SIGHUP, and may come before it, or without.
var errNobodyLooks = fmt.Errorf("%w: the terminal is gone", errInterrupted)

// run shows the phone until it is gone, or the one call is over. It gives
// errInterrupted for Ctrl-C and a terminal that is gone, and errHungUp for q while
// nobody calls.
func (c *console) run(ctx context.Context) error {
	defer outlive()()
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	lost := c.lost
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
		case <-lost:
			lost = nil
			leave(errNobodyLooks)
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
				leave(errNobodyLooks)
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
		who := "the other side"
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
		c.say("%s", aimAt(c.home, e.Notice))
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
	if before.Tor.Offline && !now.Tor.Offline {
		c.say("tor: there is a way into the Tor network again")
	}
	if now.Phase == api.Up && before.Phase != api.Up && c.only == "" {
		c.say("you are up at %s", now.Address)
		c.say("%s", aimAt(c.home, now.Rings))
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
