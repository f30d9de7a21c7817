package cli

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/voice/portaudio"
)

// takeFiles are the commands of which an argument is a file.
var takeFiles = []string{"sotto bridges set", "sotto contacts import", "sotto id export", "sotto id import", "sotto man"}

// complete lets a shell complete what every flag takes, and no names of files where
// none is taken.
func complete(root *cobra.Command) {
	var each func(*cobra.Command)
	each = func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if _, known := c.GetFlagCompletionFunc(f.Name); known || f.Value.Type() == "bool" {
				return
			}
			if err := c.RegisterFlagCompletionFunc(f.Name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
				return offered(f)
			}); err != nil {
				panic(err)
			}
		})
		if c.ValidArgs == nil && c.ValidArgsFunction == nil && !slices.Contains(takeFiles, c.CommandPath()) {
			c.ValidArgsFunction = cobra.NoFileCompletions
		}
		for _, sub := range c.Commands() {
			each(sub)
		}
	}
	each(root)
}

// offered is what a flag takes, as far as that can be told.
func offered(f *pflag.Flag) (values []string, _ cobra.ShellCompDirective) {
	const none, files, folders = cobra.ShellCompDirectiveNoFileComp, cobra.ShellCompDirectiveDefault, cobra.ShellCompDirectiveFilterDirs
	switch kind := f.Value.Type(); {
	case kind == "bool":
		return []string{"true", "false"}, none
	case kind == "profile":
		for _, p := range record.Profiles {
			values = append(values, p.Name)
		}
		return values, none
	case kind == "input" || kind == "output" || kind == "program":
		return nil, files
	case strings.Contains(kind, "|"):
		return strings.Split(kind, "|"), none
	}
	switch f.Name {
	case "home", "network", "delays", "out": // the last of sotto demo
		return nil, folders
	case "tor", "speech":
		return nil, files
	case "tor-control":
		return []string{"auto"}, files
	case "circuits":
		for n := range mostCircuits {
			values = append(values, strconv.Itoa(n+1))
		}
	case "mic", "speaker":
		values = offerDevices(f.Name)
	case "as":
		values = []string{"mic", "speaker"}
	case "qr":
		values = []string{"colour", "dark", "light", "no"}
	}
	return values, none
}

// tabPatience is how long somebody who has pressed Tab waits for a sound server.
const tabPatience = 300 * time.Millisecond

// offerDevices are the devices that serve as mic, as speaker, or, "", as either.
func offerDevices(as string) (names []string) {
	devices, err := portaudio.DevicesWithin(tabPatience)
	if err != nil {
		return nil
	}
	for _, d := range devices {
		for _, side := range []string{"mic", "speaker"} {
			if channels := map[string]int{"mic": d.Inputs, "speaker": d.Outputs}[side]; channels == 0 || as != "" && as != side {
				continue
			}
			if name := cobra.CompletionWithDesc(called(devices, d, side == "mic"), d.String()); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
