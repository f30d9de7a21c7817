package jitter

import "time"

// When voiced speech is squeezed: it is left alone for long, then squeezed hard
// at once, for less of the time. Where frames are late by little, as those of
// several circuits are, the delay is kept closer to the target.
const (
	soften     = 58 * time.Millisecond // surplus from which it is squeezed
	ramp       = 16 * time.Millisecond // surplus beyond that at which it is squeezed most
	softenNear = 18 * time.Millisecond // the same, where frames are late by little
	rampNear   = 45 * time.Millisecond // the same
	fastest    = 1.5
)

// When the cushion runs out, sound is added: pauses and speech without pitch
// first, voiced speech only from what is heard last, and in few frames.
const (
	quiet       = 32 * time.Millisecond  // nothing came for so long,
	low         = 170 * time.Millisecond // and the cushion is below this or half the target
	little      = 40 * time.Millisecond  // cushion, or half the target, below which sound is added even while frames come
	lowest      = 46 * time.Millisecond  // cushion below which voiced speech is slowed too
	slowest     = 0.6
	allowed     = 0.007 // share of frames that may be slowed,
	allowedNear = 0.057 // where frames are late by little
	saved       = 8     // frames that may be slowed in a row, after long without
)

// patience is how long a hole of some frames may still be filled by a path that
// was held up, once newer frames are here.
const patience = 60 * time.Millisecond

// leastGap is how many frames of a hole are made up, however long the delay: a
// pause that is lost still parts the words around it for 60 ms.
const leastGap = 3

// Pop decides on the next 20 ms of sound that came. now is when it is asked,
// queued how much sound is still to be heard before it.
func (b *Buffer) Pop(now, queued time.Duration) Decision {
	if !b.playing {
		if !b.seen || b.learning {
			return Decision{Action: Wait}
		}
		if d := b.begin(now + queued); d.Action == Wait {
			return d
		}
		b.playing = true
	}
	e := Explained{Now: now, Target: b.late.target, Lateness: b.late.last}
	e.Margin = min(b.late.margin(), e.Target/2)
	e.Delay = now + queued - b.late.fastest(b.next)
	e.Cushion = queued + max(0, time.Duration(b.newest-b.next+1)*FrameTime)
	b.decide(&e)
	b.stats.Target, b.stats.Delay = e.Target, e.Delay
	if b.config.Explain != nil {
		b.config.Explain(e)
	}
	return e.Decision
}

// begin decides whether the first frame is to be heard at a time. Where nothing has been
// learnt it waits from its arrival on, in whole steps of who asks, as a start that is
// early costs more than one that is late. What has been learnt is kept to exactly,
// above the fastest frame: the first record may bring an older one, too.
func (b *Buffer) begin(at time.Duration) Decision {
	wait := min(max(b.wait, b.config.Min), b.config.Max)
	if !b.learnt {
		if at < b.began+wait {
			return Decision{Action: Wait}
		}
	} else if due := b.late.fastest(b.next) + wait; at < due {
		return Decision{Action: Wait, Surplus: at - due}
	}
	return Decision{Action: Play}
}

func (b *Buffer) decide(e *Explained) {
	if b.newest < b.next {
		b.hold(e)
		return
	}
	if !b.holds(b.next) && !b.giveUp(e) {
		b.hold(e)
		return
	}
	b.gap = false
	s := &b.slots[uint64(b.next)%Capacity]
	e.Seq = uint32(b.next)
	if !b.holds(b.next) {
		s.state = absent
		e.Action = Conceal
		b.next++
		b.stats.Concealed++
		return
	}
	b.next++
	s.state = done
	e.Action, e.Packet = Play, s.packet[:s.size]
	b.stats.Played++
	b.pace(e)
}

func (b *Buffer) hold(e *Explained) {
	e.Action, e.Seq = Hold, uint32(b.next)
	b.stats.Held++
}

// giveUp is asked when the next frame is missing while newer ones are here: is
// it to be given up? One that is not late yet may come. Many at once are on a
// path that was held up and may come in one go, or never; when they are given
// up, as many are passed over as the delay is too long by.
func (b *Buffer) giveUp(e *Explained) bool {
	if e.Delay < e.Target {
		return false
	}
	missing := int64(1)
	for !b.holds(b.next + missing) {
		missing++
	}
	if missing > 1 {
		if !b.gap {
			b.gap, b.gapAt = true, e.Now
		}
		if e.Now-b.gapAt < patience {
			return false
		}
	}
	skip := max(0, min(missing-leastGap, int64((e.Delay-e.Target)/FrameTime)))
	b.next += skip
	e.Skipped = int(skip)
	e.Delay -= time.Duration(skip) * FrameTime
	b.stats.Skipped += uint64(skip)
	return true
}

// pace decides how fast.
func (b *Buffer) pace(e *Explained) {
	e.Speed, e.Surplus = 1, e.Delay-e.Target
	if e.Surplus > 0 {
		e.Surplus = min(e.Surplus, max(0, e.Cushion-e.Margin))
	}
	near := b.late.near
	b.slow = min(saved, b.slow+allowed+near*(allowedNear-allowed))
	half := e.Target / 2
	from := between(soften, softenNear, near)
	switch {
	case e.Cushion < min(little, half), e.Cushion < min(low, half) && e.Now-b.fitted > quiet:
		e.Surplus = e.Cushion - low
		if e.Cushion < lowest && b.slow >= 1 {
			e.Speed = slowest
			b.slow--
		}
	case e.Surplus > from:
		most := between(ramp, rampNear, near)
		e.Speed = 1 + (fastest-1)*float32(min(1, float64(e.Surplus-from)/float64(most)))
	}
}

// between goes from a to b as share goes from 0 to 1.
func between(a, b time.Duration, share float64) time.Duration {
	return a + time.Duration(share*float64(b-a))
}
