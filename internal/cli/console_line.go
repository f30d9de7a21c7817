package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

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
		if front.slow.due(time.Now(), front) {
			c.say(pushToTalkOffer)
		}
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
	case c.status.Phase == api.Up && c.status.Tor.Offline:
		c.show("offline", "offline, nobody can call, q ends")
	case c.status.Phase == api.Up:
		c.show("waiting", "waiting for calls, q ends")
	}
}

// describe is a call that talks in a line.
func (c *console) describe(s *shown) string {
	wrong, late := s.feeling()
	parts := append([]string{clock(s.since())}, wrong...) // first, where a narrow terminal shows it
	if s.Held && wrong == nil {
		parts = append(parts, other(s.Call)+" has put you on hold")
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
		parts = append(parts, other(s.Call)+" records")
	}
	if s.OneTime {
		parts = append(parts, "one-time")
	}
	parts = append(parts, s.speaking(), "them "+meter(s.ThemDB))
	parts = append(append(parts, late...), fmt.Sprintf("concealed %.1f %%", s.ConcealedPC), fmt.Sprintf("paths %d", len(s.Paths)))
	return strings.Join(parts, "  ")
}
