package call

import (
	"errors"
	"time"

	"github.com/sottovoce/sotto/call/control"
)

// Phase is where a call stands.
//
//	Calling ──ringing──▶ Ringing ──answer──▶ Talking ──▶ Closing ──500 ms──▶ Over
//	   └───────────────────┴── hung up, declined, busy, 45 s, lost ──▲
type Phase uint8

// The phases of a call.
const (
	Calling Phase = iota // the handshake is done, it does not ring yet
	Ringing              // it rings there (outgoing) or here (incoming)
	Talking              // both sides have said yes
	Closing              // ordinary records go on for a moment
	Over                 // nothing goes out any more
)

func (p Phase) String() string {
	return [...]string{"calling", "ringing", "talking", "closing", "over"}[min(p, Over)]
}

// Limits of a call's life.
const (
	RingTime   = 45 * time.Second       // then it counts as not answered
	MuteTime   = 10 * time.Second       // an incoming call that does not ask to ring
	CloseTime  = 500 * time.Millisecond // ordinary records after the hang-up
	NoticeTime = 300 * time.Millisecond // nothing came, or was acknowledged: somebody is not reached
	SilentTime = 60 * time.Second       // nothing came: the other side is gone
)

// How a call may end other than by hanging up after talking.
var (
	ErrDeclined  = errors.New("the other side declined the call")
	ErrBusy      = errors.New("the other side is in another call")
	ErrNoAnswer  = errors.New("nobody answered")
	ErrCancelled = errors.New("hung up before it was answered")
	ErrLost      = errors.New("the connection to the other side was lost")
	ErrFailed    = errors.New("something failed on the other side, which had to hang up")
	ErrBroken    = errors.New("the other side said what no sotto says: one of the two programs is damaged or too old")
)

// machine is a call's state: messages, a person's actions and the time go in,
// messages and phases come out. It has no goroutine, clock or I/O.
type machine struct {
	outgoing bool
	phase    Phase
	entered  time.Duration // when phase began
	talked   bool          // phase was Talking at some time
	talk     time.Duration // how long it was, once that is over
	trail    []Phase       // phases entered and not yet told
	verdict  error         // why the call ended; nil: by hanging up after talking
	held     bool          // the other side has put us on hold
	send     func(control.Kind, ...byte)
	texts    []string // lines of text that came and are not yet told
	recorded bool     // the other side records
	records  []bool   // what recorded became, not yet told
	there    byte     // how late the other side says it hears this one, in delayUnit
}

// start begins the call at time now.
func (m *machine) start(now time.Duration) {
	m.enter(now, Calling)
	if m.outgoing {
		m.send(control.Ring)
	}
}

func (m *machine) enter(now time.Duration, p Phase) {
	m.talk = m.talkedFor(now)
	if p != m.phase {
		m.trail = append(m.trail, p)
	}
	m.phase, m.entered = p, now
	m.talked = m.talked || p == Talking
}

// talkedFor is how long the two have been talking.
func (m *machine) talkedFor(now time.Duration) time.Duration {
	if m.phase == Talking {
		return now - m.entered
	}
	return m.talk
}

// message takes what the other side said. What does not fit the phase is
// passed over: it may have crossed with ours.
func (m *machine) message(now time.Duration, kind control.Kind, body []byte) {
	if m.phase >= Closing {
		return
	}
	switch kind {
	case control.Ring:
		if !m.outgoing && m.phase == Calling {
			m.enter(now, Ringing)
			m.send(control.Ringing)
		}
	case control.Ringing:
		if m.outgoing && m.phase == Calling {
			m.enter(now, Ringing)
		}
	case control.Answer:
		if m.outgoing && m.phase < Talking {
			m.enter(now, Talking)
		}
	case control.Decline:
		if m.outgoing && m.phase < Talking {
			m.close(now, ErrDeclined)
		}
	case control.Busy:
		if m.outgoing && m.phase < Talking {
			m.close(now, ErrBusy)
		}
	case control.HangUp:
		m.hungUp(now, body)
	case control.Hold:
		m.held = len(body) > 0 && body[0] == 1
	case control.Chat:
		if m.phase == Talking {
			m.texts = append(m.texts, control.Text(body))
		}
	case control.Delay:
		if m.phase == Talking && len(body) > 0 {
			m.there = body[0]
		}
	case control.Recording:
		on := len(body) > 0 && body[0] == 1
		if m.phase == Talking && on != m.recorded {
			m.recorded = on
			m.records = append(m.records, on)
		}
	}
}

func (m *machine) hungUp(now time.Duration, body []byte) {
	reason := control.ReasonDone
	if len(body) > 0 {
		reason = control.Reason(body[0])
	}
	switch {
	case reason == control.ReasonFailed:
		m.close(now, ErrFailed)
	case m.phase == Talking:
		m.close(now, nil)
	case m.outgoing && reason == control.ReasonDone:
		m.close(now, ErrDeclined)
	default:
		m.close(now, ErrNoAnswer)
	}
}

func (m *machine) close(now time.Duration, verdict error) {
	m.verdict = verdict
	m.enter(now, Closing)
}

// answer is the callee's yes. It reports whether there was something to answer.
func (m *machine) answer(now time.Duration) bool {
	if m.outgoing || m.phase != Ringing {
		return false
	}
	m.send(control.Answer)
	m.enter(now, Talking)
	return true
}

// refuse is the callee's no: Decline or Busy.
func (m *machine) refuse(now time.Duration, kind control.Kind) bool {
	if m.outgoing || m.phase >= Talking {
		return false
	}
	m.send(kind)
	m.close(now, ErrDeclined)
	if kind == control.Busy {
		m.verdict = ErrBusy
	}
	return true
}

// hangUp ends the call from this side.
func (m *machine) hangUp(now time.Duration, reason control.Reason, verdict error) {
	if m.phase >= Closing {
		return
	}
	if verdict == nil && m.phase < Talking {
		verdict = ErrCancelled
	}
	m.send(control.HangUp, byte(reason))
	m.close(now, verdict)
}

// lost says that no path is left.
func (m *machine) lost(now time.Duration) {
	if m.phase < Closing {
		m.verdict = ErrLost
	}
	m.enter(now, Over)
}

// broken says that what the other side sends cannot be gone on with.
func (m *machine) broken(now time.Duration) {
	if m.phase < Closing {
		m.verdict = ErrBroken
	}
	m.enter(now, Over)
}

// unreached says that the other side did not take the greeting's last message.
func (m *machine) unreached(now time.Duration) {
	m.verdict = ErrUnreached
	m.enter(now, Over)
}

// tick lets time pass. heard is when the last record came.
func (m *machine) tick(now, heard time.Duration) {
	switch {
	case !m.outgoing && m.phase == Calling && now >= MuteTime:
		m.hangUp(now, control.ReasonNoAnswer, ErrNoAnswer)
	case m.phase < Talking && now >= RingTime:
		m.hangUp(now, control.ReasonNoAnswer, ErrNoAnswer)
	case m.phase < Closing && now-heard >= SilentTime:
		m.lost(now)
	case m.phase == Closing && now-m.entered >= CloseTime:
		m.enter(now, Over)
	}
}
