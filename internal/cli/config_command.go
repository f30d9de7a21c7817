package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/internal/config"
)

func newConfig() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Settings: flags that you give only once",
		Long: `Keeps settings: values for flags that are not given. They stand in

  /etc/sotto.d/*.conf                    for everybody here, read first, in lexical order
  $XDG_CONFIG_HOME/sotto/config.toml     your own (~/.config where that is unset)

What is read later counts; the environment (SOTTO_QUALITY for quality) goes over
files, and a flag over all. Files are TOML, one setting a line:

  quality = "16k"
  circuits = 6

A wrong file is refused by every command but this one and doctor.`,
		Example: `  sotto config list
  sotto config set mic headset
  sotto config get quality
  sotto config unset mic
  sotto config edit`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newConfigList(), newConfigGet(), newConfigSet(), newConfigUnset(), newConfigEdit(), newConfigPath())
	for _, sub := range c.Commands() {
		sub.DisableFlagsInUseLine = true
	}
	return c
}

// effective is a setting as it counts now.
type effective struct {
	Name  string `json:"name"`
	Value string `json:"value"` // as the flag takes it
	From  string `json:"from"`  // a file and its line, a variable, or "default"
	About string `json:"about"`
}

func allEffective() ([]effective, error) {
	values, err := schema().Read(settingsFiles())
	if err != nil {
		return nil, err
	}
	list := []effective{}
	for _, f := range settable() {
		e := effective{f.Name, f.DefValue, "default", f.Usage}
		if v, ok := values[f.Name]; ok {
			e.Value, e.From = v.Text, v.Where()
		}
		if text := os.Getenv(variable(f.Name)); text != "" {
			e.Value, e.From = text, variable(f.Name)
		}
		list = append(list, e)
	}
	return list, nil
}

func newConfigList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list [--json]", Short: "Show every setting, what it is and from where", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			list, err := allEffective()
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(stdout(c)).Encode(list)
			}
			w := tabwriter.NewWriter(stdout(c), 0, 0, 2, ' ', 0)
			for _, e := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\n", e.Name, asTyped(e.Value), e.From)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON list")
	return c
}

// asTyped is a value as it was typed, where it can be told from what else is in its
// line.
func asTyped(value string) string {
	switch {
	case value == "":
		return "(none)"
	case strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }):
		return strconv.Quote(value)
	}
	return value
}

func newConfigGet() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "get [--json] SETTING", Short: "Show what counts for a setting", Args: someArgs(1, "one setting"),
		ValidArgsFunction: completeSettings,
		RunE: func(c *cobra.Command, args []string) error {
			if err := schema().Known(args[0]); err != nil {
				return err
			}
			list, err := allEffective()
			if err != nil {
				return err
			}
			for _, e := range list {
				switch {
				case e.Name != args[0]:
				case asJSON:
					return json.NewEncoder(stdout(c)).Encode(e)
				default:
					_, err = fmt.Fprintln(stdout(c), e.Value)
				}
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func newConfigSet() *cobra.Command {
	return &cobra.Command{
		Use: "set SETTING VALUE", Short: "Keep a value for a setting", Args: someArgs(2, "a setting and its value"),
		Long:              "Keeps a value in your own file, which is written whole; all else in it stays. What the\nflag would refuse is refused. A value that begins with - follows a --.",
		ValidArgsFunction: completeSetting,
		RunE: func(_ *cobra.Command, args []string) error {
			s := schema()
			return changeSettings(s, func(text []byte) ([]byte, error) { return s.Set(text, args[0], args[1]) })
		},
	}
}

func newConfigUnset() *cobra.Command {
	return &cobra.Command{
		Use: "unset SETTING", Short: "Forget your value for a setting", Args: someArgs(1, "one setting"),
		ValidArgsFunction: completeSettings,
		RunE: func(c *cobra.Command, args []string) error {
			s := schema()
			return changeSettings(s, func(text []byte) ([]byte, error) {
				next, there, err := config.Unset(text, args[0])
				if !there && err == nil {
					if err = s.Known(args[0]); err == nil {
						note(c, "%s was not set", args[0])
					}
				}
				return next, err
			})
		},
	}
}

// changeSettings saves what change makes of the person's own file.
func changeSettings(s *config.Schema, change func([]byte) ([]byte, error)) error {
	files := settingsFiles()
	unlock, err := files.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	text, err := files.Text()
	if err != nil {
		return err
	}
	if text, err = change(text); err != nil {
		return err
	}
	return s.Save(files, text)
}

func newConfigPath() *cobra.Command {
	return &cobra.Command{
		Use: "path", Short: "Show where your own settings are kept", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			files := settingsFiles()
			if files.User == "" {
				return config.ErrNowhere
			}
			_, err := fmt.Fprintln(stdout(c), files.User)
			return err
		},
	}
}

func newConfigEdit() *cobra.Command {
	return &cobra.Command{
		Use: "edit", Short: "Change your own settings in an editor", Args: noArgs,
		Long: `Opens a draft of your settings in the editor that VISUAL or EDITOR names, else in
sensible-editor, nano or vi. When the editor ends the draft becomes your settings,
unless it is wrong: then it says what is, your settings stay as they were, and the
draft is kept for the next sotto config edit.`,
		RunE: func(c *cobra.Command, _ []string) error {
			s, files := schema(), settingsFiles()
			unlock, err := files.Lock()
			if err != nil {
				return err
			}
			defer unlock()
			draft := config.Files{User: files.User + ".draft"}
			if err := startDraft(files, draft.User); err != nil {
				return err
			}
			editor, err := editor()
			if err != nil {
				return err
			}
			// As everywhere, the variable may hold arguments, too.
			cmd := exec.CommandContext(c.Context(), "sh", "-c", editor+` "$@"`, "sh", draft.User)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("the editor %s failed (%w); nothing is changed, %s is kept", editor, err, draft.User)
			}
			text, err := draft.Text()
			if err != nil {
				return err
			}
			if err := s.SaveFrom(files, draft.User, text); err != nil {
				return fmt.Errorf("%w; nothing is changed: sotto config edit opens what you wrote again", err)
			}
			return os.Remove(draft.User)
		},
	}
}

// startDraft makes the draft of settings, unless one is left from before.
func startDraft(files config.Files, path string) error {
	text, err := files.Text()
	if err != nil {
		return err
	}
	if len(text) == 0 {
		text = []byte("# sotto's settings, one a line, such as: quality = \"16k\"\n# sotto config list shows them all.\n")
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// editor is the person's, or one that is there.
func editor() (string, error) {
	if e := cmp.Or(os.Getenv("VISUAL"), os.Getenv("EDITOR")); e != "" {
		return e, nil
	}
	for _, e := range []string{"sensible-editor", "nano", "vi"} {
		if _, err := exec.LookPath(e); err == nil {
			return e, nil
		}
	}
	return "", usageError{errors.New("there is no editor here: name one in EDITOR, or use sotto config set")}
}

func someArgs(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return misuse{fmt.Errorf("%s takes %s", c.CommandPath(), what)}
		}
		return nil
	}
}

// completeSettings completes the name of a setting.
func completeSettings(_ *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	if len(args) == 0 {
		for _, f := range settable() {
			names = append(names, cobra.CompletionWithDesc(f.Name, f.Usage))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeSetting completes the name of a setting, and then what its flag takes.
func completeSetting(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 1 {
		for _, f := range settable() {
			if f.Name == args[0] {
				return offered(f)
			}
		}
	}
	return completeSettings(c, args, begun)
}
