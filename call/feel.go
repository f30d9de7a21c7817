package call

import (
	"time"

	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/jitter"
)

// LongDelay is the mouth-to-ear delay from which people begin to talk over each
// other, and push-to-talk is easier (ITU-T G.114's planning limit).
const LongDelay = 400 * time.Millisecond

// lookAhead is how much later than its frame the codec (Opus) brings a sample.
const lookAhead = 6500 * time.Microsecond

// What each side tells the other of how late it hears is coarse and rare: exact
// times would be a clock's fingerprint.
const (
	delayUnit  = 50 * time.Millisecond // of a control message
	delayFirst = 3 * time.Second       // of talking, before the first
	delayEvery = 10 * time.Second      // between two
)

// unacknowledged is for how long it has not been known that what is said arrives,
// beyond the time that takes; c.mu is held.
func (c *Call) unacknowledged(now time.Duration) time.Duration {
	arrived, usual := c.schedule.Arrived()
	if usual == 0 {
		return 0
	}
	return max(0, now-arrived-usual)
}

// heardUpTo is how much of what was said while both talk has arrived at the other
// side, by what it has acknowledged; c.mu is held.
func (c *Call) heardUpTo(now time.Duration) time.Duration {
	talked := c.machine.talkedFor(now)
	if c.machine.phase == Talking {
		c.arrived, _ = c.schedule.Arrived()
		c.arrived -= c.machine.entered
	}
	return min(talked, max(0, c.arrived))
}

// mouthToEar estimates how late this side hears the other: half of the round
// trip, what waits to be played, a frame and the codec's look-ahead. 0: not
// known yet.
func mouthToEar(trip, waits time.Duration) time.Duration {
	if trip == 0 {
		return 0
	}
	return trip/2 + waits + jitter.FrameTime + lookAhead
}

// tellDelay lets the other side know how late it is heard here.
func (c *Call) tellDelay() {
	waits := c.ear.Stats().Level
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	since := now - c.machine.entered
	if c.machine.phase != Talking || since < delayFirst || c.toldAt > 0 && now-c.toldAt < delayEvery {
		return
	}
	delay := mouthToEar(c.schedule.RoundTrip(), waits)
	units := byte(min(255, (delay+delayUnit/2)/delayUnit))
	if units == 0 || units == c.toldDelay {
		return
	}
	if c.control.Send(control.Delay, units) == nil {
		c.toldDelay, c.toldAt = units, now
	}
}

// tellEvery is how often it is looked at whether there is something to tell.
const tellEvery = int(time.Second / paths.Tick)
