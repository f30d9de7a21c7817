package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/onion/trace"
)

// Main runs sotto-bench and gives its exit code: 0, or 1 with one line on
// standard error.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root := &cobra.Command{
		Use: "sotto-bench", Short: "Measurements of sotto that anyone can repeat",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(pathsCommand(), playoutCommand(), callsCommand(), tracesCommand())
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "sotto-bench: %v\n", err)
		return 1
	}
	return 0
}

func pathsCommand() *cobra.Command {
	var c Config
	var base, spread int
	var asJSON bool
	var page string
	cmd := &cobra.Command{
		Use:   "paths --traces DIR",
		Short: "Replay calls over many circuits, under sotto's scheduler and others",
		Long: `Replay calls over circuits drawn from recorded delays, the same draw for every
scheme, and print how late frames come, in milliseconds above the base.

Schemes: single, duplicate, alternate, donar-alternate, donar-double (both with
Donar's 12 links, and again with --circuits), sotto. --scheme all runs them all, and
a record on every circuit at every tick, the floor for that many circuits, which
the report calls all.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.Base, c.Spread = time.Duration(base)*time.Millisecond, time.Duration(spread)*time.Millisecond
			if err := c.check(); err != nil {
				return err
			}
			report, err := Run(cmd.Context(), &c, progress(cmd.ErrOrStderr(), "calls"))
			if err != nil {
				return err
			}
			if page != "" {
				if err := report.save(page); err != nil {
					return err
				}
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(report)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), report)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Traces, "traces", "", "folder of recorded delays, or model:SEED")
	f.IntVar(&c.Circuits, "circuits", 4, "circuits of a call")
	f.IntVar(&c.Calls, "calls", 200, "calls to replay")
	f.Uint64Var(&c.Seed, "seed", 1, "of the draw")
	f.StringSliceVar(&c.Schemes, "scheme", []string{All}, "one or more of "+strings.Join(Names, ", "))
	f.IntVar(&base, "base", 150, "base delay of a circuit, ms each way")
	f.IntVar(&spread, "spread", 0, "at most so much more base, ms, drawn for each circuit")
	f.Float64Var(&c.Correlated, "correlated", 0, "share (0 to 1) of one more trace's delay that is added to every circuit")
	f.IntVar(&c.Audition, "audition", 0, "open so many circuits while it rings, for 10 s, and keep the best --circuits")
	f.BoolVar(&asJSON, "json", false, "one JSON object instead of the table")
	f.StringVar(&page, "html", "", "write a page with pictures to this file")
	if err := cmd.MarkFlagRequired("traces"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

func tracesCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "traces --traces DIR",
		Short: "Say what traces are like, beside what the model makes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			given, err := trace.Open(dir)
			if err != nil {
				return err
			}
			model, err := trace.Open("model:1")
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), trace.Compare([]string{dir, "model:1"}, trace.Summarise(given), trace.Summarise(model)))
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "traces", "", "folder of recorded delays, or model:SEED")
	if err := cmd.MarkFlagRequired("traces"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

// check refuses what cannot be replayed.
func (c *Config) check() error {
	switch {
	case c.Circuits < 1 || c.Circuits > paths.Most || c.Audition > paths.Most:
		return fmt.Errorf("give 1 to %d circuits", paths.Most)
	case c.Audition != 0 && c.Audition <= c.Circuits:
		return fmt.Errorf("an audition is of more than the %d circuits that are kept", c.Circuits)
	case time.Duration(c.Audition)*paths.JoinSpacing > ringing:
		return fmt.Errorf("an audition is of at most %d circuits: they join %v apart and it rings for %v", int(ringing/paths.JoinSpacing), paths.JoinSpacing, ringing)
	case c.Calls < 1:
		return fmt.Errorf("give at least one call")
	case c.Base < 0 || c.Spread < 0 || max(c.Base, c.Spread) > time.Minute:
		return fmt.Errorf("give a base and a spread of 0 to 60000 ms")
	case !(c.Correlated >= 0 && c.Correlated <= 1):
		return fmt.Errorf("give a correlation of 0 to 1")
	}
	return nil
}

// progress says on w of what how much is done, about once a second, from the first second
// on.
func progress(w io.Writer, what string) func(done, of int) {
	var mu sync.Mutex
	last := time.Now()
	return func(done, of int) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.Sub(last) >= time.Second {
			last = now
			fmt.Fprintf(w, "%d of %d %s\n", done, of, what)
		}
	}
}
