package call

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/voice"
)

const (
	lead  = time.Millisecond / 2 // before its tick a record is made,
	grace = 2 * time.Millisecond // and so late it may be for its tick
)

// Run is the call, from the handshake's end until it is over. It owns the
// wire's tick and waits for all it has started. When ctx ends it hangs up,
// which takes half a second more. The error says why the call ended; nil means
// that somebody hung up after talking.
func (c *Call) Run(ctx context.Context) error {
	c.mu.Lock()
	c.began = time.Now()
	c.machine.start(0)
	c.mu.Unlock()

	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	sounding, mum := context.WithCancel(inner)
	var group sync.WaitGroup
	c.join(inner, &group, c.first)
	tend := func() { c.settle(inner, &group) }
	c.ticks(ctx, tend, func(phase Phase) {
		switch phase {
		case Talking:
			group.Go(func() { c.sound(sounding) })
		case Closing:
			mum() // the microphone closes with the hang-up, not after it
		}
	})
	mum()
	cancel()
	for _, p := range c.paths {
		if p != nil {
			p.conn.Close()
		}
	}
	group.Wait()
	for _, p := range c.fresh {
		p.conn.Close() // joined too late
		p.wipe()
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.paths {
		if p != nil {
			p.wipe()
		}
	}
	if c.Outgoing {
		c.chain.Wipe()
	}
	if c.failure != nil {
		return c.failure
	}
	return c.machine.verdict
}

// settle takes in the paths that have joined, and lets the caller look after
// its paths.
func (c *Call) settle(ctx context.Context, group *sync.WaitGroup) {
	c.mu.Lock()
	fresh := c.fresh
	c.fresh = nil
	var dead []*path
	if len(fresh) > 0 && c.unheard() {
		for _, p := range c.paths {
			if p == nil {
				continue
			}
			if _, open := c.schedule.Lateness(p.id); open && c.now()-p.joined > deadTime {
				dead = append(dead, p) // a fresh circuit came through, these bring nothing
			}
		}
	}
	c.mu.Unlock()
	for _, p := range dead {
		c.leave(p)
	}
	for _, p := range fresh {
		c.join(ctx, group, p)
	}
	if c.keeper != nil && c.ticked%tendEvery == 0 {
		c.tend(ctx, group)
	}
	if c.ticked%tellEvery == 0 {
		c.tellDelay()
	}
	c.ticked++
}

// join adds a path whose keys are agreed, and starts its writer and reader.
func (c *Call) join(ctx context.Context, group *sync.WaitGroup, p *path) {
	c.mu.Lock()
	c.paths[p.id] = p
	p.joined = c.now()
	c.schedule.Open(p.id)
	c.received.Open(p.id)
	c.mu.Unlock()
	var ends sync.Once
	gone := func() { ends.Do(func() { c.leave(p) }) }
	group.Go(func() { p.write(ctx); gone() })
	group.Go(func() { p.read(c.take); gone() })
}

// leave takes a path out, whose stream has ended or is to end. With no path
// left the call holds: the caller redials, the callee waits.
func (c *Call) leave(p *path) {
	p.conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schedule.Close(p.id)
	c.received.Close(p.id)
	switch {
	case c.Outgoing && c.counts.got == 0 && p.id == 0 && c.machine.phase < Closing:
		c.machine.unreached(c.now()) // m3 was not taken: there is no call to join
	case c.schedule.Paths() == 0 && c.machine.phase == Closing:
		c.machine.lost(c.now()) // nothing more can be said
	}
}

// ticks sends one record a tick until the call is over. entered is told of
// each new phase, as OnPhase is; tend is called once a tick, after its record.
func (c *Call) ticks(ctx context.Context, tend func(), entered func(Phase)) {
	alarm := c.alarm()
	defer alarm.Close()
	wait := func(until time.Duration) { alarm.Wait(c.began.Add(until)) }
	ready := func(id paths.ID) bool { return c.paths[id].free() }
	var phases [Over + 1]Phase
	for tick := uint32(1); ; {
		at := time.Duration(tick) * paths.Tick
		wait(at - lead)
		p, phase, n := c.prepare(ctx, tick, ready, &phases)
		for _, entering := range phases[:n] {
			entered(entering)
			if c.OnPhase != nil {
				c.OnPhase(entering)
			}
		}
		if phase == Over {
			return
		}
		if now := c.now(); now > at+grace {
			at = (now/paths.Tick + 1) * paths.Tick // what was sealed goes out, but on the grid
		}
		wait(at)
		if p != nil {
			p.launch()
		}
		tend()
		tick = max(tick+1, uint32(c.now()/paths.Tick)+1)
	}
}

// alarm wakes a goroutine of the call's.
func (c *Call) alarm() voice.Alarm {
	if c.config.Alarm == nil {
		return voice.NewTimer()
	}
	return c.config.Alarm()
}

// prepare makes the record of a tick in the slot of the path that will carry
// it. It gives the path (nil: this tick is skipped), the phase, and how many
// phases were entered since the last tick, which it writes into trail.
func (c *Call) prepare(ctx context.Context, tick uint32, ready func(paths.ID) bool, trail *[Over + 1]Phase) (_ *path, _ Phase, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() {
		n = copy(trail[:], c.machine.trail)
		c.machine.trail = c.machine.trail[:0]
	}()
	now := c.now()
	c.counts.skipped += uint64(tick - c.last - 1) // missed
	c.last = tick
	if ctx.Err() != nil {
		c.machine.hangUp(now, control.ReasonDone, nil)
	}
	c.machine.tick(now, c.heard)
	if c.machine.phase == Over {
		return nil, Over, 0
	}
	id, ok := c.schedule.Tick(now, ready)
	if !ok {
		c.counts.skipped++
		return nil, c.machine.phase, 0
	}
	p := c.paths[id]
	var contents record.Contents
	contents.Tick = tick
	c.captured.fill(&contents, c.profile)
	var heard [record.ReportCount]paths.Heard
	contents.Heard = c.received.Reports(heard[:])
	for i, h := range heard[:contents.Heard] {
		units := h.Lateness / (record.LatenessUnit * time.Millisecond)
		contents.Reports[i] = record.Report{Path: uint8(h.Path), Number: h.Number, Lateness: uint16(min(units, 1<<16-1))}
	}
	c.control.Fill(&contents.Control)
	contents.Put(&c.plain)
	p.sealer.Seal(&p.out, &c.plain)
	c.counts.sent++
	return p, c.machine.phase, 0
}

// take acts on a record that a path brought. An error ends the path.
func (c *Call) take(p *path) error {
	var contents record.Contents
	if err := contents.Get(&p.plain, c.profile); err != nil {
		return err
	}
	c.mu.Lock()
	now := c.now()
	c.heard = now
	c.counts.got++
	c.received.Got(now, p.id, contents.Tick)
	for _, r := range contents.Reports[:contents.Heard] {
		c.schedule.Report(now, paths.ID(r.Path), paths.Report{
			Number: r.Number, Lateness: time.Duration(r.Lateness) * record.LatenessUnit * time.Millisecond,
			Said: contents.Tick,
		})
	}
	err := c.control.Take(&contents.Control)
	if err != nil {
		c.machine.broken(now) // no other path can bring that piece
	}
	for m, ok := c.control.Next(); ok; m, ok = c.control.Next() {
		c.machine.message(now, m.Kind, m.Body)
	}
	talking := c.machine.phase == Talking
	texts := c.machine.texts
	records := c.machine.records
	c.machine.texts, c.machine.records = nil, nil
	c.mu.Unlock()
	for _, text := range texts {
		if c.OnText != nil {
			c.OnText(text)
		}
	}
	for _, on := range records {
		if c.OnRecorded != nil {
			c.OnRecorded(on)
		}
	}
	if err != nil {
		return fmt.Errorf("path %d: %w", p.id, err)
	}
	if !talking {
		c.ear.Learn(now, contents.Tick, c.profile.Frames)
	}
	for i := int(contents.Count) - 1; talking && i >= 0; i-- {
		c.ear.Push(now, contents.Newest-uint32(i), contents.Frame(c.profile, i))
	}
	return nil
}
