package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/jitter"
)

// audioFlags adds the flags for sound.
func audioFlags(c *cobra.Command, a *phone.Audio, delay *jitter.Config, q *quality) {
	f := c.Flags()
	f.Var(q, "quality", "best voice profile to use: 24k, 16k or 12k; less sounds worse and leaves more copies of each frame for a bad network; the lesser of both sides' counts")
	f.DurationVar(&delay.Min, "min-delay", jitter.DefaultMin, "hold at least so much sound back, for fewer gaps")
	f.DurationVar(&delay.Max, "max-delay", jitter.DefaultMax, "aim at no more delay than this above the least, whatever is missed by it")
	f.StringVar(&a.Mic, "mic", "", "microphone, by name or number (see sotto devices)")
	f.StringVar(&a.Speaker, "speaker", "", "loudspeaker, by name or number (see sotto devices)")
	f.Var((*off)(&a.Clean.NoEcho), "echo", "take the loudspeaker's echo out of the microphone's sound: on or off")
	f.Var((*off)(&a.Clean.NoNoise), "noise", "lower noise in the microphone's sound: on or off")
	f.Var((*off)(&a.Clean.NoGain), "gain", "bring the microphone's sound to an even level: on or off")
	f.Var(&a.Sidetone, "sidetone", "hear yourself softly in the loudspeaker: on, off, or auto, with a headset alone")
	f.Var(&a.In, "in", "say this in place of the microphone: a WAV or Ogg Opus FILE, or - for standard input; raw:RATE:CHANNELS:s16le[:FILE], bare samples; tone[:HZ]; silence")
	f.Var(&a.Out, "out", "keep what is heard in this FILE in place of the loudspeaker: Ogg Opus if it ends in .opus or .ogg, else WAV; - is standard output, opus:- too; raw:RATE:CHANNELS:s16le[:FILE], bare samples")
	f.Var(&a.Record, "record", "keep both voices, mixed, in this new FILE (Ogg Opus by its name, as --out); the other side is told before")
	settings(f, "quality", "min-delay", "max-delay", "mic", "speaker", "echo", "noise", "gain", "sidetone")
}

// checkSound refuses, besides, a recording that would be no file.
func checkSound(a *phone.Audio, c jitter.Config) error {
	if a.Record.Standard() {
		return usageError{fmt.Errorf("--record %s: a recording goes to a file", &a.Record)}
	}
	return checkDelays(c)
}

// checkDelays refuses limits that nothing can be between.
func checkDelays(c jitter.Config) error {
	if c.Min <= 0 || c.Max < c.Min || c.Max > jitter.MostMax {
		return usageError{fmt.Errorf("--min-delay %v --max-delay %v: the first above 0, the second no less than it, and at most %v", c.Min, c.Max, jitter.MostMax)}
	}
	return nil
}

type callCommand struct {
	*options
	audio  phone.Audio
	delay  jitter.Config
	best   quality
	once   bool
	stay   bool
	paths  circuits
	asJSON bool

	known *people // nil: a one-time caller's, as long as no name is looked up
}

func newCall(o *options) *cobra.Command {
	cc := &callCommand{options: o}
	c := &cobra.Command{
		Use:   "call [--once] [--mic M] [--speaker S] [--in FILE] [--out FILE] [--record FILE] [NAME|ADDRESS]",
		Short: "Call somebody by name or onion address",
		Long: `Calls a contact, or any onion address. Without one it asks on the terminal, where
Tab completes names, or reads a line of standard input that is no terminal, so
that nobody's name or address stands in a process list or a shell history:
prefer that.

Your microphone opens only when the other side has answered. Keys in a call:
m mutes, q or Ctrl-C hangs up, for both; t is push-to-talk (then the space bar
speaks, and once more listens), better when the delay is long. r records both voices, or ends that: in
the file of --record, which does so from the start, or in one named after the
time. The other side is told before the first sample is kept, and sees it for as
long as it lasts.

With --in the file is said once and the call hung up a second after its end,
unless --stay is given. With --once you call as nobody in particular: with a
fresh identity that is never written, on a tor apart from your own (whose state,
its entry relay above all, stays in the profile's folder, under once/).

` + exitHelp,
		Example: `  sotto call
  sotto call ann
  sotto call --once
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
	audioFlags(c, &cc.audio, &cc.delay, &cc.best)
	c.Flags().BoolVar(&cc.once, "once", false, "call with a one-time identity")
	cc.paths = call.DefaultPaths
	c.Flags().Var(&cc.paths, "circuits", "Tor circuits to keep open, 1 to 8: more stall less, and cost both sides more")
	settings(c.Flags(), "circuits")
	c.Flags().BoolVar(&cc.stay, "stay", false, "with --in: stay in the call after the file's end")
	c.Flags().BoolVar(&cc.asJSON, "json", false, "print one JSON object about the call on standard output at its end")
	return c
}

func (cc *callCommand) run(c *cobra.Command, whom string) error {
	if cc.asJSON && cc.audio.Out.Standard() {
		return usageError{fmt.Errorf("--json and --out %s both want standard output", &cc.audio.Out)}
	}
	if err := checkSound(&cc.audio, cc.delay); err != nil {
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
	home, err := cc.profile()
	if err != nil {
		return err
	}
	if !cc.once && !vault.Exists(home) {
		return fmt.Errorf("%w, or call as nobody in particular with --once", vault.ErrNone)
	}
	if cc.once {
		home = filepath.Join(home, "once")
	}
	lock, err := vault.Acquire(home, "sotto call")
	if err != nil {
		return err
	}
	defer lock.Release()
	key, err := cc.identity(c.Context())
	if err != nil {
		return err
	}
	if whom == "" && !cc.audio.In.Standard() {
		whom = cc.piped(true)
	}
	show := newLive(c.ErrOrStderr())
	defer show.clear()
	var peer contact.Contact
	if whom != "" {
		if peer, err = cc.peer(c.Context(), whom, key); err != nil {
			return err
		}
	}
	p, err := phone.New(cc.phone(home, show))
	if err != nil {
		return err
	}
	show.show("sound", "looking at sound …")
	sounds, err := phone.NewSounds(cc.audio)
	if err != nil {
		return err
	}
	sounds.Warn = func(err error) { show.say("%v", err) }
	show.clear()
	if whom == "" {
		if peer, err = cc.prompt(c.Context(), key); err != nil {
			return err
		}
	}
	s := &session{live: show, sounds: sounds, name: peer.Name, once: cc.once, record: cc.audio.Record.Given()}
	if peer.Name != "" {
		show.say("calling %s", title(peer))
	}
	if cc.once {
		show.say("calling with a one-time identity: the other side sees an address that will not exist again")
		if cc.running.Control != "" {
			show.say("warning: it goes through the same tor as all else here; one of sotto's own would keep them apart")
		}
	}
	err = p.Run(c.Context(), func(ctx context.Context) error {
		return cc.converse(ctx, p, key, peer.Address, s)
	})
	show.clear()
	if err == nil {
		show.say("the call is over after %s%s", clock(s.last.TalkedFor), s.onceNote())
	}
	if closed := sounds.Close(); err == nil {
		err = closed
	}
	if cc.asJSON {
		if printed := json.NewEncoder(stdout(c)).Encode(s.report(err)); err == nil {
			err = printed
		}
	}
	return err
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
	question, names := "Whom to call (name or onion address):", func(begun string) []string { return namesLike(cc.known.book, begun) }
	if cc.known == nil {
		names = func(string) []string { return nil }
	}
	line, err := askName(ctx, question, names)
	if errors.Is(err, errInterrupted) {
		return contact.Contact{}, err
	}
	if err != nil {
		return contact.Contact{}, usageError{fmt.Errorf("whom to call? %w: give the address on standard input", err)}
	}
	return cc.peer(ctx, line, key)
}

// converse joins the network, dials and talks.
func (cc *callCommand) converse(ctx context.Context, p *phone.Phone, key *identity.Key, peer identity.Address, s *session) error {
	if err := ready(ctx, p, s.live); err != nil {
		return err
	}
	config := p.Calls(key)
	config.Jitter, config.Profile = cc.delay, uint8(cc.best)
	config.Open, config.Paths = s.sounds.Open, int(cc.paths)
	auth, err := contact.AuthKey(key)
	if err != nil {
		return err
	}
	defer p.Node.UseKey(peer, auth)() // should the address be closed to all but its owner's contacts
	s.dialled = time.Now()
	stop := s.count("dialing", "reaching the other side …")
	c, err := call.Dial(ctx, config, peer)
	stop()
	if err != nil {
		return err
	}
	if !cc.stay && cc.audio.In.Given() {
		s.until = s.sounds.Done()
	}
	return s.run(ctx, c)
}

// bootWait bounds tor's start. A first start over a slow or censored network
// can take minutes; progress is shown all the while.
const bootWait = 5 * time.Minute

func ready(ctx context.Context, p *phone.Phone, show *live) error {
	ctx, cancel := context.WithTimeout(ctx, bootWait)
	defer cancel()
	err := p.Node.Ready(ctx)
	if w := p.Node.Warning(); w != "" {
		show.say("warning: %s", w)
	}
	return err
}

func (o *options) phone(home string, show *live) phone.Config {
	bridges := ""
	if profile, err := o.profile(); err == nil { // also for one-time callers, who have a home of their own
		bridges = phone.BridgesPath(profile)
	}
	return phone.Config{Home: home, Bridges: bridges, Network: o.network, Tor: o.tor, Running: o.running, Progress: show.bootstrap, Log: o.logger(show)}
}
