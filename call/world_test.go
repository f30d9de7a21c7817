package call_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/call/playout"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/voice"
)

var errNoCard = errors.New("no sound card")

// world is two people and a network between them.
type world struct {
	net            *network
	caller, callee *party
}

func newWorld(t *testing.T) *world {
	n := &network{delay: 33 * time.Millisecond, began: time.Now(), listeners: map[identity.Address]*listener{}}
	return &world{net: n, caller: newParty(t, n), callee: newParty(t, n)}
}

// run lets the caller call and waits for both.
func (w *world) run(ctx context.Context) (caller, callee error) { return w.runWith(ctx, ctx) }

func (w *world) runWith(callerCtx, calleeCtx context.Context) (caller, callee error) {
	ctx, cancel := context.WithCancel(calleeCtx)
	served := make(chan error, 1)
	go func() { served <- w.callee.serve(ctx) }()
	caller = w.caller.dial(callerCtx, w.callee.key.Address())
	callee = <-w.callee.ended
	cancel()
	if err := <-served; err != nil {
		return caller, err
	}
	return caller, callee
}

// party is one person: what they do when it rings and when they talk.
type party struct {
	key            *identity.Key
	net            *network
	onRing, onTalk func(*call.Call)
	onPhase        func(call.Phase) // in the tick's own goroutine
	onText         func(string)
	onRecorded     func(bool)
	call           *call.Call
	muted, noCard  bool
	paths          int // of outgoing calls; 0: the default
	profile        uint8
	probe          call.Probe
	alarms         *alarms
	made           record.Profile // of the newest call
	source         *source
	sink           *sink
	ended          chan error

	mu       sync.Mutex
	opens    int
	openedAt time.Time
	closed   int
	peer     identity.Address
	status   call.Status // just before the end
	strings  []*wire
}

// strung notes one more stream of the party's.
func (p *party) strung(w *wire) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.strings = append(p.strings, w)
}

// wires are the party's streams so far, in order.
func (p *party) wires() []*wire {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.strings)
}

// log is what went out on all of the party's streams, in order of time.
func (p *party) log() []write {
	var all []write
	for i, w := range p.wires() {
		for _, wr := range w.log() {
			wr.path = i
			all = append(all, wr)
		}
	}
	slices.SortFunc(all, func(a, b write) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.path, b.path)) })
	return all
}

func newParty(t *testing.T, n *network) *party {
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &party{key: key, net: n, alarms: &alarms{}, source: &source{}, sink: &sink{}, ended: make(chan error, 8)}
}

func (p *party) config() call.Config {
	return call.Config{
		Key: p.key, Codec: noting{made: &p.made}, Paths: p.paths, Profile: p.profile, Probe: p.probe, Alarm: p.alarms.open,
		Dial: func(_ context.Context, a identity.Address) (net.Conn, error) {
			w, err := p.net.dial(a)
			if err != nil {
				return nil, err
			}
			p.strung(w)
			return w, nil
		},
		Open: func(context.Context) (call.Sound, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.noCard {
				return call.Sound{}, errNoCard
			}
			p.opens++
			p.openedAt = time.Now()
			p.source.began = time.Now()
			return call.Sound{Source: p.source, Sink: p.sink, Close: func() { p.closed++ }}, nil
		},
	}
}

func (p *party) opened() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opens
}

func (p *party) dial(ctx context.Context, a identity.Address) error {
	c, err := call.Dial(ctx, p.config(), a)
	if err != nil {
		return err
	}
	return p.live(ctx, c)
}

func (p *party) serve(ctx context.Context) error {
	line := call.Line{Config: p.config(), Handle: func(ctx context.Context, c *call.Call) { p.ended <- p.live(ctx, c) }}
	return line.Serve(ctx, p.net.listen(p))
}

func (p *party) live(ctx context.Context, c *call.Call) error {
	var acts sync.WaitGroup
	defer acts.Wait()
	p.mu.Lock()
	p.peer = c.Peer
	p.mu.Unlock()
	c.Mute(p.muted)
	p.call, c.OnText, c.OnRecorded = c, p.onText, p.onRecorded
	c.OnPhase = func(phase call.Phase) {
		if p.onPhase != nil {
			p.onPhase(phase)
		}
		act := map[call.Phase]func(*call.Call){call.Ringing: p.onRing, call.Talking: p.onTalk}[phase]
		if act != nil {
			acts.Go(func() { act(c) })
		}
		if phase == call.Over {
			p.mu.Lock()
			p.status = c.Status()
			p.mu.Unlock()
		}
	}
	return c.Run(ctx)
}

// alarms counts those of a party's calls.
type alarms struct{ opened, closed atomic.Int32 }

type alarm struct {
	voice.Alarm
	all *alarms
}

func (a *alarms) open() voice.Alarm {
	a.opened.Add(1)
	return alarm{voice.NewTimer(), a}
}

func (a alarm) Close() {
	a.all.closed.Add(1)
	a.Alarm.Close()
}

// codec carries one number a frame, so that what is heard can be compared with
// what was said. Silence is 0.
type codec struct{}

// noting is codec that notes the profile a call was made with.
type noting struct {
	codec
	made *record.Profile
}

func (n noting) NewEncoder(p record.Profile) (call.Encoder, error) {
	*n.made = p
	return codec{}, nil
}

func (codec) NewEncoder(record.Profile) (call.Encoder, error)    { return codec{}, nil }
func (codec) NewDecoder(record.Profile) (playout.Decoder, error) { return codec{}, nil }

func (codec) Encode(packet []byte, f *voice.Frame) error {
	binary.BigEndian.PutUint32(packet, math.Float32bits(f[0]))
	return nil
}

func (codec) Decode(f *voice.Frame, packet []byte) error {
	f[0] = math.Float32frombits(binary.BigEndian.Uint32(packet))
	return nil
}

func (codec) Conceal(f *voice.Frame) error { f[0] = -1; return nil }

// source says 1, 2, 3, … one number every 20 ms from when it was opened.
type source struct {
	began        time.Time
	silent, dead bool
	said         []float32
}

func (s *source) Read(f *voice.Frame) (bool, error) {
	if s.dead {
		return false, errors.New("unplugged")
	}
	if time.Since(s.began) < time.Duration(len(s.said)+1)*voice.FrameTime {
		return false, nil
	}
	s.said = append(s.said, float32(len(s.said)+1))
	clear(f[:])
	if !s.silent {
		f[0] = s.said[len(s.said)-1]
	}
	return true, nil
}

// sink pulls every 20 ms.
type sink struct {
	mu    sync.Mutex
	heard []float32
}

func (s *sink) Run(ctx context.Context, pull func([]float32)) error {
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
		s.mu.Lock()
		s.heard = append(s.heard, cmp.Or(f[:]...)) // frames begin anywhere in a pull
		s.mu.Unlock()
	}
}

// values is what was heard from the first thing said to the last.
func (s *sink) values() []float32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []float32
	for _, v := range s.heard {
		if v > 0 {
			out = append(out, v)
		}
	}
	return out
}

// pass lets time pass, on the fake clock.
func pass(d time.Duration) { <-time.After(d) }
