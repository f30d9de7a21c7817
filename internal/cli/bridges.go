package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/onion"
)

func newBridges(o *options) *cobra.Command {
	c := &cobra.Command{
		Use:   "bridges",
		Short: "Enter Tor's network by bridges, where it is blocked or watched",
		Long: `Shows the bridges that this profile uses, if any. A bridge is a relay that no
public list has; one with a transport (obfs4, webtunnel, snowflake) also makes
the line look like something else. Ask for some at https://bridges.torproject.org,
or by mail to bridges@torproject.org, and give the lines as they come:

  sotto bridges set

From then on sotto up and sotto call use them, one-time calls too, and nothing
else. A transport's program has to be installed: sotto says which one is missing.
What bridges hide, and what they do not, is in docs/bridges.md.`,
		Example: "  sotto bridges set                  asks for lines\n  sotto bridges set < bridges.txt\n  sotto bridges                      show them\n  sotto bridges clear                use none again",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return o.showBridges(c) },
	}
	set := &cobra.Command{
		Use:   "set [FILE]",
		Short: "Use these bridges, in place of all others",
		Long: `Reads bridge lines from a file, from standard input, or from the terminal, where
an empty line ends them. Each is checked; if one is wrong nothing is changed.
They are kept in the profile's folder, in the file bridges, for you alone. As an
argument a bridge would stand in process lists and in the shell's history.`,
		Example: "  sotto bridges set\n  sotto bridges set bridges.txt",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return one("one file at most")(c, args)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return o.setBridges(c, strings.Join(args, "")) },
	}
	unset := &cobra.Command{
		Use: "clear", Short: "Use no bridges", Args: noArgs,
		Long:    "Forgets the bridges: tor enters its network by public relays again.",
		Example: "  sotto bridges clear",
		RunE: func(c *cobra.Command, _ []string) error {
			home, err := o.profile()
			if err != nil {
				return err
			}
			return phone.SaveBridges(phone.BridgesPath(home), nil)
		},
	}
	c.AddCommand(set, unset)
	for _, sub := range c.Commands() {
		sub.DisableFlagsInUseLine = true
	}
	return c
}

func (o *options) showBridges(c *cobra.Command) error {
	home, err := o.profile()
	if err != nil {
		return err
	}
	bridges, err := phone.LoadBridges(phone.BridgesPath(home))
	if err != nil {
		return err
	}
	if len(bridges) == 0 {
		note(c, "no bridges: tor enters its network by public relays (sotto bridges set)")
	}
	for _, b := range bridges {
		if _, err := fmt.Fprintln(stdout(c), b.Line()); err != nil {
			return err
		}
	}
	return onion.CheckBridges(bridges)
}

func (o *options) setBridges(c *cobra.Command, path string) error {
	home, err := o.profile()
	if err != nil {
		return err
	}
	var from io.Reader = os.Stdin
	switch {
	case path != "" && path != "-":
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	case path == "" && term.IsTerminal(int(os.Stdin.Fd())):
		note(c, "Bridges, one a line, and an empty line at the end:")
		var lines strings.Builder
		for {
			line, err := ask(c.Context(), ">")
			if err != nil {
				return err
			}
			if strings.TrimSpace(line) == "" {
				break
			}
			lines.WriteString(line + "\n")
		}
		from = strings.NewReader(lines.String())
	}
	bridges, err := phone.ReadBridges(from)
	if err != nil {
		return err
	}
	if len(bridges) == 0 {
		return usageError{errors.New("no bridges were given, and nothing was changed: sotto bridges clear uses none again")}
	}
	if err := phone.SaveBridges(phone.BridgesPath(home), bridges); err != nil {
		return err
	}
	kinds := map[string]int{}
	for _, b := range bridges {
		kinds[b.String()]++
	}
	note(c, "kept, and used from the next start on:")
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		note(c, "  %d × %s", kinds[kind], kind)
	}
	return onion.CheckBridges(bridges)
}
