// Package demo makes a real call on a private Tor network, all in one process:
// two identities, two tors, rendezvous circuits, Opus, the sealed channel, the
// jitter buffer. Only microphone and loudspeaker are files, so that what was
// heard can be held against what was said.
//
//	mouth ─ source (a clip, paced by the clock) ─ call ─ tor ═ relays ═ tor ─ call ─ sink ─ ear
//
// Both ends share one clock, so the delay from mouth to ear is measured frame
// by frame without any time in the records: the frame's number is enough. All
// tapes of a call begin at the same moment, when its microphones opened, so
// that anyone can cross-correlate the WAV files and find the same delay.
package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/tornet"
	"github.com/sottovoce/sotto/voice"
)

// Stage is what a demo is at.
type Stage string

// The stages, in order.
const (
	Starting Stage = "starting" // the network, tor, the publication
	Dialing  Stage = "dialing"
	Ringing  Stage = "ringing"
	Talking  Stage = "talking"
	Done     Stage = "done"
)

// Event is how far a demo is.
type Event struct {
	Stage   Stage
	Percent int    // of Starting
	Summary string // of Starting
	Live    Live   // of Talking, a few times a second
}

// Live is a call at one moment, from both ends.
type Live struct {
	For            time.Duration
	Caller, Callee Side
	Paths          int
}

// Side is one end at one moment.
type Side struct {
	Level     float64       // what it says, dBFS
	Delay     time.Duration // from the other's mouth to this ear, newest frame
	Concealed float64       // percent of what it heard
}

// Network starts the private network of a demo in a temporary folder.
func Network(ctx context.Context, tor string, event func(Event)) (*tornet.Network, error) {
	return tornet.Start(ctx, tornet.Config{Tor: tor, Progress: func(p tornet.Progress) {
		event(Event{Stage: Starting, Percent: p.Percent * 6 / 10, Summary: p.Summary})
	}})
}

// Run makes the call on network and reports. began is when the network was
// started.
func Run(ctx context.Context, c Config, network *tornet.Network, began time.Time) (*Report, error) {
	clip, talk, err := c.clip()
	if err != nil {
		return nil, err
	}
	if c.Out != "" {
		if err := os.MkdirAll(c.Out, 0o700); err != nil {
			return nil, fmt.Errorf("the folder for what was heard: %w", err)
		}
	}
	home, err := os.MkdirTemp("", "sotto-demo-")
	if err != nil {
		return nil, fmt.Errorf("a folder for the two parties: %w", err)
	}
	defer os.RemoveAll(home)

	// Both say the same clip, the callee from its middle on, so that nobody
	// can take an echo of themselves for the other.
	half := clip.Samples[len(clip.Samples)/2:]
	other := &voice.Clip{Samples: append(half[:len(half):len(half)], clip.Samples[:len(clip.Samples)/2]...)}
	toCallee, toCaller := newEar(), newEar()
	caller, err := newParty(filepath.Join(home, "caller"), c, network, clip, toCallee, toCaller)
	if err != nil {
		return nil, err
	}
	callee, err := newParty(filepath.Join(home, "callee"), c, network, other, toCaller, toCallee)
	if err != nil {
		return nil, err
	}
	delays, err := c.delays()
	if err != nil {
		return nil, err
	}
	if delays != nil {
		defer delays.CloseAll()
	}
	d := &demo{Config: c, delays: delays, caller: caller, callee: callee, talk: talk, began: began}
	report := &Report{TorVersion: caller.phone.Node.Version(), CalleeAddress: callee.key.Address().Onion()}
	err = caller.phone.Run(ctx, func(ctx context.Context) error {
		return callee.phone.Run(ctx, func(ctx context.Context) error { return d.call(ctx, report) })
	})
	if err != nil {
		return nil, err
	}
	d.measure(report)
	return report, d.save()
}

// demo is one call under way.
type demo struct {
	Config
	caller, callee *party
	talk           time.Duration
	began          time.Time
	delays         *tornet.Delays // nil: none
}

// call publishes the callee, dials, talks and hangs up, and notes the times.
func (d *demo) call(ctx context.Context, r *Report) error {
	d.Event(Event{Stage: Starting, Percent: 60, Summary: "two tors join the network"})
	for i, p := range []*party{d.callee, d.caller} {
		if err := p.phone.Node.Ready(ctx); err != nil {
			return fmt.Errorf("joining the network: %w", err)
		}
		d.Event(Event{Stage: Starting, Percent: 75 + 5*i, Summary: "a tor has joined the network"})
	}
	d.Event(Event{Stage: Starting, Percent: 85, Summary: "publishing the callee's address"})
	listener, err := d.callee.phone.Node.Listen(ctx, d.callee.key, onion.Service{})
	if err != nil {
		return err
	}
	inner, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	line := call.Line{Config: d.callee.config(), Handle: d.callee.answer}
	go func() { served <- line.Serve(inner, listener) }()
	r.BootstrapMS = ms(time.Since(d.began))

	d.Event(Event{Stage: Dialing})
	err = d.converse(ctx, r)
	stop()
	return errors.Join(err, <-served)
}

// converse is the call itself, from dialling to the hang-up.
func (d *demo) converse(ctx context.Context, r *Report) error {
	dialled := time.Now()
	config := d.caller.config()
	config.Paths = d.Circuits
	config.Join, config.Redial = nil, nil // every stream is to be delayed
	dial := config.Dial
	var first sync.Once
	config.Dial = func(ctx context.Context, a identity.Address) (net.Conn, error) {
		began := time.Now()
		conn, err := dial(ctx, a)
		first.Do(func() { r.ConnectMS = ms(time.Since(began)) })
		if err == nil && d.delays != nil {
			conn = d.delays.Wrap(conn)
		}
		return conn, err
	}
	c, err := call.Dial(ctx, config, d.callee.key.Address())
	if err != nil {
		return err
	}
	d.caller.follow(c)
	r.StreamRTTMS = ms(c.GreetingTrip)
	talking, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan error, 1)
	c.OnPhase = func(p call.Phase) {
		switch p {
		case call.Ringing:
			r.SetupMS = ms(time.Since(dialled))
			d.Event(Event{Stage: Ringing})
		case call.Talking:
			go func() { watched <- d.watch(talking, c, r) }()
		}
	}
	err = c.Run(ctx)
	cancel()
	if c.Status().Talked {
		err = errors.Join(err, <-watched)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(err, d.callee.wait(ctx))
}

// watch shows the call while it lasts, and hangs it up when both have talked
// long enough.
func (d *demo) watch(ctx context.Context, c *call.Call, r *Report) error {
	began := time.Now()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for time.Since(began) < d.talk+500*time.Millisecond {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		for _, p := range []*party{d.caller, d.callee} {
			p.look()
		}
		a, b := d.caller.side(), d.callee.side()
		d.Event(Event{Stage: Talking, Live: Live{For: time.Since(began), Caller: a, Callee: b, Paths: c.Status().Paths}})
	}
	circuits, err := d.caller.phone.Node.RendezvousCircuits(ctx)
	r.RendezvousCircuits = len(circuits)
	c.HangUp()
	if err != nil {
		return fmt.Errorf("asking tor for its circuits: %w", err)
	}
	return nil
}

// save writes the tapes, all from one moment on.
func (d *demo) save() error {
	if d.Out == "" {
		return nil
	}
	zero := d.zero()
	for name, t := range map[string]*tape{
		"caller-said": d.caller.said, "callee-said": d.callee.said,
		"caller-heard": d.caller.heard, "callee-heard": d.callee.heard,
	} {
		if err := save(filepath.Join(d.Out, name+".wav"), t.since(zero)); err != nil {
			return fmt.Errorf("keeping what was heard: %w", err)
		}
	}
	return nil
}

// zero is when the first of the microphones opened.
func (d *demo) zero() time.Time {
	a, b := d.caller.said.start(), d.callee.said.start()
	if b.Before(a) && !b.IsZero() {
		return b
	}
	return a
}
