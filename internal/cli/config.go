package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sottovoce/sotto/internal/config"
	"github.com/sottovoce/sotto/jitter"
)

// setting marks a flag that the files of settings may give as well.
const setting = "setting"

// settings marks flags as settings. Never one that names a person, holds a
// secret, or answers for somebody.
func settings(f *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := f.SetAnnotation(name, setting, nil); err != nil {
			panic(err)
		}
	}
}

// settable are all flags that are settings, by name. They belong to a command
// line of their own: setting one changes nothing.
func settable() []*pflag.Flag {
	all := map[string]*pflag.Flag{}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		note := func(f *pflag.Flag) {
			if _, ok := f.Annotations[setting]; ok {
				all[f.Name] = f
			}
		}
		c.PersistentFlags().VisitAll(note)
		c.LocalFlags().VisitAll(note)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
	return slices.SortedFunc(maps.Values(all), func(a, b *pflag.Flag) int { return cmp.Compare(a.Name, b.Name) })
}

// schema is made from the flags, so that both take the same.
func schema() *config.Schema {
	s := &config.Schema{Together: together}
	for _, f := range settable() {
		kind := config.Text
		switch f.Value.Type() {
		case "int":
			kind = config.Number
		case "bool":
			kind = config.Bool
		}
		check := func(text string) error { return take(f, text) }
		if f.Name == "home" {
			check = func(text string) error {
				if !filepath.IsAbs(text) {
					return errors.New("in settings it is a whole path, from / on")
				}
				return nil
			}
		}
		s.Keys = append(s.Keys, config.Key{Name: f.Name, Kind: kind, Check: check})
	}
	return s
}

// together refuses delays that are right one by one only.
func together(values map[string]config.Value) error {
	delay := jitter.Config{Min: jitter.DefaultMin, Max: jitter.DefaultMax}
	least, most := values["min-delay"], values["max-delay"]
	if least.Text != "" {
		delay.Min, _ = time.ParseDuration(least.Text)
	}
	if most.Text != "" {
		delay.Max, _ = time.ParseDuration(most.Text)
	}
	var wrong usageError
	if errors.As(checkDelays(delay), &wrong) {
		at := cmp.Or(most, least)
		return &config.Error{File: at.File, Line: at.Line, Err: wrong.error}
	}
	return nil
}

// settingsFolder is the variable that names another folder than /etc/sotto.d.
const settingsFolder = "SOTTO_SETTINGS_FOLDER"

// settingsFiles is where settings are kept.
func settingsFiles() config.Files {
	f := config.Files{System: cmp.Or(os.Getenv(settingsFolder), "/etc/sotto.d")}
	base := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil || !filepath.IsAbs(home) {
			return f // nobody's own
		}
		base = filepath.Join(home, ".config")
	}
	f.User = filepath.Join(base, "sotto", "config.toml")
	return f
}

// variable is the environment's name for a setting.
func variable(name string) string {
	return "SOTTO_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// unsettled are the commands that settings are nothing to, and that must work
// when settings are wrong, to mend them.
var unsettled = []string{"config", "version", "help", "completion", "man"}

// configure gives c's flags the values that settings and environment have for
// them, where they were not given themselves.
func (o *options) configure(c *cobra.Command) error {
	top := c
	for top.HasParent() && top.Parent().HasParent() {
		top = top.Parent()
	}
	if !top.HasParent() || slices.Contains(unsettled, top.Name()) {
		return nil
	}
	values, err := schema().Read(settingsFiles())
	if top.Name() == "doctor" && err != nil {
		o.unsettled, err = err, nil // it is a finding
	}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if _, ok := f.Annotations[setting]; !ok || f.Changed || err != nil {
			return
		}
		if text := os.Getenv(variable(f.Name)); text != "" {
			if wrong := take(f, text); wrong != nil {
				err = usageError{fmt.Errorf("invalid argument %q for %s: %w", text, variable(f.Name), wrong)}
			}
		} else if v, ok := values[f.Name]; ok {
			err = f.Value.Set(v.Text)
		}
	})
	return err
}
