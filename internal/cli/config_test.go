package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// unkept are the flags that no file may give, each with the reason.
var unkept = map[string]string{
	"answer": "opens the microphone to whoever rings: it must be meant each time",
	"in":     "stands in for the microphone of one call",
	"out":    "keeps what is heard in one call",
	"record": "nobody is recorded but by asking for it, each time",
	"once":   "who calls is meant each time", "stay": "goes with --in",
	"network": "a private network, for trying", "passphrase-fd": "the number of a file that is open now",
	"json": "how this command prints", "no-input": "how this command is run", "redial": "goes with one call",
	"from": "kept by sotto contacts policy", "missed": "kept by sotto contacts policy", "silent": "kept by sotto contacts policy",
}

// A new flag of a call, of up or of every command is a setting, or has a reason
// not to be one.
func TestEveryFlagIsASettingOrNot(t *testing.T) {
	root := newRoot()
	look := func(f *pflag.Flag) {
		_, is := f.Annotations[setting]
		if _, not := unkept[f.Name]; is == not && f.Name != "help" {
			t.Errorf("--%s is a setting: %v, and has a reason not to be: %v", f.Name, is, not)
		}
	}
	root.PersistentFlags().VisitAll(look)
	for _, name := range []string{"call", "up"} {
		c, _, err := root.Find([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		c.Flags().VisitAll(look)
	}
}

// Every flag that takes a value is completed, or said to be nothing that can be.
func TestEveryFlagIsCompleted(t *testing.T) {
	root := newRoot()
	complete(root)
	flags := 0
	var each func(*cobra.Command)
	each = func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Value.Type() == "bool" {
				return
			}
			flags++
			if _, ok := c.GetFlagCompletionFunc(f.Name); !ok {
				t.Errorf("%s --%s is not completed", c.CommandPath(), f.Name)
			}
		})
		for _, sub := range c.Commands() {
			each(sub)
		}
	}
	each(root)
	for _, path := range takeFiles {
		if c, _, err := root.Find(strings.Fields(path)[1:]); err != nil || c.CommandPath() != path {
			t.Errorf("there is no %s", path)
		}
	}
	if flags < 40 {
		t.Errorf("only %d flags", flags)
	}
}

// docs/config.md names every setting, its type and its default, and no other.
func TestDocumentedSettings(t *testing.T) {
	text, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	said := 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `") {
			said++
		}
	}
	keys := schema().Keys
	if len(keys) < 15 || said != len(keys) {
		t.Errorf("%d settings, %d in docs/config.md", len(keys), said)
	}
	for i, f := range settable() {
		takes := [...]string{"text", "number", "true, false"}[keys[i].Kind]
		def := ""
		if f.DefValue != "" {
			def = "`" + f.DefValue + "` "
		}
		if row := fmt.Sprintf("| `%s` | %s | %s|", f.Name, takes, def); !strings.Contains(string(text), row) {
			t.Errorf("docs/config.md does not say %s", row)
		}
	}
}

// Every command has a page that says how it is called, and every flag it has;
// nothing in it is taken for a command of roff but what is one.
func TestManual(t *testing.T) {
	dir := t.TempDir()
	root := newRoot()
	root.InitDefaultCompletionCmd("")
	if err := writeManual(root, dir); err != nil {
		t.Fatal(err)
	}
	pages := 0
	known := []string{".TH", ".SH", ".TP", ".PP", ".nf", ".fi"}
	var check func(*cobra.Command)
	check = func(c *cobra.Command) {
		if c.Hidden || c.Name() == "help" {
			return
		}
		pages++
		b, err := os.ReadFile(filepath.Join(dir, pageName(c)+".1"))
		if err != nil {
			t.Error(err)
		}
		page := string(b)
		for line := range strings.Lines(page) {
			if macro, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(macro, ".") && !slices.Contains(known, macro) || strings.HasPrefix(line, "'") {
				t.Errorf("%s: %q", pageName(c), line)
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(page, `\-\-`+roff(f.Name)+`\fR`) {
				t.Errorf("%s does not tell of --%s", pageName(c), f.Name)
			}
		})
		if !strings.Contains(page, roff(c.CommandPath())) {
			t.Errorf("%s does not say how it is called", pageName(c))
		}
		for _, sub := range c.Commands() {
			check(sub)
		}
	}
	check(root)
	if left, err := os.ReadDir(dir); err != nil || len(left) != pages || pages < 30 {
		t.Errorf("%d commands, %d pages, %v", pages, len(left), err)
	}
	if got := prose(".x\n\n  'y' \\n\n\n\tt\n\nzé\n.w"); got != "\\&.x\n.PP\n.nf\n  \\(aqy\\(aq \\en\n.fi\n.PP\n.nf\n\tt\n.fi\n.PP\nz\\[u00E9]\n\\&.w\n" {
		t.Errorf("%q", got)
	}
}
