package call

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/call/playout"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/jitter"
	"github.com/sottovoce/sotto/voice"
)

type deaf struct{}

func (deaf) Decode(*voice.Frame, []byte) error { return nil }
func (deaf) Conceal(*voice.Frame) error        { return nil }

// talking makes one end of a call that talks, with one path to itself.
func talking() (*Call, *path) {
	c := &Call{profile: record.Profiles[0], ear: playout.New(jitter.Config{}, deaf{})}
	c.machine.send = c.say
	c.machine.phase = Talking
	c.began = time.Now()
	p := newPath(0, nil, [32]byte{1}, [32]byte{1})
	c.paths[0] = p
	c.schedule.Open(0)
	c.received.Open(0)
	return c, p
}

// loop makes the record of a tick, opens it again and takes it.
func loop(t testing.TB, c *Call, tick uint32, packet []byte, f *voice.Frame) {
	c.captured.add(packet)
	var trail [Over + 1]Phase
	p, phase, _ := c.prepare(context.Background(), tick, func(paths.ID) bool { return true }, &trail)
	if p == nil || phase != Talking {
		t.Fatalf("tick %d: no record in phase %v", tick, phase)
	}
	p.in = p.out
	if err := p.opener.Open(&p.plain, &p.in); err != nil {
		t.Fatal(err)
	}
	if err := c.take(p); err != nil {
		t.Fatal(err)
	}
	c.ear.Pull(c.now(), f[:])
}

func TestATickAllocatesNothing(t *testing.T) {
	c, _ := talking()
	packet := make([]byte, c.profile.Bytes)
	var f voice.Frame
	tick := uint32(0)
	if n := testing.AllocsPerRun(2000, func() {
		tick++
		loop(t, c, tick, packet, &f)
	}); n != 0 {
		t.Errorf("%v allocations a tick", n)
	}
}

// What no sotto says ends the call, not the path alone: no other path could
// bring what is missing.
func TestAControlErrorEndsTheCall(t *testing.T) {
	c, p := talking()
	var contents record.Contents
	contents.Control[4] = 44 // bytes, of 43
	contents.Put(&p.plain)
	if err := c.take(p); !errors.Is(err, control.ErrProtocol) {
		t.Errorf("the path ends with %v", err)
	}
	if c.machine.phase != Over || c.machine.verdict != ErrBroken {
		t.Errorf("the call is %v, %v", c.machine.phase, c.machine.verdict)
	}
}

func BenchmarkTick(b *testing.B) {
	c, _ := talking()
	packet := make([]byte, c.profile.Bytes)
	var f voice.Frame
	tick := uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		tick++
		loop(b, c, tick, packet, &f)
	}
}

// Every order of up to five events, at either side: no phase goes back, no
// call talks before its callee said yes and none is stuck.
func TestEveryOrderOfEvents(t *testing.T) {
	const depth = 5
	second := time.Second
	type step func(m *machine, now time.Duration)
	said := func(k control.Kind, body ...byte) step {
		return func(m *machine, now time.Duration) { m.message(now, k, body) }
	}
	steps := map[string]step{
		"ring": said(control.Ring), "ringing": said(control.Ringing), "answer": said(control.Answer),
		"decline": said(control.Decline), "busy": said(control.Busy), "unknown": said(99),
		"hang up": said(control.HangUp, 0), "failed": said(control.HangUp, 2), "hang up without a reason": said(control.HangUp),
		"I answer":  func(m *machine, now time.Duration) { m.answer(now) },
		"I decline": func(m *machine, now time.Duration) { m.refuse(now, control.Decline) },
		"I hang up": func(m *machine, now time.Duration) { m.hangUp(now, control.ReasonDone, nil) },
		"lost":      func(m *machine, now time.Duration) { m.lost(now) },
		"a second":  func(m *machine, now time.Duration) { m.tick(now, now) },
	}
	var try func(m machine, yes bool, now time.Duration, trail []string)
	try = func(m machine, yes bool, now time.Duration, trail []string) {
		end, later := m, now
		end.send = func(control.Kind, ...byte) {}
		for i := 0; end.phase != Over; i++ {
			if later += second; i > 200 {
				t.Fatalf("stuck in %v after %v", end.phase, trail)
			}
			heard := now // nothing comes any more
			end.tick(later, heard)
		}
		if len(trail) == depth {
			return
		}
		for name, do := range steps {
			next, agreed := m, yes
			next.send = func(k control.Kind, _ ...byte) {
				if k == control.Answer {
					agreed = true
				}
			}
			do(&next, now+second)
			if m.outgoing && name == "answer" {
				agreed = true
			}
			if next.phase < m.phase {
				t.Fatalf("%v, then %s: from %v back to %v", trail, name, m.phase, next.phase)
			}
			if next.phase == Talking && !agreed {
				t.Fatalf("%v, then %s: talks before both said yes", trail, name)
			}
			try(next, agreed, now+second, append(trail[:len(trail):len(trail)], name))
		}
	}
	for _, outgoing := range []bool{true, false} {
		m := machine{outgoing: outgoing, send: func(control.Kind, ...byte) {}}
		m.start(0)
		try(m, false, 0, nil)
	}
}

func TestTheDoorBoundsWhatStrangersCost(t *testing.T) {
	d := newDoor()
	now := time.Unix(0, 0)
	admitted := 0
	for range 1000 {
		if d.admit(now) {
			admitted++
		}
	}
	if admitted != greetBurst {
		t.Errorf("%d first messages at once", admitted)
	}
	for range 1000 {
		now = now.Add(10 * time.Millisecond)
		if d.admit(now) {
			admitted++
		}
	}
	if admitted < 540 || admitted > 550 {
		t.Errorf("%d first messages in ten seconds", admitted)
	}
}
