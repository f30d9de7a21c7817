package cli

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/switchboard"
	"github.com/sottovoce/sotto/onion"
)

type upCommand struct {
	*options
	sound
	ring   ringFlags
	answer bool
	closed bool
	policy policyFlags

	face func(ctx context.Context, phone *api.Client, watching chan struct{}) error // in place of the console; see [station.run]
}

func (uc *upCommand) command() *cobra.Command {
	c := &cobra.Command{
		Use:   "up [--from contacts|anyone] [--closed] [--history] [--silent FROM-TO] [--answer] [--mic M] [--speaker S] [--in FILE] [--out FILE] [--record FILE]",
		Short: "Publish your address and wait for calls",
		Long: `Publishes your onion address and waits. When a contact calls, their name is
shown, whose address they have proven to be theirs, the bell rings, and you are
asked: y answers, n declines. In a call m mutes, p is push-to-talk (then the space
bar speaks, and once more listens), h holds, r, twice, records (the other side is
told) and q hangs up; while waiting q ends, but not within 2 s of a call's end. A
contact who calls while you talk rings, too: y puts the first on hold. Contacts
that are added meanwhile (sotto contacts add) count at once.

Another terminal can do all that as well: sotto answer, decline, hangup, hold,
mute, say, call, status, log, silent. So it needs no terminal of its own.

Who is not in your contacts does not ring; their calls are listed as missed (on
this screen and by sotto log, until it ends), or with --missed contacts not at
all. --from anyone lets everybody ring; a contact who calls meanwhile comes first. With --silent nobody rings in that time of the
day, every day. These hold for this run; sotto contacts policy keeps them. Nobody
is ever told of who is blocked. To the other side all of these are a call that
nobody answers; only contacts learn that you are busy, or have declined.

With --closed nobody else can even find out that you are up: your address can be
reached by contacts alone, by those whose card has a key (as sotto contacts card
shows it). Others who have the address are told that it is closed. Contacts who
are blocked or removed are locked out at once, new ones let in; calls go on.

Your microphone opens only when you have answered. With --answer every call
that rings is answered at once, for scripts and answering machines; who calls
meanwhile is told that you are busy. sotto contacts auto does so for chosen
contacts. With --out or --record the calls of one run follow each other in one
file.

Nothing is kept of who called whom, unless you give --history: see sotto log --help.

` + exitHelp,
		Example: "  sotto up\n  sotto up --silent 22:00-07:30\n  sotto up --from anyone --answer --in greeting.wav --out message.wav",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return uc.run(c) },
	}
	uc.sound.flags(c)
	uc.ring.flags(c)
	uc.historyFlag(c)
	f := c.Flags()
	f.BoolVar(&uc.answer, "answer", false, "answer every call that rings without asking")
	f.BoolVar(&uc.closed, "closed", false, "let only contacts find you, those whose card has a key")
	settings(f, "closed")
	uc.policy.flags(c)
	return c
}

func (uc *upCommand) run(c *cobra.Command) error {
	if err := uc.check(c); err != nil {
		return err
	}
	if err := uc.ring.hook.check(); err != nil {
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
	lock, err := vault.Acquire(home, purposeUp)
	if err != nil {
		return err
	}
	defer lock.Release()
	known, err := uc.people(c.Context())
	if err != nil {
		return err
	}
	show := uc.live(c)
	defer show.clear()
	st, err := uc.newStation(home, known.vault.Key, known, over, uc.sound, show)
	if err != nil {
		return err
	}
	st.ring = uc.ring
	config := st.calls(uc.sound)
	config.AnswerAll, config.Closed, config.History = uc.answer, uc.closed, st.keeper(known)
	if !bool(uc.ring.mute) {
		config.Ring = st.sounds.Ring
	}
	config.Publish = func(ctx context.Context) (net.Listener, error) {
		defer debug.FreeOSMemory() // what the start took: from now on it waits
		return uc.publish(ctx, st)
	}
	st.board = switchboard.New(config, os.Getpid())
	if uc.face != nil {
		return st.run(c.Context(), uc.face)
	}
	con := &console{live: show, answer: uc.answer, home: namedHome(c)}
	if k, err := openKeys(c.Context()); err == nil {
		defer k.close()
		con.keys = k.C
	} else if !uc.answer {
		show.say("%s", aim(c, "no keys are read here: calls are answered by sotto answer, in another terminal"))
	}
	if why := known.vault.Swappable; why != nil && uc.verbose {
		show.say("warning: %v", why)
	}
	return st.run(c.Context(), func(ctx context.Context, phone *api.Client, watching chan struct{}) error {
		con.phone, con.ready = phone, watching
		return con.run(ctx)
	})
}

// publish makes the address one that can be called.
func (uc *upCommand) publish(ctx context.Context, st *station) (net.Listener, error) {
	service := onion.Service{Closed: uc.closed}
	if uc.closed {
		service.Clients, _ = clients(st.gate.Book())
	}
	listener, err := st.phone.Node.Listen(ctx, st.key, service)
	if err != nil {
		return nil, err
	}
	if uc.closed {
		st.board.Notice(describeClosed(st.gate.Book()))
		st.tasks.Go(func() { st.keepClosed(ctx, service.Clients) })
	}
	return listener, nil
}
