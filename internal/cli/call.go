package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/switchboard"
)

type callCommand struct {
	*options
	sound
	once   bool
	stay   bool
	paths  circuits
	redial int
	pause  time.Duration // before calling again for the first time
	asJSON bool
	named  string // the profile's folder, as it was named; "": it was not

	known *people // nil: a one-time caller's, as long as no name is looked up
}

func newCall(o *options) *cobra.Command {
	cc := &callCommand{options: o, pause: redialPause}
	c := &cobra.Command{
		Use:   "call [--once] [--history] [--mic M] [--speaker S] [--in FILE] [--out FILE] [--record FILE] [--redial N] [NAME|ADDRESS]",
		Short: "Call somebody by name or onion address",
		Long: `Calls a contact, or any onion address. Without one it asks on the terminal, where
Tab completes names, or reads a line of standard input that is no terminal, so
that nobody's name or address stands in a process list or a shell history:
prefer that.

While sotto up runs, that phone makes the call, with its own sound and its own
tor; else this is a phone for the length of the call. Either way sotto hangup,
mute, hold, say and status work from another terminal (with --once: --home
PROFILE/once).

Your microphone opens only when the other side has answered. Keys in a call:
m mutes, h holds, q or Ctrl-C hangs up, for both; p is push-to-talk (then the space
bar speaks, and once more listens), better when the delay is long. r, twice, records
both voices, and once more ends that: in the file of --record, which does so from
the start, or in one named after the time. The other side is told before the first
sample is kept, and sees it for as long as it lasts.

With --in the file is said once and the call hung up a second after its end,
unless --stay is given. With --once you call as nobody in particular: with a
fresh identity that is never written, on a tor apart from your own (whose state,
its entry relay above all, stays in the profile's folder, under once/).

With --redial N it calls again, at most N times, when the other side was not
reached, was in another call or did not answer: after 15 s, then after twice as
long each time, up to 5 min.

Nothing is kept of the call, unless you give --history: see sotto log --help. With
--once nothing is, either way.

` + exitHelp,
		Example: `  sotto call
  sotto call ann
  sotto call --once
  sotto call --redial 5 ann
  sotto call --in question.wav --out answer.wav < address.txt`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("one name or address at a time, not %d (a name with spaces goes in quotes)", len(args))}
			}
			return nil
		},
		ValidArgsFunction: o.completeNames,
		RunE:              func(c *cobra.Command, args []string) error { return cc.run(c, strings.Join(args, "")) },
	}
	cc.sound.flags(c)
	cc.historyFlag(c)
	c.Flags().BoolVar(&cc.once, "once", false, "call with a one-time identity")
	cc.paths = call.DefaultPaths
	c.Flags().Var(&cc.paths, "circuits", "Tor circuits to keep open, 1 to 8: more stall less, and cost both sides more")
	settings(c.Flags(), "circuits")
	c.Flags().BoolVar(&cc.stay, "stay", false, "with --in: stay in the call after the file's end")
	c.Flags().BoolVar(&cc.asJSON, "json", false, "print one JSON object about the call on standard output at its end")
	c.Flags().IntVar(&cc.redial, "redial", 0, "call again so often, if the other side is not reached, busy or does not answer: at most 10")
	return c
}

func (cc *callCommand) run(c *cobra.Command, whom string) error {
	if cc.asJSON && cc.audio.Out.Standard() {
		return usageError{fmt.Errorf("--json and --out %s both want standard output", &cc.audio.Out)}
	}
	if cc.redial < 0 || cc.redial > mostRedials {
		return usageError{fmt.Errorf("--redial %d: from 0 to %d", cc.redial, mostRedials)}
	}
	if err := cc.sound.check(c); err != nil {
		return err
	}
	if whom == "" && !cc.audio.In.Standard() {
		whom = cc.piped(false)
	}
	if contact.LooksLikeAddress(whom) { // what is wrong with it comes first
		if _, err := contact.ParseCard(whom); err != nil {
			return err
		}
	}
	cc.named = namedHome(c)
	home, err := cc.profile()
	if err != nil {
		return err
	}
	if !cc.once {
		switch phone, err := findPhone(c.Context(), home); {
		case err == nil:
			return cc.through(c, phone, whom)
		case !errors.Is(err, api.ErrNoPhone):
			return err
		}
		if !vault.Exists(home) {
			return fmt.Errorf("%w, or call as nobody in particular with --once", vault.ErrNone)
		}
	} else {
		home = filepath.Join(home, "once")
	}
	lock, err := vault.Acquire(home, purposeCall)
	if err != nil {
		return err
	}
	defer lock.Release()
	return cc.alone(c, home, whom)
}

// through makes the call with a phone that is up.
func (cc *callCommand) through(c *cobra.Command, phone *api.Client, whom string) error {
	for _, name := range soundFlags {
		if c.Flags().Changed(name) {
			return usageError{fmt.Errorf("--%s: sotto up runs, and makes the call with its own sound: give it that, or end it", name)}
		}
	}
	if err := ownTor(c); err != nil {
		return err
	}
	if c.Flags().Changed("history") {
		return usageError{errors.New("--history: sotto up runs, and makes the call: it keeps a history, or not, as it was started")}
	}
	if cc.passphraseFD == 0 {
		if _, _, err := cc.given(); err != nil { // which is not needed, and comes first
			return err
		}
	}
	if whom == "" {
		whom = cc.piped(true)
	}
	if whom == "" {
		all, err := phone.Contacts(c.Context())
		if err != nil {
			return err
		}
		if whom, err = cc.ask(c.Context(), func(begun string) []string { return beginning(all, begun) }); err != nil {
			return err
		}
	}
	show := cc.live(c)
	defer show.clear()
	var keyboard <-chan byte
	if k, err := openKeys(c.Context()); err == nil {
		defer k.close()
		keyboard = k.C
	}
	first := true
	last, err := cc.talk(c.Context(), phone, show, keyboard, whom, func(call api.Call) {
		if call.Name != "" && first {
			show.say("calling %s", name(call))
		}
		first = false
	})
	return cc.finish(c, show, last, err)
}

// ownTor refuses to name another tor than the one that the phone that is up has.
func ownTor(c *cobra.Command) error {
	for _, name := range torFlags {
		if c.Flags().Changed(name) {
			return usageError{fmt.Errorf("--%s: sotto up runs, and has its own way into Tor: leave that out, or end it and start it so", name)}
		}
	}
	return nil
}

// alone is a phone for the length of the call.
func (cc *callCommand) alone(c *cobra.Command, home, whom string) error {
	key, err := cc.identity(c.Context())
	if err != nil {
		return err
	}
	if whom == "" && !cc.audio.In.Standard() {
		whom = cc.piped(true)
	}
	show := cc.live(c)
	defer show.clear()
	var peer contact.Contact
	if whom != "" {
		if peer, err = cc.peer(c.Context(), whom, key); err != nil {
			return err
		}
	}
	st, err := cc.newStation(home, key, nil, contact.Policy{}, cc.sound, show)
	if err != nil {
		return err
	}
	if whom == "" {
		if peer, err = cc.prompt(c.Context(), key); err != nil {
			return err
		}
	}
	if cc.known != nil {
		st.know(cc.known)
	}
	config := st.calls(cc.sound)
	if !cc.once {
		config.History = st.keeper(cc.known)
	}
	config.OneTime, config.Calls.Paths = cc.once, int(cc.paths)
	if cc.once {
		config.End = onceEnds
	}
	st.board = switchboard.New(config, os.Getpid())
	if peer.Name != "" {
		show.say("calling %s", title(peer))
	}
	if cc.once {
		show.say("calling with a one-time identity: the other side sees an address that will not exist again")
		if cc.running.Control != "" {
			show.say("warning: it goes through the same tor as all else here; one of sotto's own would keep them apart")
		}
	}
	var keyboard <-chan byte
	if k, err := openKeys(c.Context()); err == nil {
		defer k.close()
		keyboard = k.C
	}
	var last *api.Call
	err = st.run(c.Context(), func(ctx context.Context, phone *api.Client, watching chan struct{}) (err error) {
		close(watching)
		last, err = cc.talk(ctx, phone, show, keyboard, peer.Address.Onion(), func(call api.Call) {
			if !cc.stay && cc.audio.In.Given() {
				st.tasks.Go(func() { hangUpWhenSaid(ctx, st, call.ID) })
			}
		})
		return err
	})
	return cc.finish(c, show, last, err)
}

var errOwn = usageError{errors.New("that is your own address")}

// identity is who calls.
func (cc *callCommand) identity(ctx context.Context) (*identity.Key, error) {
	if cc.once {
		return identity.NewKey(nil)
	}
	var err error
	if cc.known, err = cc.people(ctx); err != nil {
		return nil, err
	}
	if why := cc.known.vault.Swappable; why != nil && cc.verbose {
		tell("warning: %v", why)
	}
	return cc.known.vault.Key, nil
}

// peer is whom to call. A one-time caller opens the profile only to look up a
// name.
func (cc *callCommand) peer(ctx context.Context, whom string, key *identity.Key) (peer contact.Contact, err error) {
	if card, wrong := contact.ParseCard(whom); wrong == nil && cc.known == nil {
		return contact.Contact{Card: card}, nil
	}
	if cc.known == nil {
		if cc.known, err = cc.people(ctx); errors.Is(err, vault.ErrNone) {
			_, err = contact.ParseCard(whom) // nobody has a name here
		}
		if err != nil {
			return peer, err
		}
	}
	if peer, err = cc.known.peer(whom); err != nil {
		return peer, err
	}
	if peer.Address == key.Address() {
		return peer, errOwn
	}
	return peer, nil
}

// prompt asks on the terminal whom to call.
func (cc *callCommand) prompt(ctx context.Context, key *identity.Key) (contact.Contact, error) {
	names := func(begun string) []string { return namesLike(cc.known.book, begun) }
	if cc.known == nil {
		names = func(string) []string { return nil }
	}
	line, err := cc.ask(ctx, names)
	if err != nil {
		return contact.Contact{}, err
	}
	return cc.peer(ctx, line, key)
}

func (cc *callCommand) ask(ctx context.Context, names func(begun string) []string) (string, error) {
	line, err := askName(ctx, "Whom to call (name or onion address):", names)
	if err != nil && !errors.Is(err, errInterrupted) {
		err = usageError{fmt.Errorf("whom to call? %w: give the address on standard input", err)}
	}
	return line, err
}
