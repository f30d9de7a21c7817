package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/internal/demo"
	"github.com/sottovoce/sotto/onion/tornet"
)

type demoCommand struct {
	*options
	config demo.Config
	asJSON bool
	keep   bool
}

func newDemo(o *options) *cobra.Command {
	dc := &demoCommand{options: o}
	c := &cobra.Command{
		Use:   "demo [--speech FILE] [--out DIR] [--keep] [--json]",
		Short: "Make a real call on this machine, over a private Tor network",
		Long: `Starts a private Tor network on this machine (nothing leaves it), makes two
fresh identities, publishes one and lets the other call it by its onion address.
Both talk at once for 20 seconds or more, over real Tor circuits, with the real
codec, encryption and jitter buffer. Then it reports what it measured: delays
from mouth to ear frame by frame, what had to be made up, and how well what was
heard resembles what was said (envelope correlation).

With --out the four tapes of the call are kept: caller-said.wav,
callee-said.wav, caller-heard.wav and callee-heard.wav. All begin at the same
moment, so the delay can be found again by cross-correlating them.

That network is on this machine and never stalls. With --delays every circuit
is as late as a recorded one of Tor's, stalls and all: compare --circuits 1 and
--circuits 4 on the same --seed.

With --keep the network stays up afterwards, and the lines are shown that let
two other terminals call each other on it.`,
		Example: "  sotto demo\n  sotto demo --speech me.wav --out heard/ --json\n  sotto demo --circuits 4 --delays model:7\n  sotto demo --keep",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return dc.run(c) },
	}
	f := c.Flags()
	f.StringVar(&dc.config.Speech, "speech", "", "what to say: a WAV file of any rate, mono or stereo (default: a clip that comes with sotto)")
	f.DurationVar(&dc.config.Talk, "talk", 0, "how long both talk, 20s to 10m; the clip repeats (default: the clip's length, 20s to 1m)")
	f.IntVar(&dc.config.Circuits, "circuits", call.DefaultPaths, "Tor circuits that the call keeps open, 1 to 8")
	f.StringVar(&dc.config.Delays, "delays", "", "make circuits as late as Tor's: a folder of traces, or model:SEED (see docs/traces.md)")
	f.DurationVar(&dc.config.Ring, "ring", 0, "how long it rings before the callee answers (default: 1.5s; 8s with --delays, in which the circuits join)")
	f.Uint64Var(&dc.config.Seed, "seed", 1, "which circuits --delays draws")
	f.StringVar(&dc.config.Out, "out", "", "keep what was said and heard as WAV files in this folder")
	f.BoolVar(&dc.keep, "keep", false, "keep the network up for other terminals until Ctrl-C")
	f.BoolVar(&dc.asJSON, "json", false, "print one JSON object on standard output, last")
	return c
}

func (dc *demoCommand) run(c *cobra.Command) error {
	if dc.network != "" || dc.home != "" {
		return usageError{errors.New("a demo makes a network and identities of its own: without --home and --network")}
	}
	if t := dc.config.Talk; t != 0 && (t < demo.LeastTalk || t > demo.MostTalk) {
		return usageError{fmt.Errorf("--talk %v: from %v to %v", t, demo.LeastTalk, demo.MostTalk)}
	}
	if t := dc.config.Ring; t < 0 || t > 40*time.Second {
		return usageError{fmt.Errorf("--ring %v: up to 40s", t)}
	}
	if n := dc.config.Circuits; n < 1 || n > mostCircuits {
		return usageError{fmt.Errorf("--circuits %d: from 1 to %d", n, mostCircuits)}
	}
	show := dc.live(c)
	defer show.clear()
	dc.config.Tor = dc.tor
	dc.config.Event = func(e demo.Event) { showDemo(show, e) }
	if err := dc.config.Check(); err != nil {
		return err
	}
	began := time.Now()
	network, err := demo.Network(c.Context(), dc.tor, dc.config.Event)
	if err != nil {
		return err
	}
	report, err := demo.Run(c.Context(), dc.config, network, began)
	show.clear()
	if err == nil {
		err = dc.print(stdout(c), show, report)
	}
	if err == nil && dc.keep {
		err = stay(c.Context(), show, network)
	}
	return errors.Join(err, network.Close())
}

func (dc *demoCommand) print(out io.Writer, show *live, r *demo.Report) error {
	if dc.config.Out != "" {
		show.say("kept: caller-said.wav, callee-said.wav, caller-heard.wav, callee-heard.wav in %s", dc.config.Out)
	}
	if dc.asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	return r.Print(out)
}

// stay keeps the network up until ctx ends.
func stay(ctx context.Context, show *live, network *tornet.Network) error {
	show.say("The private network stays up until Ctrl-C. In two other terminals:")
	show.say("")
	self, err := os.Executable()
	if err != nil {
		self = "sotto"
	}
	for _, who := range []string{"alice", "bob"} {
		show.say("  %s id --yes --no-passphrase --home %s/%s", self, network.Dir(), who)
	}
	show.say("  %s up --from anyone --network %s --home %s/alice", self, network.Dir(), network.Dir())
	show.say("  %s call --network %s --home %s/bob", self, network.Dir(), network.Dir())
	show.say("")
	select {
	case <-ctx.Done():
		return nil
	case <-network.Done():
		return network.Err()
	}
}

func showDemo(show *live, e demo.Event) {
	switch e.Stage {
	case demo.Starting:
		show.show("starting "+e.Summary, bar("network", e.Percent, e.Summary))
	case demo.Dialing:
		show.show("dialing", "dialing the callee's onion address …")
	case demo.Ringing:
		show.show("ringing", "ringing …")
	case demo.Talking:
		l := e.Live
		side := func(name string, s demo.Side) string {
			return fmt.Sprintf("%s %s %3d ms %.1f %%", name, meter(s.Level), s.Delay.Milliseconds(), s.Concealed)
		}
		show.show("talking", fmt.Sprintf("%s  %s  %s  (level, delay, concealed)", clock(l.For), side("caller", l.Caller), side("callee", l.Callee)))
	}
}
