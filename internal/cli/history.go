package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/history"
	"github.com/sottovoce/sotto/internal/phone/switchboard"
)

func (o *options) historyFlag(c *cobra.Command) {
	c.Flags().BoolVar(&o.history, "history", false, "keep a sealed history of calls: whom, when, how long")
	settings(c.Flags(), "history")
}

// keeper keeps the history of a profile's calls; nil: none is wanted.
func (st *station) keeper(p *people) *history.Keeper {
	if !st.options.history {
		return nil
	}
	return history.New(p.vault, func(err error) {
		st.board.Notice(fmt.Sprintf("calls are not kept in the history: %v%s", err, remedy(err)))
	})
}

type logCommand struct {
	*options
	asJSON bool
	forget bool
}

func newLog(o *options) *cobra.Command {
	lc := &logCommand{options: o}
	c := &cobra.Command{
		Use:   "log [--history] [--json] [--forget]",
		Short: "List missed calls, and the history if one is kept",
		Long: `Lists the calls that were missed since the phone is up, oldest first, with the
reason. No log of calls is kept anywhere: when the phone ends this list is gone.

Unless you want one. With the setting history (sotto config set history true), or
started with --history, a phone keeps the newest 500 calls: when each began, with
whom, how long you talked and how it ended; never those of who is blocked, of whom
you are not told, or with a one-time identity. They lie in the profile's folder,
sealed like the contacts, and come first here, the newest last; where no phone is
up this asks for the passphrase. Whoever opens the profile, or makes you open it,
knows them all. With the setting off nothing is written, and none is read.

--forget deletes the history, whatever is set, and asks for nothing. The disk, and
backups of it, may hold what was deleted for a time.

` + exitHelp,
		Example: "  sotto log\n  sotto log --json\n  sotto config set history true\n  sotto log --forget",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case lc.forget && lc.asJSON:
				return usageError{errors.New("--forget prints nothing, and so no JSON")}
			case lc.forget:
				return lc.deletes(c)
			}
			return lc.shows(c)
		},
	}
	o.historyFlag(c)
	c.Flags().BoolVar(&lc.asJSON, "json", false, "print one JSON object a line")
	c.Flags().BoolVar(&lc.forget, "forget", false, "delete the history")
	return c
}

func (lc *logCommand) shows(c *cobra.Command) error {
	home, err := lc.profile()
	if err != nil {
		return err
	}
	phone, err := api.Dial(home)
	switch {
	case errors.Is(err, api.ErrNoPhone) && lc.options.history:
		kept, err := lc.kept(c)
		if err != nil {
			return err
		}
		if len(kept.Calls) == 0 {
			note(c, "there is no history of calls yet")
		}
		return lc.print(c, kept.Calls, nil)
	case errors.Is(err, api.ErrNoPhone) && vault.HasHistory(home):
		return fmt.Errorf("%w; a history of calls is here: sotto log --history shows it", err)
	case err != nil:
		return err
	}
	s, err := phone.Status(c.Context())
	if err != nil {
		return err
	}
	kept, refused := phone.History(c.Context()) // what was missed is shown all the same
	if err := lc.print(c, kept.Calls, s.Missed); err != nil {
		return err
	}
	if len(s.Missed) == 0 && !lc.asJSON {
		note(c, "no call was missed since the phone is up")
	}
	if lc.options.history && refused == nil && !kept.Kept {
		note(c, "the phone that is up keeps no history: it was started without --history")
	}
	return refused
}

// kept is the history as it lies in the profile.
func (lc *logCommand) kept(c *cobra.Command) (api.History, error) {
	p, err := lc.people(c.Context())
	if err != nil {
		return api.History{}, err
	}
	list, err := history.List(p.vault)
	kept := api.History{Kept: true}
	for _, e := range list {
		who, _ := p.book.At(e.Peer)
		kept.Calls = append(kept.Calls, switchboard.Past(e, who.Name))
	}
	return kept, err
}

func (lc *logCommand) print(c *cobra.Command, kept []api.Past, missed []api.Missed) error {
	if !lc.asJSON {
		return printLog(stdout(c), kept, missed)
	}
	out := json.NewEncoder(stdout(c))
	for _, p := range kept {
		if err := out.Encode(p); err != nil {
			return err
		}
	}
	for _, m := range missed {
		if err := out.Encode(m); err != nil {
			return err
		}
	}
	return nil
}

func printLog(out io.Writer, kept []api.Past, missed []api.Missed) error {
	const day = "2006-01-02 15:04"
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range kept {
		way, how := "from", p.How
		if p.Outgoing {
			way = "to"
		}
		if how == string(history.Answered) {
			how += ", " + clock(time.Duration(p.TalkedMS)*time.Millisecond)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Began.Local().Format(day), way, cmp.Or(p.Name, p.Peer), how)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(kept) > 0 && len(missed) > 0 {
		fmt.Fprintln(w, "\nmissed since the phone is up:")
	}
	for _, m := range missed {
		fmt.Fprintf(w, "%s\t%s\t%s\n", m.At.Local().Format(day), cmp.Or(m.Name, m.Peer), m.Why)
	}
	return w.Flush()
}

// deletes deletes the history.
func (lc *logCommand) deletes(c *cobra.Command) error {
	home, err := lc.profile()
	if err != nil {
		return err
	}
	if phone, err := api.Dial(home); err == nil {
		_, _ = phone.History(c.Context()) // so that it has nothing more to write
	}
	path := vault.HistoryPath(home)
	size := int64(0)
	if info, err := os.Stat(path); err == nil {
		size = info.Size()
	}
	had, err := vault.ForgetHistory(home)
	switch {
	case err != nil:
		return fmt.Errorf("deleting the history: %w", err)
	case !had:
		note(c, "there is no history of calls: nothing was deleted")
	default:
		note(c, "deleted: the history of calls, %s (%d bytes, sealed); the disk may keep traces of it for a time", path, size)
	}
	return nil
}
