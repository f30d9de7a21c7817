package cli

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/internal/phone/announce"
	"github.com/sottovoce/sotto/internal/phone/gate"
	"github.com/sottovoce/sotto/internal/phone/switchboard"
	"github.com/sottovoce/sotto/onion"
)

// station is a phone of this process: tor, sound, the board of its calls, and the
// socket by which it is driven, by this process like by any other.
type station struct {
	*options
	home   string
	key    *identity.Key
	gate   *gate.Gate
	sounds *phone.Sounds
	phone  *phone.Phone
	board  *switchboard.Board

	over   contact.Policy // said for this run
	ring   ringFlags
	ended  chan struct{}  // closed when the board has ended
	warned sync.Once      // of a tor that should be replaced
	tasks  sync.WaitGroup // that end with the board
}

// ringFlags are how the person is told of calls, other than on a terminal.
type ringFlags struct {
	silent off // of the desktop
	mute   off // of the loudspeaker
	hook   hook
}

func (r *ringFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.Var(&r.silent, "notify", "show who calls on the desktop, where there is one: on or off")
	f.Var(&r.mute, "ring", "ring on the loudspeaker: on or off")
	f.Var(&r.hook, "hook", "run this program when something happens to a call; its environment says what (docs/api.md)")
	settings(f, "notify", "ring", "hook")
}

// newStation looks for tor and at sound; nothing runs yet. known may be nil: a
// one-time caller's.
func (o *options) newStation(home string, key *identity.Key, known *people, over contact.Policy, s sound, show *live) (*station, error) {
	st := &station{options: o, home: home, key: key, over: over, ended: make(chan struct{})}
	none := &contact.Book{}
	st.gate = gate.New("", none, func() (*contact.Book, error) { return none, nil }, over)
	if known != nil {
		st.know(known)
	}
	var err error
	if st.phone, err = phone.New(o.phone(home, show, func(b onion.Bootstrap) {
		st.board.Tor(api.Tor{Version: st.phone.Node.Version(), Percent: b.Percent, Summary: b.Summary, Warning: b.Warning, Advice: b.Advice, Offline: b.Offline})
	})); err != nil {
		return nil, err
	}
	show.show("sound", "looking at sound …")
	defer show.clear()
	if st.sounds, err = phone.NewSounds(s.audio); err != nil {
		return nil, err
	}
	st.sounds.Warn = func(err error) {
		if errors.Is(err, syscall.EPIPE) { // with which any program ends
			st.board.Notice("what read the sound is gone: hanging up")
			st.board.PutAway()
			return
		}
		st.board.Notice(err.Error())
	}
	return st, nil
}

// know takes in the contacts of a profile.
func (st *station) know(p *people) {
	st.gate = gate.New(vault.ContactsPath(p.home), p.book, p.read, st.over)
}

// calls is what the board needs for every kind of phone.
func (st *station) calls(s sound) switchboard.Config {
	config := st.phone.Calls(st.key)
	config.Jitter, config.Profile = s.delay, uint8(s.best)
	return switchboard.Config{
		Calls: config, Open: st.sounds.Open, Gate: st.gate, Ready: st.ready, Reach: st.reach, End: howItEnds, Sotto: version(),
		Resolve: st.resolve,
		Levels:  func() (you, them float64) { return st.sounds.Said.RMS(), st.sounds.Heard.RMS() },
		Record: func(c *call.Call) (string, func(), error) {
			r, err := st.sounds.Record(c)
			if err != nil {
				return "", nil, err
			}
			return st.sounds.RecordingPath(), r.Stop, nil
		},
		RecordAll: s.audio.Record.Given(),
	}
}

// resolve says who is meant by a name or an address.
func (st *station) resolve(text string) (contact.Contact, error) {
	peer, err := (&people{book: st.gate.Book()}).peer(text)
	if err == nil && peer.Address == st.key.Address() {
		err = errOwn
	}
	return peer, err
}

// howItEnds is a call's end, for who is told of it.
func howItEnds(err error) api.End {
	if err == nil {
		return api.End{}
	}
	again := false
	for _, kind := range []error{call.ErrBusy, call.ErrNoAnswer, call.ErrUnreached, onion.ErrUnreachable, onion.ErrOffline} {
		again = again || errors.Is(err, kind)
	}
	return api.End{Exit: exitCode(err), Error: err.Error() + remedy(err), Again: again}
}

// onceEnds is howItEnds for a one-time identity, of which nobody can have a card.
func onceEnds(err error) api.End {
	end := howItEnds(err)
	if errors.Is(err, onion.ErrAuthorisation) {
		end.Error = onion.ErrAuthorisation.Error() + ": a one-time identity cannot be one of them"
	}
	return end
}

// bootWait bounds tor's start. A first start over a slow or censored network
// can take minutes; progress is shown all the while.
const bootWait = 5 * time.Minute

func (st *station) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, bootWait)
	defer cancel()
	err := st.phone.Node.Ready(ctx)
	st.warned.Do(func() {
		if w := st.phone.Node.Warning(); w != "" {
			st.board.Notice("warning: " + w)
		}
	})
	return err
}

// reach gives tor the key to an address that may be closed to all but its owner's
// contacts.
func (st *station) reach(peer identity.Address) (done func()) {
	auth, err := contact.AuthKey(st.key)
	if err != nil {
		return func() {}
	}
	return st.phone.Node.UseKey(peer, auth)
}

// hookGrace is how long a program that is told of a call's end may take when the
// phone ends with it.
const hookGrace = 2 * time.Second

// run runs the phone for as long as work does, which drives it as a client.
func (st *station) run(ctx context.Context, work func(context.Context, *api.Client, chan struct{}) error) error {
	defer outlive()()
	socket, err := api.Listen(st.home)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() {
		served <- (&api.Server{Phone: st.board, Exit: exitCode}).Serve(serving, socket)
	}()
	client, err := api.Dial(st.home)
	if err != nil {
		stop()
		<-served
		return err
	}
	events, deaf := st.board.Listen()
	announced := make(chan struct{})
	telling, hush := context.WithCancel(context.WithoutCancel(ctx)) // the end is told of, too
	defer hush()
	go func() {
		defer close(announced)
		announce.Run(telling, events, announce.Config{
			Desktop: !bool(st.ring.silent), Hook: string(st.ring.hook), Socket: api.Socket(st.home),
			Warn: func(err error) { st.board.Notice(err.Error()) },
		})
	}()
	inner, cancel := context.WithCancelCause(ctx)
	worked, watching := make(chan error, 1), make(chan struct{})
	go func() {
		err := work(context.WithoutCancel(ctx), client, watching)
		if err != nil {
			cancel(err)
		} else {
			st.board.PutAway()
		}
		worked <- err
	}()
	select {
	case <-watching: // so that nothing is missed of what follows
	case <-inner.Done():
	}
	err = st.phone.Run(inner, st.board.Run)
	close(st.ended)
	st.tasks.Wait()
	deaf()
	time.AfterFunc(hookGrace, hush)
	<-announced
	stop() // who still listens is told of the end
	if e := <-served; err == nil {
		err = e
	}
	said := <-worked
	if closed := st.sounds.Close(); err == nil {
		err = closed
	}
	switch {
	case errors.Is(said, errHungUp) || errors.Is(said, api.ErrGone):
		if errors.Is(err, errHungUp) {
			err = nil
		}
		return err
	case said != nil && ctx.Err() == nil:
		return said
	}
	return err
}

func (o *options) phone(home string, show *live, progress func(onion.Bootstrap)) phone.Config {
	bridges := ""
	if profile, err := o.profile(); err == nil { // also for one-time callers, who have a home of their own
		bridges = phone.BridgesPath(profile)
	}
	return phone.Config{Home: home, Bridges: bridges, Network: o.network, Tor: o.tor, Running: o.running, Progress: progress, Log: o.logger(show)}
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
