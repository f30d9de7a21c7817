package cli

import (
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

var (
	// named is a command in a text that is about a profile, and unsaid what follows
	// where something is said of it, and nobody is told to give it.
	named  = regexp.MustCompile(`(there is no )?\bsotto (id|contacts|bridges|up|call|log|status|answer|silent)\b`)
	unsaid = regexp.MustCompile(`^( [a-z-]+)* \(process |^( [a-z]+)? (runs|wants|takes|is)\b`)
)

// aim gives the commands that a text tells to give the profile that was named for
// this one: without it they would change another, or make one in the wrong place.
// Texts themselves, in whatever room, name commands as they are where nothing is.
func aim(c *cobra.Command, text string) string { return aimAt(namedHome(c), text) }

// namedHome is the profile's folder that was named for a command, "" if none was:
// a setting counts for every other command as well.
func namedHome(c *cobra.Command) string {
	home := c.Flag("home")
	if home == nil || !home.Changed && os.Getenv(variable("home")) == "" {
		return ""
	}
	return home.Value.String()
}

func aimAt(home, text string) string {
	if home == "" {
		return text
	}
	var b strings.Builder
	for at := named.FindStringSubmatchIndex(text); at != nil; at = named.FindStringSubmatchIndex(text) {
		command := text[at[4]:at[1]]
		inPath := strings.HasSuffix(text[:at[4]], "/sotto ")
		if at[2] < 0 && !inPath && !unsaid.MatchString(text[at[1]:]) {
			command = "--home " + quoted(home) + " " + command
		}
		b.WriteString(text[:at[4]] + command)
		text = text[at[1]:]
	}
	return b.String() + text
}
