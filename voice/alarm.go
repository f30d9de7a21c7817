package voice

import "time"

// Alarm wakes its goroutine at moments of the monotonic clock. It is for one
// goroutine, and to be closed.
type Alarm interface {
	// Wait waits until then, or not at all if that has passed.
	Wait(until time.Time)
	Close()
}

// NewTimer is an alarm by the runtime's timers, which is half a millisecond late in
// the mean. It knows virtual time.
func NewTimer() Alarm {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return (*timer)(t)
}

type timer time.Timer

func (t *timer) Wait(until time.Time) {
	(*time.Timer)(t).Reset(time.Until(until))
	<-t.C
}

func (t *timer) Close() { (*time.Timer)(t).Stop() }
