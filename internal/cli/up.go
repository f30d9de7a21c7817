package cli

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/jitter"
	"github.com/sottovoce/sotto/onion"
)

type upCommand struct {
	*options
	delay  jitter.Config
	best   quality
	audio  phone.Audio
	answer bool
	closed bool
	policy policyFlags
}

func newUp(o *options) *cobra.Command {
	uc := &upCommand{options: o}
	c := &cobra.Command{
		Use:   "up [--from contacts|anyone] [--closed] [--silent FROM-TO] [--answer] [--mic M] [--speaker S] [--in FILE] [--out FILE] [--record FILE]",
		Short: "Publish your address and wait for calls",
		Long: `Publishes your onion address and waits. When a contact calls, their name is
shown, whose address they have proven to be theirs, the bell rings, and you are
asked: y answers, n declines. In a call m mutes, r records (the other side is
told) and q hangs up; while waiting q ends. Contacts that are added meanwhile
(sotto contacts add) count at once.

Who is not in your contacts does not ring; their calls are listed as missed (on
this screen, and nowhere else), or with --missed contacts not at all. --from anyone lets everybody ring; a contact
who calls meanwhile comes first. With --silent nobody rings in that time of the
day, every day. These hold for this run; sotto contacts policy keeps them. Nobody
is ever told of who is blocked. To the other side all of these are a call that
nobody answers; only contacts learn that you are busy, or have declined.

With --closed nobody else can even find out that you are up: your address can be
reached by contacts alone, by those whose card has a key (as sotto contacts card
shows it). Others who have the address are told that it is closed. Contacts who
are blocked or removed are locked out at once, new ones let in; calls go on.

Your microphone opens only when you have answered. With --answer every call
that rings is answered at once: for scripts and answering machines. With --out
or --record the calls of one run follow each other in one file.

` + exitHelp,
		Example: "  sotto up\n  sotto up --silent 22:00-07:30\n  sotto up --from anyone --answer --in greeting.wav --out message.wav",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return uc.run(c) },
	}
	audioFlags(c, &uc.audio, &uc.delay, &uc.best)
	f := c.Flags()
	f.BoolVar(&uc.answer, "answer", false, "answer every call that rings without asking")
	f.BoolVar(&uc.closed, "closed", false, "let only contacts find you, those whose card has a key")
	settings(f, "closed")
	uc.policy.flags(c)
	return c
}

func (uc *upCommand) run(c *cobra.Command) error {
	if err := checkSound(&uc.audio, uc.delay); err != nil {
		return err
	}
	over, err := uc.policy.read()
	if err != nil {
		return err
	}
	if uc.closed && over.Ring == contact.Anyone {
		return usageError{errors.New("--closed and --from anyone: strangers cannot reach a closed address")}
	}
	home, err := uc.profile()
	if err != nil {
		return err
	}
	if !vault.Exists(home) {
		return vault.ErrNone
	}
	lock, err := vault.Acquire(home, "sotto up")
	if err != nil {
		return err
	}
	defer lock.Release()
	known, err := uc.people(c.Context())
	if err != nil {
		return err
	}
	show := newLive(c.ErrOrStderr())
	p, err := phone.New(uc.phone(home, show))
	if err != nil {
		return err
	}
	defer show.clear()
	show.show("sound", "looking at sound …")
	sounds, err := phone.NewSounds(uc.audio)
	if err != nil {
		return err
	}
	sounds.Warn = func(err error) { show.say("%v", err) }
	d := &desk{live: show, sounds: sounds, answer: uc.answer, record: uc.audio.Record.Given(), closed: uc.closed, gate: newGate(known, over), delay: uc.delay, best: uc.best}
	if k, err := openKeys(); err == nil {
		defer k.close()
		d.keyboard = k.C
	} else if !uc.answer {
		return usageError{errors.New("nobody can be asked here whether to answer, as there is no terminal: use --answer")}
	}
	if why := known.vault.Swappable; why != nil && uc.verbose {
		show.say("warning: %v", why)
	}
	err = p.Run(c.Context(), func(ctx context.Context) error { return d.open(ctx, p, known.vault.Key) })
	show.clear()
	if closed := sounds.Close(); err == nil {
		err = closed
	}
	return err
}

// desk is where calls come in, one at a time.
type desk struct {
	*live
	gate     *gate
	sounds   *phone.Sounds
	delay    jitter.Config
	best     quality
	answer   bool
	record   bool
	closed   bool        // to all but contacts with a key
	keyboard <-chan byte // nil: none
	stop     context.CancelCauseFunc

	screen screen
}

// open publishes the address and takes calls until ctx ends or q is pressed.
func (d *desk) open(ctx context.Context, p *phone.Phone, key *identity.Key) error {
	if err := ready(ctx, p, d.live); err != nil {
		return err
	}
	d.show("publishing", "publishing your address …")
	config := p.Calls(key)
	config.Jitter, config.Profile = d.delay, uint8(d.best)
	config.Open = d.sounds.Open
	service := onion.Service{Closed: d.closed}
	if d.closed {
		service.Clients, _ = clients(d.gate.now.Load())
	}
	listener, err := p.Node.Listen(ctx, key, service)
	if err != nil {
		return err
	}
	d.say("you are up at %s", key.Address().Onion())
	d.say("%s", d.gate.describe())
	if d.closed {
		d.say("%s", describeClosed(d.gate.now.Load()))
	}
	d.waiting()
	inner, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	d.stop = stop
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { d.dispatch(inner) })
	group.Go(func() { d.gate.follow(inner, d.live) })
	if d.closed {
		group.Go(func() { d.keepClosed(inner, p.Node, key.Address(), service.Clients) })
	}
	line := call.Line{Config: config, Handle: d.take, Told: d.gate.admit, Known: d.gate.knows}
	err = line.Serve(inner, listener)
	cause := context.Cause(inner)
	stop(nil)
	switch {
	case errors.Is(cause, errHungUp):
		return nil
	case err == nil && cause != nil:
		return cause
	}
	return err
}

// errHungUp is q while nobody calls: the phone is put away.
var errHungUp = errors.New("put away")

func (d *desk) waiting() {
	d.show("waiting", "waiting for calls, q ends")
}

// dispatch gives keys to the call that is on, or acts on them.
func (d *desk) dispatch(ctx context.Context) {
	for {
		var key byte
		var ok bool
		select {
		case <-ctx.Done():
			return
		case key, ok = <-d.keyboard:
		}
		switch {
		case !ok:
			return
		case key == ctrlC:
			d.stop(errInterrupted)
		case d.screen.press(key):
		case key == 'q' || key == 'Q':
			d.stop(errHungUp)
		}
	}
}

// take handles one incoming call that the person here is told of. Only one that
// asks to ring gets the screen; a second one meanwhile is told busy.
func (d *desk) take(ctx context.Context, c *call.Call) {
	name := d.gate.name(c.Peer)
	on := &holder{keys: make(chan byte, 16), stranger: name == ""}
	s := &session{live: d.live, sounds: d.sounds, answer: d.answer, record: d.record, keys: on.keys, name: name}
	rang, mine := false, false
	on.yield = func() {
		s.off.Store(true)
		d.gate.note(c.Peer, "a contact called meanwhile")
	}
	s.claim = func() bool {
		rang = true
		mine = d.screen.claim(on)
		return mine
	}
	s.accept = func() bool { return d.screen.settle(on) }
	s.leave = func() {
		d.screen.release(on)
		d.waiting()
	}
	err := s.run(ctx, c)
	if rang && !mine && d.gate.lists(c.Peer) {
		d.gate.note(c.Peer, "you were busy with another")
	}
	if !d.screen.release(on) {
		return
	}
	switch {
	case ctx.Err() != nil:
		return
	case err == nil:
		d.say("the call is over after %s", clock(c.Status().TalkedFor))
	case errors.Is(err, call.ErrNoAnswer) || errors.Is(err, call.ErrCancelled):
		d.say("missed a call from %s %s", d.gate.called(c.Peer), stamp(time.Now()))
	case errors.Is(err, call.ErrDeclined):
		d.say("you declined")
	default:
		d.say("the call has ended: %v", err)
	}
	d.waiting()
}
