package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/internal/api"
)

func newStatus(o *options) *cobra.Command {
	var asJSON, follow bool
	c := &cobra.Command{
		Use:   "status [--follow] [--json]",
		Short: "Show how the phone and its calls stand",
		Long: `Shows how the phone that is up stands: how far it is, who may ring, and its calls,
each with its number. With --follow it goes on and tells what happens, until the
phone ends; with --json as well that is one JSON object a line, as docs/api.md
describes the events.
` + driveHelp,
		Example: "  sotto status\n  sotto status --json\n  sotto status --follow --json | while read -r event; do …; done",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			phone, err := o.driven(c.Context())
			if err != nil {
				return err
			}
			out := stdout(c)
			if !follow {
				s, err := phone.Status(c.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(out).Encode(s)
				}
				var text strings.Builder
				if err := printStatus(&text, s); err != nil {
					return err
				}
				_, err = io.WriteString(out, aim(c, text.String()))
				return err
			}
			tell := func(e api.Event) error {
				e.Notice = aim(c, e.Notice)
				return printEvent(out, e)
			}
			if asJSON {
				tell = func(e api.Event) error { return json.NewEncoder(out).Encode(e) }
			}
			err = phone.Events(c.Context(), tell)
			if errors.Is(err, api.ErrGone) && !errors.Is(err, api.ErrDied) {
				return nil
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON; with --follow an object a line")
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on, and tell what happens")
	return c
}

// standing is how a phone stands, in words.
func standing(s api.Status) string {
	if s.Tor.Offline && s.Phase != api.Starting {
		return "offline, cannot be called: " + cmp.Or(s.Tor.Warning, s.Tor.Summary)
	}
	switch s.Phase {
	case api.Starting:
		return fmt.Sprintf("starting: tor %d %%, %s", s.Tor.Percent, s.Tor.Summary)
	case api.Publishing:
		return "publishing the address"
	case api.Calling:
		return "makes a call, and cannot be called"
	}
	return "up since " + s.Up.Local().Format("Mon 15:04")
}

func printStatus(out io.Writer, s api.Status) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "phone\t%s\naddress\t%s\nrings\t%s\n", standing(s), s.Address, s.Rings)
	if s.Closed {
		fmt.Fprintln(w, "closed\tonly contacts whose card has a key can find you")
	}
	if s.Silent {
		fmt.Fprintln(w, "silent\tnobody rings, until sotto silent off")
	}
	if n := len(s.Missed); n > 0 {
		fmt.Fprintf(w, "missed\t%d, see sotto log\n", n)
	}
	for _, c := range s.Calls {
		fmt.Fprintf(w, "call %s\t%s\n", c.ID, describeCall(c))
	}
	return w.Flush()
}

// describeCall is a call in a line.
func describeCall(c api.Call) string {
	from := "from"
	if c.Outgoing {
		from = "to"
	}
	parts := []string{fmt.Sprintf("%s %s, %s", from, cmp.Or(name(c), c.Peer), c.Phase)}
	if c.Phase == api.Talking {
		parts[0] += " " + clock(time.Duration(c.TalkedMS)*time.Millisecond)
	}
	for _, mark := range []struct {
		on   bool
		text string
	}{
		{c.Muted, "muted"},
		{c.Holding, "on hold"},
		{c.Held, other(c) + " has put you on hold"},
		{c.Announced, "about to record"},
		{c.Recording, "recording"},
		{c.Recorded, other(c) + " records"},
	} {
		if mark.on {
			parts = append(parts, mark.text)
		}
	}
	// How it sounds is of no interest while nothing comes, and is no longer true.
	talking := c.Phase == api.Talking
	switch silence := c.SilenceMS / 1000; {
	case talking && !c.Reached && silence == 0:
		parts = append(parts, "nothing comes")
	case talking && !c.Reached:
		parts = append(parts, fmt.Sprintf("nothing comes for %d s", silence))
	case talking && c.UnheardMS >= call.NoticeTime.Milliseconds():
		parts = append(parts, "does not reach them")
	case c.Quality.Word != "":
		parts = append(parts, fmt.Sprintf("sounds %s (%.0f)", c.Quality.Word, c.Quality.R))
	}
	if talking && c.Voice != "" {
		parts = append(parts, "voice "+c.Voice)
	}
	if c.End != nil && c.End.Error != "" {
		parts = append(parts, c.End.Error)
	}
	return strings.Join(parts, ", ")
}

// printEvent is an event as a line, where it is one for people.
func printEvent(out io.Writer, e api.Event) (err error) {
	switch {
	case e.Status != nil:
		_, err = fmt.Fprintf(out, "phone: %s\n", standing(*e.Status))
	case e.Call != nil:
		_, err = fmt.Fprintf(out, "call %s %s\n", e.Call.ID, describeCall(*e.Call))
	case e.Text != nil && e.Text.Mine:
		_, err = fmt.Fprintf(out, "call %s you: %s\n", e.Text.Call, e.Text.Text)
	case e.Text != nil:
		_, err = fmt.Fprintf(out, "call %s the other side: %s\n", e.Text.Call, e.Text.Text)
	case e.Missed != nil:
		_, err = fmt.Fprintf(out, "missed %s: %s\n", cmp.Or(e.Missed.Name, e.Missed.Peer), e.Missed.Why)
	case e.Notice != "":
		_, err = fmt.Fprintln(out, e.Notice)
	}
	return err
}
