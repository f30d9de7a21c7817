package voice

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Clocked is a [Sink] without a sound card: the monotonic clock pulls half a
// frame every 10 ms, and To, if there is one, keeps it. It is for files, tests and
// machines that have no loudspeaker.
//
// Deadlines are absolute, so it does not drift. A late wake-up pulls what is
// due, at most [clockedCatchUp] times; what lies further back, as after a
// suspend, is skipped. The writer has a goroutine and [clockedDepth] frames of
// room to itself: a slow disk costs frames of the file, never a pull.
//
// The zero value discards what it pulls.
type Clocked struct {
	// To keeps the frames, in order.
	To FrameWriter
	// Failed, if set, is told at once, from the writer's goroutine and only
	// once, that To cannot keep any more. Without it Run returns the error
	// when ctx ends; the pulling goes on either way.
	Failed func(error)
	// Alarm makes what wakes it; nil: [NewTimer].
	Alarm func() Alarm

	kept atomic.Int64 // frames
}

// ErrStands is what keeps sound taking none: a disk that hangs, a player that was
// stopped. What waits is lost.
var ErrStands = errors.New("it takes no more sound")

// FrameWriter keeps frames; [WAVWriter] is one.
type FrameWriter interface {
	WriteFrame(*Frame) error
}

// Flusher is a [FrameWriter] with which what was kept can wait for more; Flush has it
// wait no longer.
type Flusher interface{ Flush() error }

const (
	clockedCatchUp = 10  // pulls
	clockedDepth   = 250 // frames, 5 s
	clockedGrace   = time.Second
)

// Run pulls until ctx ends and then waits for the writer, for as long as it gets on:
// one that has stood still for a second is left to itself, with [ErrStands].
func (c *Clocked) Run(ctx context.Context, pull func([]float32)) error {
	if c.To == nil {
		c.tick(ctx, pull, func(*Frame) {})
		return nil
	}
	frames := make(chan Frame, clockedDepth)
	written := make(chan error, 1)
	go func() { written <- c.write(frames) }()
	c.tick(ctx, pull, func(f *Frame) {
		select {
		case frames <- *f:
		default: // the disk is 5 s behind: let the file have the gap
		}
	})
	close(frames)
	for before := int64(-1); ; {
		select {
		case err := <-written:
			return err
		case <-time.After(clockedGrace):
		}
		now := c.kept.Load()
		if now == before {
			return ErrStands
		}
		before = now
	}
}

// write keeps what comes and returns the first error that nobody was told.
func (c *Clocked) write(frames <-chan Frame) (first error) {
	failed := false
	check := func(err error) {
		switch {
		case err == nil:
			return
		case c.Failed == nil:
			first = err
		default:
			c.Failed(err)
		}
		failed = true
	}
	for f := range frames {
		if !failed {
			check(c.To.WriteFrame(&f))
			c.kept.Add(1)
		}
	}
	if f, ok := c.To.(Flusher); ok && !failed {
		check(f.Flush())
	}
	return first
}

// tick pulls at start, start + 10 ms, and so on, and keeps every frame.
func (c *Clocked) tick(ctx context.Context, pull func([]float32), keep func(*Frame)) {
	start := time.Now()
	alarm := NewTimer()
	if c.Alarm != nil {
		alarm = c.Alarm()
	}
	defer alarm.Close()
	var f Frame
	for n := int64(0); ctx.Err() == nil; {
		due := int64(time.Since(start)/PullTime) + 1
		for n = max(n, due-clockedCatchUp); n < due; n++ {
			half := f[:PullSamples]
			if n%2 == 1 {
				half = f[PullSamples:]
			}
			if pull(half); n%2 == 1 {
				keep(&f)
			}
		}
		alarm.Wait(start.Add(time.Duration(n) * PullTime))
	}
}
