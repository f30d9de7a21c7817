package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/internal/phone"
)

// session is one call on a terminal: what is shown and which keys do what.
type session struct {
	*live
	sounds  *phone.Sounds
	dialled time.Time
	until   <-chan struct{} // hang up a second after this is closed; nil: never
	answer  bool            // incoming: say yes without asking
	claim   func() bool     // incoming: asked when it rings whether the screen is free; nil: it is
	accept  func() bool     // incoming: asked before it is answered whether the screen is still this call's; nil: it is
	keys    <-chan byte     // shared with whoever reads the keyboard; nil: take it
	name    string          // what the other side is called here; "": a stranger
	once    bool            // outgoing: as a one-time identity
	record  bool            // keep both voices from the start
	leave   func()          // incoming: the call is not to be heard of any more

	off   atomic.Bool // the screen is not this call's, or not any more
	rang  time.Time   // when the prompt was shown
	setup time.Duration
	trip  time.Duration // round trip, when it was last known
	last  call.Status
	kept  *phone.Recording // watch's; nil: none is on
	slow  offer            // watch's
}

// tailTime is how long a call goes on after a file has been said, so that its
// end is heard.
const tailTime = time.Second

// run is the call c, from ringing to its end.
func (s *session) run(ctx context.Context, c *call.Call) error {
	var group sync.WaitGroup
	defer group.Wait()
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if s.keys == nil {
		if k, err := openKeys(); err == nil {
			defer k.close()
			s.keys = k.C
		}
	}
	c.OnSoundError = func(err error) { s.say("%v", err) }
	texts := make(chan string, 16)
	c.OnText = func(text string) {
		select {
		case texts <- text:
		default: // a terminal that stands still must not hold up the call
		}
	}
	records := make(chan bool, 16)
	c.OnRecorded = func(on bool) {
		select {
		case records <- on:
		default: // as above
		}
	}
	phases := make(chan call.Phase, 8) // a call has five
	c.OnPhase = func(p call.Phase) { phases <- p }
	group.Go(func() { s.watch(inner, c, phases, texts, records, cancel) })
	err := c.Run(inner)
	s.last = c.Status()
	cancel(nil)
	if errors.Is(context.Cause(inner), errInterrupted) {
		return errInterrupted
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// watch shows the call and acts on keys until it is over.
func (s *session) watch(ctx context.Context, c *call.Call, phases <-chan call.Phase, texts <-chan string, records <-chan bool, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	defer s.endRecording()
	phase := call.Calling
	var hangUp <-chan time.Time
	said := s.until
	for {
		select {
		case <-ctx.Done():
			return
		case phase = <-phases:
			s.entered(c, phase)
		case key, ok := <-s.keys:
			if !ok {
				s.keys = nil
				continue
			}
			s.press(c, key, cancel)
		case text := <-texts:
			s.say("%s: %s", cmp.Or(s.name, "they write"), text)
		case on := <-records:
			if on {
				s.say("the other side records this call")
			} else {
				s.say("the other side does not record any more")
			}
		case <-said:
			said = nil
			hangUp = time.After(tailTime)
		case <-hangUp:
			c.HangUp()
		case <-ticker.C:
			s.draw(c, phase)
		}
	}
}

func (s *session) entered(c *call.Call, phase call.Phase) {
	switch {
	case phase == call.Ringing && c.Outgoing:
		s.setup = time.Since(s.dialled)
		s.show("ringing", "ringing …"+s.onceNote())
	case phase == call.Ringing && s.claim != nil && !s.claim():
		s.off.Store(true)
		if s.name != "" {
			c.Busy() // strangers are not told whether somebody is there
		}
	case phase == call.Ringing:
		s.ring(c)
	case phase == call.Talking:
		s.say("talking%s: m mutes, t is push-to-talk, r records, q hangs up", s.onceNote())
		if s.record {
			s.startRecording(c)
		}
	}
}

// startRecording keeps both voices, which the other side is told.
func (s *session) startRecording(c *call.Call) {
	kept, err := s.sounds.Record(c)
	if err != nil {
		s.say("%v", err)
		return
	}
	s.kept = kept
	s.say("recording to %s, and the other side is told: r ends it", s.sounds.RecordingPath())
}

func (s *session) endRecording() {
	if s.kept == nil {
		return
	}
	s.kept.Stop()
	s.kept = nil
	s.say("recorded to %s", s.sounds.RecordingPath())
}

// ring says who calls, and asks whether to answer.
func (s *session) ring(c *call.Call) {
	if s.name != "" {
		s.say("a call from %s", s.name)
	} else {
		s.say("a call from %s", c.Peer.Onion())
		s.say("  a stranger: not in your contacts")
	}
	s.bell()
	s.rang = time.Now()
	if s.answer {
		s.yes(c)
	}
}

// yes answers, unless another call has taken the screen in this moment.
func (s *session) yes(c *call.Call) {
	if s.accept == nil || s.accept() {
		c.Answer()
	}
}

// decline says no. A stranger is not told: it rings for them until nobody has
// answered.
func (s *session) decline(c *call.Call) {
	if s.name != "" {
		c.Decline()
		return
	}
	s.off.Store(true)
	s.say("you declined; strangers are not told, it rings on for them")
	s.leave()
}

// onceNote follows what is said of a one-time identity's call.
func (s *session) onceNote() string {
	if s.once {
		return " (one-time identity)"
	}
	return ""
}

// startle is how long after the first ring keys are not taken: whoever was
// typing to another call, or to nobody, has not seen who calls yet.
const startle = 500 * time.Millisecond

func (s *session) press(c *call.Call, key byte, cancel context.CancelCauseFunc) {
	if s.off.Load() {
		return
	}
	ringing := !c.Outgoing && c.Status().Phase == call.Ringing
	if ringing && time.Since(s.rang) < startle && key != ctrlC {
		return
	}
	if !ringing && talkKeys(c, key) {
		return
	}
	switch key {
	case 'y', 'Y':
		if ringing {
			s.yes(c)
		}
	case 'n', 'N':
		if ringing {
			s.decline(c)
		}
	case 'm', 'M':
		c.Mute(!c.Status().Muted)
	case 'r', 'R':
		switch {
		case s.kept != nil:
			s.endRecording()
		case c.Status().Phase == call.Talking:
			s.startRecording(c)
		}
	case 'q', 'Q':
		if ringing {
			s.decline(c)
		} else {
			c.HangUp()
		}
	case ctrlC:
		cancel(errInterrupted)
	}
}

func (s *session) draw(c *call.Call, phase call.Phase) {
	if s.off.Load() {
		return
	}
	st := c.Status()
	switch phase {
	case call.Ringing:
		if !c.Outgoing && !s.answer {
			if time.Since(s.rang) < startle {
				return
			}
			s.show("ringing", "answer? y or n   "+clock(st.Since))
		} else {
			s.show("ringing", "ringing … "+clock(st.Since)+s.onceNote())
		}
	case call.Talking:
		wrong, late := feeling(st)
		parts := append([]string{clock(st.Since)}, wrong...) // first, where a narrow terminal shows it
		if st.Held && wrong == nil {
			parts = append(parts, "they hold")
		}
		if s.slow.due(time.Now(), st) {
			s.say(pushToTalkOffer)
		}
		switch {
		case st.Announced:
			parts = append(parts, "to record: telling them")
		case st.Recording:
			parts = append(parts, "recording")
		}
		if st.Recorded {
			parts = append(parts, "they record")
		}
		if s.once {
			parts = append(parts, "one-time")
		}
		parts = append(parts, speaking(st, s.sounds.Said.RMS()), "them "+meter(s.sounds.Heard.RMS()))
		if st.RoundTrip > 0 {
			s.trip = st.RoundTrip
		}
		parts = append(append(parts, late...), fmt.Sprintf("concealed %.1f %%", st.Playout.ConcealedPercent()), fmt.Sprintf("paths %d", st.Paths))
		s.show("talking", strings.Join(parts, "  "))
	}
}

// report is what --json prints about a call.
func (s *session) report(err error) map[string]any {
	r := map[string]any{
		"exit": exitCode(err), "setup_ms": s.setup.Milliseconds(), "talked_ms": int64(0),
		"records_sent": s.last.Sent, "records_received": s.last.Received, "skipped_ticks": s.last.Skipped,
		"records_per_second": s.last.Rate(), "round_trip_ms": s.trip.Milliseconds(),
		"concealed_pct": s.last.Playout.ConcealedPercent(), "one_time": s.once,
	}
	if s.name != "" {
		r["name"] = s.name
	}
	r["talked_ms"] = s.last.TalkedFor.Milliseconds()
	if err != nil {
		r["error"] = err.Error()
	}
	return r
}

// logger writes what --verbose asks for among the lines that stay.
func (o *options) logger(show *live) *slog.Logger {
	if !o.verbose {
		return nil
	}
	return slog.New(slog.NewTextHandler(sayWriter{show}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type sayWriter struct{ *live }

func (w sayWriter) Write(b []byte) (int, error) {
	w.say("%s", strings.TrimRight(string(b), "\n"))
	return len(b), nil
}
