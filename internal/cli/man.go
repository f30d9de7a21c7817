package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newMan writes what make man installs. cobra can do so, too, but not without
// two libraries for Markdown and YAML, and not with its layout kept.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use: "man FOLDER", Short: "Write a manual page for each command", Hidden: true, Args: someArgs(1, "one folder"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			return writeManual(c.Root(), args[0])
		},
	}
}

// writeManual writes c's page and those of the commands below it.
func writeManual(c *cobra.Command, folder string) error {
	if c.Hidden || c.Name() == "help" {
		return nil
	}
	path := filepath.Join(folder, pageName(c)+".1")
	if err := os.WriteFile(path, []byte(manualPage(c)), 0o644); err != nil {
		return err
	}
	for _, sub := range c.Commands() {
		if err := writeManual(sub, folder); err != nil {
			return err
		}
	}
	return nil
}

func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manualPage is a page in roff, with the macros of man(7).
func manualPage(c *cobra.Command) string {
	var b strings.Builder
	c.InitDefaultHelpFlag()
	name := pageName(c)
	fmt.Fprintf(&b, ".TH %s 1 \"\" %s \"sotto's manual\"\n", quotedRoff(strings.ToUpper(name)), quotedRoff("sotto "+release))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.nf\n", roff(name), roff(c.Short))
	if c.Runnable() && !c.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "%s\n", roff(c.UseLine()))
	} else {
		fmt.Fprintf(&b, "%s \\fIcommand\\fR ...\n", roff(c.CommandPath()))
	}
	b.WriteString(".fi\n.SH DESCRIPTION\n")
	long, exits, _ := strings.Cut(c.Long, "Exit codes:\n")
	if long == "" {
		long = c.Short + "."
	}
	b.WriteString(prose(long))
	if c.HasAvailableSubCommands() {
		b.WriteString(".SH COMMANDS\n")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(&b, ".TP\n\\fB%s\\fR(1)\n%s\n", roff(pageName(sub)), roff(sub.Short))
			}
		}
	}
	flagList(&b, "OPTIONS", c.NonInheritedFlags())
	flagList(&b, "OPTIONS OF EVERY COMMAND", c.InheritedFlags())
	if exits != "" {
		fmt.Fprintf(&b, ".SH EXIT STATUS\n.nf\n%s.fi\n", roffLines(exits))
	}
	if c.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s.fi\n", roffLines(c.Example))
	}
	if !c.HasParent() {
		b.WriteString(".SH FILES\n.TP\n\\fI~/.local/share/sotto\\fR\nyour identity and contacts\n" +
			".TP\n\\fI~/.config/sotto/config.toml\\fR, \\fI/etc/sotto.d/*.conf\\fR\nsettings: see \\fBsotto\\-config\\fR(1)\n")
	}
	if c.HasParent() {
		fmt.Fprintf(&b, ".SH SEE ALSO\n\\fB%s\\fR(1)\n", roff(pageName(c.Parent())))
	}
	return b.String()
}

// flagList is a section about flags, if there are any.
func flagList(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		short := ""
		if f.Shorthand != "" {
			short = `\fB\-` + f.Shorthand + `\fR, `
		}
		what, about := pflag.UnquoteUsage(f)
		switch {
		case f.Value.Type() == "bool" || f.DefValue == "" || f.DefValue == "0s" || f.DefValue == "[]" || f.DefValue == "-1":
		case !strings.Contains(about, "(default"):
			about += " (default " + f.DefValue + ")"
		}
		if what != "" {
			what = ` \fI` + roff(what) + `\fR`
		}
		fmt.Fprintf(b, ".TP\n%s\\fB\\-\\-%s\\fR%s\n%s\n", short, roff(f.Name), what, roff(about))
	})
}

// prose sets paragraphs that flow, and keeps those that are laid out by hand:
// with a line that begins with a blank or a tab.
func prose(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if part = "\n" + part; strings.Contains(part, "\n ") || strings.Contains(part, "\n\t") {
			fmt.Fprintf(&b, ".nf\n%s.fi\n", roffLines(part))
		} else {
			b.WriteString(roffLines(part))
		}
	}
	return b.String()
}

func roffLines(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		b.WriteString(roff(line) + "\n")
	}
	return b.String()
}

// roff takes the meaning from what roff would read as a command or an escape.
func roff(line string) string {
	line = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(line)
	var b strings.Builder
	if strings.HasPrefix(line, ".") {
		b.WriteString(`\&`)
	}
	for _, r := range line {
		if r < 0x80 {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\[u%04X]`, r)
		}
	}
	return b.String()
}

func quotedRoff(text string) string { return `"` + strings.ReplaceAll(roff(text), `"`, `""`) + `"` }
