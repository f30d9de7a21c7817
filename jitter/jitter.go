// Package jitter decides when to play. It holds the frames that have come and
// answers, whenever sound is wanted, with a decision: play this one and how
// fast, make one up, or wait.
//
//	Push(now, seq, packet) ──▶ ring of frames ──▶ Pop(now, queued) ──▶ Decision
//	                    └────▶ lateness ──▶ target ───┘
//	Learn(now, seq) ────────────▲   while it rings, before there are frames
//
// Time is an argument: durations since any fixed moment of the listener's
// clock. There is no goroutine, no clock, no lock and no allocation, so a
// recorded call can be replayed through it in no time.
//
// A frame is 20 ms of sound with a number that grows by one; numbers wrap.
// Frames come late, twice, in any order, and in bursts after a stall: a
// circuit of Tor stands still for up to some seconds, then hands over all of
// it, often no faster than over some seconds more.
//
// All delays are above the fastest frame of the last 20 s (so two sound cards
// may drift apart). Three of them decide:
//
//	delay    of the frame to be played now
//	target   what the delay should be: the price of being late against the
//	         price of missing sound, over how late frames were (price.go)
//	cushion  sound that is here and not yet heard. It shrinks while nothing
//	         comes; margin is how long nothing came lately, at the longest,
//	         but no more than half the target.
//
// Sound is taken away (pauses cut, speech squeezed) while the delay is above
// the target and the cushion above the margin, and added when frames stay away
// and the cushion runs out. Nothing that came is dropped: while nothing is here
// the buffer holds still, and the delay grows. docs/playout.md has the figures.
package jitter

import "time"

// Limits, in frames of 20 ms and bytes.
const (
	FrameTime = 20 * time.Millisecond
	Capacity  = 512 // frames held: about ten seconds
	MaxPacket = 64  // bytes of one frame
)

// The delay's limits when Config names none.
const (
	DefaultMin = 25 * time.Millisecond
	DefaultMax = 2500 * time.Millisecond
	MostMax    = DefaultMax // later frames are not told apart
)

// anew is how long nothing must fit in before numbers from far behind are
// believed.
const anew = 100 * time.Millisecond

// Config of a Buffer. Its zero value works.
type Config struct {
	Min, Max time.Duration   // limits of the target; 0: DefaultMin, DefaultMax
	Explain  func(Explained) // if set, is told how each decision came about
}

// Action is what to do for the next 20 ms.
type Action uint8

// The actions.
const (
	Wait    Action = iota // nothing has come yet: silence
	Play                  // decode Packet, which is frame Seq
	Conceal               // frame Seq is given up, make it up
	Hold                  // Seq is not here: make sound up, it stays next
)

// String is the action's name.
func (a Action) String() string { return [...]string{"wait", "play", "conceal", "hold"}[a] }

// Decision is the answer to Pop.
type Decision struct {
	Action  Action
	Seq     uint32
	Packet  []byte // valid until the next Push or Pop
	Skipped int    // frames passed over just before Seq, none of which came
	// How Packet's sound is best played: how fast, if it is voiced speech (1: as
	// it came), and how much sound is to be taken away altogether, where that is
	// heard least (negative: added; before the first frame, the silence until it, if known).
	Speed   float32
	Surplus time.Duration
}

// Explained is a decision and what it came from.
type Explained struct {
	Decision
	Now                                      time.Duration
	Target, Delay, Cushion, Margin, Lateness time.Duration // Lateness is the newest frame's
}

// Stats count frames since the start.
type Stats struct {
	Played, Concealed, Held, Skipped uint64
	Late, Duplicate                  uint64
	Level                            int           // frames from the next to the newest
	Target, Delay                    time.Duration // of the last Pop, above the fastest frame
}

type slot struct {
	seq    int64
	size   uint8
	state  state
	packet [MaxPacket]byte
}

type state uint8

const (
	absent state = iota // seq says nothing
	here
	done // it came and was played
)

// Buffer is the jitter buffer. It is for one goroutine at a time.
type Buffer struct {
	config   Config
	slots    [Capacity]slot
	seen     bool // a frame has come
	playing  bool
	learning bool          // there are no frames yet
	learnt   bool          // there was something to learn from before them
	began    time.Duration // arrival of the first frame,
	wait     time.Duration // and how long it is to wait
	next     int64         // frame to play next (before playing: the oldest)
	newest   int64
	fitted   time.Duration // when a frame last fitted in
	gapAt    time.Duration // since when next has been missing while newer are here
	gap      bool
	slow     float64 // frames that may be slowed
	late     lateness
	stats    Stats
}

// New makes a buffer.
func New(c Config) *Buffer {
	if c.Min == 0 {
		c.Min = DefaultMin
	}
	if c.Max == 0 {
		c.Max = max(c.Min, DefaultMax)
	}
	return &Buffer{config: c}
}

// Push takes frame seq, which arrived at now. The packet is copied; one that
// is empty or longer than MaxPacket is passed over. A number far from what is
// expected begins anew: the other side was away for long.
func (b *Buffer) Push(now time.Duration, seq uint32, packet []byte) {
	if len(packet) == 0 || len(packet) > MaxPacket {
		return
	}
	n := b.newest + int64(int32(seq-uint32(b.newest)))
	switch {
	case !b.seen, b.learning, n >= b.next+Capacity:
		b.reset(now, int64(seq))
		n = int64(seq)
	case n <= b.newest-Capacity:
		// Very old, from a path that stood still while others went on; or, with
		// nothing else coming, the other side counts anew.
		if now-b.fitted < anew {
			b.stats.Late++
			return
		}
		b.reset(now, int64(seq))
		n = int64(seq)
	}
	s := &b.slots[uint64(n)%Capacity]
	if s.state != absent && s.seq == n {
		b.stats.Duplicate++
		return
	}
	b.late.add(now, n, &b.config)
	switch {
	case n >= b.next:
	case b.playing:
		s.seq, s.state = n, done
		b.stats.Late++
		return
	default:
		b.next = n
	}
	b.fitted = now
	s.seq, s.size, s.state = n, uint8(copy(s.packet[:], packet)), here
	b.newest = max(b.newest, n)
}

// Learn takes note of something sent every 20 ms, number seq, having arrived at now,
// before there are frames to be pushed: so it is known how late those will be. They
// have numbers of their own. Once a frame has come nothing more is learnt so.
func (b *Buffer) Learn(now time.Duration, seq uint32) {
	if b.seen && !b.learning {
		return
	}
	n := b.newest + int64(int32(seq-uint32(b.newest)))
	if !b.seen || n >= b.newest+Capacity {
		b.learning = false
		b.reset(now, int64(seq))
		b.learning, n = true, int64(seq)
	}
	s := &b.slots[uint64(n)%Capacity]
	if n <= b.newest-Capacity || s.state != absent && s.seq == n {
		return
	}
	s.seq, s.state = n, done
	b.newest = max(b.newest, n)
	b.late.add(now, n, &b.config)
}

func (b *Buffer) reset(now time.Duration, n int64) {
	for i := range b.slots {
		b.slots[i].state = absent
	}
	b.seen, b.playing, b.began, b.gap = true, false, now, false
	b.next, b.newest = n, n
	if !b.learning {
		b.late.reset()
	}
	b.late.begin, b.learnt, b.learning, b.wait = true, b.learning, false, b.late.target
}

// holds reports whether frame n is here.
func (b *Buffer) holds(n int64) bool {
	s := &b.slots[uint64(n)%Capacity]
	return s.state == here && s.seq == n
}

// Stats so far.
func (b *Buffer) Stats() Stats {
	s := b.stats
	if b.seen && !b.learning {
		s.Level = int(b.newest - b.next + 1)
	}
	return s
}
