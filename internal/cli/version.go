package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Which sotto this is: make stamps both in, from git. A plain go build leaves
// them empty.
var (
	release string // as v1.2.0, or v1.2.0-3-g334442c for the third commit after it
	commit  string // with -dirty where the sources were changed
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(stdout(c), "sotto", version())
			return err
		},
	}
}

// version is the release, the commit and the Go it was built with.
func version() string {
	release, commit := release, commit
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	if release == "" {
		release = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && commit == "" {
			commit = s.Value
		}
	}
	if commit == "" {
		commit = "unknown"
	}
	return fmt.Sprintf("%s (commit %s, %s)", release, commit, info.GoVersion)
}
