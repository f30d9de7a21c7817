package bench

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/internal/bench/calls"
)

func callsCommand() *cobra.Command {
	var c calls.Config
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "calls --delays DIR|model:SEED",
		Short: "Make real calls over a delayed private Tor network, alternately with one circuit and four",
		Long: `Start a private Tor network on this machine, make its circuits as late as
recorded ones, and make real calls over it, alternately with each number of
--circuits. Prints how late speech is from mouth to ear, over all calls.

Each call takes its talk and half a minute: the default is about ten minutes.`,
		Example: "  sotto-bench calls --delays model:11\n  sotto-bench calls --delays traces/ --circuits 1,4,6 --rounds 10 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := calls.Run(cmd.Context(), &c, func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) })
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(report)
			}
			return report.Print(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Delays, "delays", "", "how late circuits are: a folder of traces, or model:SEED")
	f.Uint64Var(&c.Seed, "seed", 0, "which circuits are drawn")
	f.IntSliceVar(&c.Circuits, "circuits", []int{1, 4}, "circuits of the calls of a round")
	f.IntVar(&c.Rounds, "rounds", 6, "how many rounds")
	f.DurationVar(&c.Talk, "talk", 20*time.Second, "how long each call talks, 20s to 10m")
	f.StringVar(&c.Tor, "tor", "", "the tor program (default: looked for)")
	f.BoolVar(&asJSON, "json", false, "one JSON object instead of the table")
	if err := cmd.MarkFlagRequired("delays"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}
