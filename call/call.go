// Package call is the call: two people, proven to each other, who talk.
//
// A call is a run of sealed records over one or more paths (streams over
// circuits of Tor). From the last message of the handshake to half a second
// after the hang-up each side sends one record of 468 bytes every 20 ms, on a
// clock that nothing said or done in the call can move: ringing, talking,
// silence and mute look alike from outside.
//
//	Source ─▶ capture ─▶ frames ─▶ tick: contents ─▶ seal ─▶ path's slot ─▶ writer ─▶ circuit
//	Sink ◀─ playout.Ear ◀─ frames ◀─ contents ◀─ open ◀─ reader ◀──────────────────── circuit
//	                                    │ ▲
//	                       control, reports: machine (state.go), paths
//
// [Dial] makes an outgoing call, a [Line] takes incoming ones; [Call.Run] is
// the call itself and owns its tick. Two clocks meet: the wire's tick is the
// monotonic clock's, with absolute deadlines, never the sound card's; the ear
// runs on the card's. A record is made half a millisecond before its tick from
// what is there then and waits for nobody, neither encoder nor network; a tick
// that is missed is skipped, never caught up.
//
// Codec, microphone and loudspeaker come in as interfaces, so this package
// needs no cgo. The microphone is opened only when both sides have said yes.
package call

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/call/handshake"
	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/call/playout"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/jitter"
	"github.com/sottovoce/sotto/voice"
)

// Encoder makes packets of a profile's size: always that size, whatever is
// said.
type Encoder interface {
	Encode(packet []byte, f *voice.Frame) error
}

// Codec makes an encoder and a decoder for a profile.
type Codec interface {
	NewEncoder(record.Profile) (Encoder, error)
	NewDecoder(record.Profile) (playout.Decoder, error)
}

// Sound is an open microphone and loudspeaker.
type Sound struct {
	Source voice.Source
	Sink   voice.Sink
	Close  func() // called once, when Source is read no more: the microphone closes at once, though Sink.Run may yet run; may be nil
	// Said, if set, is given each frame of Source as it goes out, silence while
	// muted, on the hot path: it must be quick. It is how people hear themselves.
	Said func(*voice.Frame)
}

// Config is what calls need. Key, Codec and Open must be set, Dial for
// outgoing ones.
type Config struct {
	Key   *identity.Key
	Codec Codec
	// Dial opens a call's first stream to the peer, on a circuit of its own.
	Dial func(context.Context, identity.Address) (net.Conn, error)
	// Join is Dial for one more path of a call that is on: what it costs is
	// bounded (docs/protocol.md), so it must build one circuit and no more. nil: Dial.
	Join func(context.Context, identity.Address) (net.Conn, error)
	// Redial is Dial when nothing has come from the peer for 3 s: what is
	// remembered of where they are may no longer be true. nil: Join.
	Redial func(context.Context, identity.Address) (net.Conn, error)
	// Open opens microphone and loudspeaker. It is called once a call, when
	// both sides have said yes.
	Open func(context.Context) (Sound, error)
	// Paths is how many circuits an outgoing call keeps open, 1 to 8; 0: 4.
	Paths int
	// Audition is how many to try out while it rings, to keep the best of them:
	// at most 7, which is what the budget of circuits has; 0: 7; 1: none.
	Audition int
	// Profile is the best voice profile that this side will use, by its number
	// in record.Profiles: 0, the best there is; a later one sends fewer bits a
	// frame, and so more frames a record. What both can is settled by the
	// handshake and stays for the call.
	Profile uint8
	// Jitter says how long to hold sound; its zero value works.
	Jitter jitter.Config
	// Alarm makes what wakes the wire's tick and the microphone's; nil: the
	// runtime's timers, which are later.
	Alarm func() voice.Alarm
	// Probe, if set, sees frames pass. It is for measurements.
	Probe Probe
}

// Probe sees frames pass, on the hot path: its methods must be quick.
type Probe interface {
	Captured(frame uint32)                  // a frame from the source has its number
	Playing(frame uint32, in time.Duration) // a received frame begins to sound so long from now
}

// Call is one call. Its methods may be used from any goroutine.
type Call struct {
	// Peer is the other side, proven by the handshake.
	Peer identity.Address
	// Outgoing says that this side dialled.
	Outgoing bool
	// ID is random, the same on both sides.
	ID [16]byte
	// GreetingTrip is how long the callee's answer to the first message of the
	// handshake took, on path 0; 0 for an incoming call.
	GreetingTrip time.Duration
	// OnPhase, if set before Run, is told of each new phase by Run's
	// goroutine. It must not block.
	OnPhase func(Phase)
	// OnSoundError, if set before Run, is told of a lost microphone or
	// loudspeaker; the call goes on without. It must not block.
	OnSoundError func(error)
	// Open, if set before Run, is used in place of the Config's.
	Open func(context.Context) (Sound, error)
	// OnText, if set before Run, is told of a line of text from the other side,
	// fit to be shown, by a reader's goroutine. It must not block.
	OnText func(string)
	// OnRecorded, if set before Run, is told that the other side keeps both
	// voices from now on, or no more, by a reader's goroutine. It must not block.
	OnRecorded func(bool)

	config  Config
	profile record.Profile
	encoder Encoder
	ear     *playout.Ear
	first   *path         // path 0, given to Run
	chain   *record.Chain // of path keys; the caller's under mu, the callee's under its line's tags

	mu        sync.Mutex // held for microseconds, never across I/O
	began     time.Time
	machine   machine
	control   control.Stream
	schedule  paths.Scheduler
	received  paths.Receiver
	paths     [paths.Most]*path
	fresh     []*path       // joined, and to be taken in at the next tick
	keeper    *paths.Keeper // the caller's: which paths to open and close
	joins     paths.Bucket  // the callee's: how many may join
	heard     time.Duration // when the last record came
	captured  frames
	muted     bool
	holding   bool
	arrived   time.Duration // of what was said, at the other side
	toldDelay byte          // what the other side was last told of how late it is heard
	toldAt    time.Duration
	tape      Tape // nil: this side does not record
	told      bool // the other side knows that it does
	// announced is behind the message that says so.
	announced uint16
	source    voice.Source // nil until the microphone is open
	said      func(*voice.Frame)
	counts    counts
	last      uint32                     // tick
	ticked    int                        // of the tick's goroutine alone
	standing  [paths.Most]paths.Standing // for standings
	plain     record.Plain               // the record being made; a field, so that sealing allocates nothing
	failure   error                      // of sound, at the start of the call
}

type counts struct{ sent, skipped, got uint64 }

// How many circuits a call keeps open, and how many it tries out while it
// rings.
const (
	DefaultPaths    = 4
	DefaultAudition = 7
)

func newCall(c Config, peer identity.Address, outgoing bool, w handshake.Wishes, choice handshake.Choice, s *handshake.Secrets, conn net.Conn) (*Call, error) {
	profile := record.Profiles[choice.Profile]
	encoder, err := c.Codec.NewEncoder(profile)
	if err != nil {
		return nil, err
	}
	decoder, err := c.Codec.NewDecoder(profile)
	if err != nil {
		return nil, err
	}
	call := &Call{
		Peer: peer, Outgoing: outgoing, ID: w.CallID,
		config: c, profile: profile, encoder: encoder,
		ear: playout.New(c.Jitter, decoder),
	}
	if c.Probe != nil {
		call.ear.Playing = c.Probe.Playing
	}
	call.machine.outgoing = outgoing
	call.machine.send = call.say
	call.chain = record.NewChain(s.Binding, s.K1, s.K2)
	s.Wipe()
	keys := call.chain.Next()
	callerKey, calleeKey := keys.Records(nil)
	keys.Wipe()
	if outgoing {
		call.first = newPath(0, conn, callerKey, calleeKey)
	} else {
		call.first = newPath(0, conn, calleeKey, callerKey)
	}
	return call, nil
}

// say queues a control message. The queue holds more than a call's own
// messages can be.
func (c *Call) say(kind control.Kind, body ...byte) { _ = c.control.Send(kind, body...) }

// now is the time since the call began; c.mu is held or Run has begun.
func (c *Call) now() time.Duration { return time.Since(c.began) }

// Answer says yes to an incoming call that rings. It reports whether there was
// one to answer.
func (c *Call) Answer() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.machine.answer(c.now())
}

// Decline says no to an incoming call.
func (c *Call) Decline() bool { return c.refuse(control.Decline) }

// Busy says no to an incoming call because of another.
func (c *Call) Busy() bool { return c.refuse(control.Busy) }

func (c *Call) refuse(kind control.Kind) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.machine.refuse(c.now(), kind)
}

// HangUp ends the call; Run returns half a second later.
func (c *Call) HangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.machine.hangUp(c.now(), control.ReasonDone, nil)
}

// Mute sends silence in place of the microphone, or ends that. From outside
// nothing changes.
func (c *Call) Mute(on bool) {
	c.mu.Lock()
	c.muted = on
	c.mu.Unlock()
}

// Hold puts the other side on hold, or ends that: nothing is said or heard
// here meanwhile, and they are told. From outside nothing changes.
func (c *Call) Hold(on bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.machine.phase != Talking || c.holding == on {
		return nil
	}
	body := byte(0)
	if on {
		body = 1
	}
	c.holding = c.holding || on // also where they cannot be told now
	if err := c.control.Send(control.Hold, body); err != nil {
		return err
	}
	c.holding = on
	return nil
}

// Say sends a line of text, at most control.MaxText bytes, to the other side
// while both talk.
func (c *Call) Say(text string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.machine.phase != Talking {
		return ErrNotTalking
	}
	return c.control.Send(control.Chat, []byte(text)...)
}

// ErrNotTalking says that a call is not, or no longer, answered.
var ErrNotTalking = errors.New("text goes out only while both talk")
