package call

import (
	"errors"

	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/voice"
)

// Tape keeps both voices of a call. Said and Heard are called by two goroutines
// on the hot path: they must not block or allocate, and may be called once more
// just after the recording's end.
type Tape interface {
	Said(*voice.Frame) // the next 20 ms that go out: silence when muted or on hold
	Heard([]float32)   // what is about to be played, 48 kHz, at most a frame
}

// ErrNotRecordable says that a call is not, or no longer, answered.
var ErrNotRecordable = errors.New("a call can be recorded only while both talk")

// Record lets t have both voices; nil ends that. The other side is told first:
// t has nothing before they have acknowledged it, a round trip from now. From
// outside nothing changes.
func (c *Call) Record(t Tape) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.machine.phase != Talking {
		c.tape = nil
		if t != nil {
			return ErrNotRecordable
		}
		return nil
	}
	if t == nil {
		if c.tape == nil {
			return nil
		}
		c.tape = nil
		return c.control.Send(control.Recording, 0)
	}
	if c.tape == nil {
		if err := c.control.Send(control.Recording, 1); err != nil {
			return err
		}
		c.told, c.announced = false, c.control.Sent()
	}
	c.tape = t
	return nil
}

// taping is the tape if it may have sound now, and nil else. c.mu is held.
func (c *Call) taping() Tape {
	if c.tape == nil || c.machine.phase != Talking {
		return nil
	}
	if c.told = c.told || c.control.Got(c.announced); !c.told {
		return nil
	}
	return c.tape
}
