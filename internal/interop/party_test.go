package interop_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/call/playout"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/voice"
)

// party is our side of a call: it answers at once, says frames that hold their
// number, and keeps what it hears.
type party struct {
	config call.Config
	hangUp time.Duration // after the answer; 0: never
	peer   identity.Address

	mu     sync.Mutex
	said   byte
	heard  []byte // numbers of frames, modulo 256
	wrong  int
	texts  []string
	paths  int // the most that were open
	trip   time.Duration
	phases []string
}

func newParty(t *testing.T, name string, dial func(context.Context, identity.Address) (net.Conn, error)) *party {
	p := &party{}
	p.config = call.Config{
		Key: keyOf(t, person(name)), Codec: p, Dial: dial, Paths: 2, Audition: 1,
		Open: func(context.Context) (call.Sound, error) { return call.Sound{Source: mute{}, Sink: p}, nil },
	}
	return p
}

// line is what we write, several pieces of the control stream long.
const line = "a line of text that is longer than one record's piece, and longer than two: as long as three of them, at least"

func (p *party) live(ctx context.Context, c *call.Call) error {
	p.peer = c.Peer
	var acts sync.WaitGroup
	defer acts.Wait()
	c.OnText = func(text string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.texts = append(p.texts, text)
	}
	c.OnPhase = func(phase call.Phase) {
		p.phases = append(p.phases, phase.String())
		if phase == call.Talking {
			acts.Go(func() { c.Say(line); p.wait(ctx, c) })
		}
		if phase == call.Ringing && !c.Outgoing {
			acts.Go(func() { c.Answer() })
		}
	}
	return c.Run(ctx)
}

// wait hangs up when it is time.
func (p *party) wait(ctx context.Context, c *call.Call) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s := c.Status()
		p.paths, p.trip = max(p.paths, s.Paths), max(p.trip, s.RoundTrip)
		if s.Phase >= call.Closing {
			return
		}
		if p.hangUp > 0 && s.TalkedFor >= p.hangUp {
			c.HangUp()
			return
		}
	}
}

// check holds what both sides saw against each other.
func (p *party) check(t *testing.T, r report, peer string, theirs []string) {
	t.Helper()
	if p.peer != addressOf(t, peer) {
		t.Errorf("we took them for %v", p.peer)
	}
	if !slices.Equal(r.Phases, theirs) {
		t.Errorf("they went through %v", r.Phases)
	}
	if want := []string{"ringing", "talking", "closing", "over"}; !slices.Equal(p.phases, want) {
		t.Errorf("we went through %v", p.phases)
	}
	if r.Heard < 50 || r.Right != r.Heard {
		t.Errorf("they heard %d frames, %d of them right", r.Heard, r.Right)
	}
	if len(p.heard) < 50 || p.wrong > 0 || !slices.IsSorted(p.heard[:50]) {
		t.Errorf("we heard %d frames and %d that were wrong: %v", len(p.heard), p.wrong, p.heard)
	}
	if !slices.Equal(r.Texts, []string{line}) {
		t.Errorf("they read %q", r.Texts)
	}
	for path := range 2 {
		if r.Records[path] < 10 || r.Reported[path] < 10 {
			t.Errorf("path %d: they got %d records, and were told of number %d", path, r.Records[path], r.Reported[path])
		}
	}
	if p.paths != 2 || p.trip <= 0 {
		t.Errorf("we had %d paths, round trip %v", p.paths, p.trip)
	}
}

func (p *party) NewEncoder(record.Profile) (call.Encoder, error)    { return p, nil }
func (p *party) NewDecoder(record.Profile) (playout.Decoder, error) { return p, nil }

func (p *party) Encode(packet []byte, _ *voice.Frame) error {
	copy(packet, bytes.Repeat([]byte{p.said}, len(packet)))
	p.said++
	return nil
}

func (p *party) Decode(_ *voice.Frame, packet []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.Trim(string(packet), string(packet[:1])) != "" || len(packet) != 60 {
		p.wrong++
		return errors.New("not one number")
	}
	p.heard = append(p.heard, packet[0])
	return nil
}

func (p *party) Conceal(*voice.Frame) error { return nil }

// Run pulls like a loudspeaker.
func (p *party) Run(ctx context.Context, pull func([]float32)) error {
	ticker := time.NewTicker(voice.FrameTime)
	defer ticker.Stop()
	var f voice.Frame
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		pull(f[:])
	}
}

// mute is a microphone that brings nothing, so that silence is encoded.
type mute struct{}

func (mute) Read(*voice.Frame) (bool, error) { return false, nil }
