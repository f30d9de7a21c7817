package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/internal/bench/listen"
	"github.com/sottovoce/sotto/jitter"
	"github.com/sottovoce/sotto/voice"
)

// playoutFlags are the playout command's.
type playoutFlags struct {
	calls                           Config // of circuits; with none, each trace is replayed alone
	speech                          string
	buffers                         []string
	asJSON                          bool
	reference, page, sound, explain string
	least, most                     int // ms
}

const playoutHelp = `Replay what a listener hears. Speech is encoded (Opus, 24 kb/s), its frames
arrive as they did in each trace, or in calls over several circuits under
sotto's scheduler, and jitter buffer, decoder and stretch make of them what
they can. The listener pulls 10 ms at a time, at 5, 15, 25 … ms.

Buffers: sotto; fixed:MS, a fixed delay, later frames lost; ramjee, the
algorithm with spike detection of Ramjee et al. (1994), adjusted at talk spurts;
all, which is sotto, fixed:100, fixed:300, fixed:600 and ramjee.

What is measured, of every buffer alike:
  delay       how much later sound is heard than it could be if every frame took
              the trace's least delay; mean over output that is not concealed.
              Buffering, the wait for the pull and what the stretch holds back
              count; the time to collect a frame and the codec's look-ahead,
              which no buffer can change, do not
  concealed   output that was not made from received sound (made up, noise,
              waiting, repeated, slowed beyond half speed), of all output from
              the first sound to the last arrival
  unplayed    speech frames of which less than half was rendered, of all speech
              frames; what is speech is told of the original
  silence cut what was left out of pauses, of all sound up to the last played.
              A pause from which something is missing must still last 60 ms
  stretched   output of frames that sounded over 1 % longer or shorter than they
              are. Squeezed, slowed: of the voiced frames. At most so fast: over
              any 100 ms of voiced speech
  recovery    after 300 ms and more without an arrival: from the first arrival
              until the delay is at most 50 ms above the second before the stall
  R           the E-model's rating, wideband scale (ITU-T G.107.1, at most 129),
              for the delay and 150 ms, and the share concealed
After the last arrival it plays on for 5 s, which counts for delay and unplayed.`

func playoutCommand() *cobra.Command {
	o := playoutFlags{calls: Config{Base: 150 * time.Millisecond}}
	cmd := &cobra.Command{
		Use:   "playout --traces DIR --speech FILE.wav",
		Short: "Replay what a listener hears: delay, what is concealed, cut and stretched",
		Long:  playoutHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.calls.Circuits == 0 && (cmd.Flags().Changed("correlated") || cmd.Flags().Changed("calls") || cmd.Flags().Changed("seed")) {
				return errors.New("calls are drawn of several circuits: give --circuits, or leave out --calls, --seed and --correlated")
			}
			c, err := o.config()
			if err != nil {
				return err
			}
			reference, err := o.compared(c.Arrivals)
			if err != nil {
				return err
			}
			report, err := listen.Run(cmd.Context(), c, progress(cmd.ErrOrStderr(), "traces heard"))
			if err != nil {
				return err
			}
			if reference != nil {
				report.Compare(reference)
			}
			return o.print(cmd.OutOrStdout(), report)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.calls.Traces, "traces", "", "folder of recorded delays, or model:SEED")
	f.StringVar(&o.speech, "speech", "", "WAV of someone speaking, which is said over and over")
	f.StringSliceVar(&o.buffers, "buffer", []string{listen.Sotto}, "one or more of sotto, fixed:MS, ramjee; or all")
	f.StringVar(&o.reference, "reference", "", "CSV of what other buffers made of the same traces, to compare with")
	f.IntVar(&o.calls.Circuits, "circuits", 0, "replay calls of so many circuits, both ways; 0: each trace alone")
	f.IntVar(&o.calls.Calls, "calls", 100, "calls to draw, with --circuits")
	f.Uint64Var(&o.calls.Seed, "seed", 1, "of the draw, with --circuits")
	f.Float64Var(&o.calls.Correlated, "correlated", 0, "share (0 to 1) of one more trace's delay that is added to every circuit, with --circuits")
	f.BoolVar(&o.asJSON, "json", false, "one JSON object instead of the table")
	f.StringVar(&o.page, "html", "", "write a page with pictures to this file")
	f.StringVar(&o.sound, "wav", "", "write what is heard of each trace, and the original, to this folder")
	f.StringVar(&o.explain, "explain", "", "write how each of sotto's decisions came about, a CSV a trace, to this folder")
	f.IntVar(&o.least, "min-delay", int(jitter.DefaultMin.Milliseconds()), "least delay that sotto aims at, ms")
	f.IntVar(&o.most, "max-delay", int(jitter.DefaultMax.Milliseconds()), "most delay that sotto aims at, ms")
	return cmd
}

// config reads what is to be replayed.
func (o *playoutFlags) config() (*listen.Config, error) {
	switch {
	case o.calls.Traces == "":
		return nil, errors.New("give --traces, a folder of recorded delays, or --traces model:1")
	case o.speech == "":
		return nil, errors.New("give --speech, a WAV of someone speaking")
	case o.least < 1 || o.most < o.least || o.most > 10_000:
		return nil, errors.New("give a --min-delay of 1 ms or more, and a --max-delay no less than that, of up to 10000 ms")
	}
	speech, err := voice.OpenWAV(o.speech)
	if err != nil {
		return nil, fmt.Errorf("speech: %w: give --speech, a WAV of someone speaking", err)
	}
	limits := jitter.Config{Min: time.Duration(o.least) * time.Millisecond, Max: time.Duration(o.most) * time.Millisecond}
	c := &listen.Config{Speech: speech, Buffers: o.buffers, Jitter: limits, Sound: o.sound, Explain: o.explain}
	if o.calls.Circuits == 0 {
		c.Arrivals, err = singles(o.calls.Traces)
	} else {
		c.Arrivals, err = o.calls.arrivals()
	}
	return c, err
}

// compared reads the reference, if there is to be one.
func (o *playoutFlags) compared(traces []listen.Arrivals) (*listen.Reference, error) {
	switch {
	case o.reference == "":
		return nil, nil
	case o.calls.Circuits > 0:
		return nil, errors.New("a reference is of single traces: leave out --reference or --circuits")
	}
	r, err := listen.ReadReference(o.reference)
	if err != nil {
		return nil, err
	}
	return r, r.Check(traces)
}

func (o *playoutFlags) print(w io.Writer, r *listen.Report) error {
	if o.page != "" {
		if err := r.Save(o.page); err != nil {
			return err
		}
	}
	if o.asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	_, err := fmt.Fprint(w, r)
	return err
}
