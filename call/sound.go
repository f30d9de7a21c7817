package call

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/voice"
)

const (
	encodeLead = 6500 * time.Microsecond // capture runs this long before the tick
	patience   = 3                       // ticks without a frame before silence fills in
	burst      = 2                       // frames taken in one tick, so that drift is caught up
)

// sound opens microphone and loudspeaker and runs both until ctx ends. What
// fails later is told and does without: a call does not end for a headset.
func (c *Call) sound(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { c.capture(ctx) })
	if ctx.Err() != nil {
		return // hung up already
	}
	from := c.Open
	if from == nil {
		from = c.config.Open
	}
	open, err := from(ctx)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if ctx.Err() == nil {
			c.failure = err
			c.machine.hangUp(c.now(), control.ReasonFailed, err)
		}
		return
	}
	c.mu.Lock()
	c.said = open.Said
	c.mu.Unlock()
	c.setSource(open.Source)
	pull := func(out []float32) {
		c.ear.Pull(c.now(), out)
		c.mu.Lock()
		if c.holding {
			clear(out)
		}
		tape := c.taping()
		c.mu.Unlock()
		if tape != nil {
			tape.Heard(out)
		}
	}
	var sinking sync.WaitGroup
	defer sinking.Wait()
	sinking.Go(func() {
		if err := open.Sink.Run(ctx, pull); err != nil && ctx.Err() == nil {
			c.complain(fmt.Errorf("the loudspeaker stopped, the call goes on: %w", err))
		}
	})
	<-ctx.Done()
	c.setSource(nil)
	group.Wait()
	if open.Close != nil {
		open.Close() // the microphone does not wait for what takes the sound
	}
}

// capture encodes what the source has, tick by tick, shortly before the wire's
// tick. Frames are numbered by the capture's clock: none, one or two a tick.
// Until the microphone is open, when it is lost and when it is muted, silence
// goes out in its place.
func (c *Call) capture(ctx context.Context) {
	alarm := c.alarm()
	defer alarm.Close()
	var frame voice.Frame
	heard := false // since silence was filled in last
	packet := make([]byte, c.profile.Bytes)
	// The first that is not past: two frames in a record would have the other side
	// begin with one that is a tick old.
	for tick, empty := (c.now()+encodeLead)/paths.Tick+1, patience; ; tick = max(tick+1, c.now()/paths.Tick+1) {
		if alarm.Wait(c.began.Add(tick*paths.Tick - encodeLead)); ctx.Err() != nil {
			return
		}
		c.mu.Lock()
		source, said, muted := c.source, c.said, c.muted || c.holding
		c.mu.Unlock()
		taken := 0
		for source != nil && taken < burst {
			ok, err := source.Read(&frame)
			if err != nil {
				c.setSource(nil)
				c.complain(fmt.Errorf("the microphone stopped, silence goes out in its place: %w", err))
			}
			if !ok || err != nil {
				break
			}
			if muted {
				clear(frame[:])
			}
			if said != nil {
				said(&frame)
			}
			c.encode(packet, &frame, true)
			taken++
		}
		if empty++; taken > 0 {
			empty, heard = 0, true
		}
		if empty <= patience {
			continue
		}
		fill := 1
		if heard { // those that were waited for, too: what follows is not to be late for good
			fill, heard = empty, false
		}
		clear(frame[:])
		for range fill {
			c.encode(packet, &frame, false)
		}
	}
}

func (c *Call) encode(packet []byte, f *voice.Frame, live bool) {
	if err := c.encoder.Encode(packet, f); err != nil {
		return // the frame is missing; the wire goes on
	}
	c.mu.Lock()
	if c.machine.phase != Talking {
		c.mu.Unlock()
		return // hung up while it was encoded: it is not said any more
	}
	seq := c.captured.add(packet)
	tape := c.taping()
	c.mu.Unlock()
	if tape != nil {
		tape.Said(f)
	}
	if live && c.config.Probe != nil {
		c.config.Probe.Captured(seq)
	}
}

func (c *Call) setSource(s voice.Source) {
	c.mu.Lock()
	c.source = s
	c.mu.Unlock()
}

func (c *Call) complain(err error) {
	if c.OnSoundError != nil {
		c.OnSoundError(err)
	}
}
