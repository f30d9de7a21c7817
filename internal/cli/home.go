package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/tui"
)

// atHome is sotto with no command: the screen of the phone that is up, or of one
// that is started, as up would, and ends with the screen; lines where a terminal
// cannot be drawn on. Where nobody looks, and for who has no identity yet, it is the
// help.
func (o *options) atHome(c *cobra.Command, up *upCommand, asUp *cobra.Command) error {
	looks := term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
	if !looks && !o.plain {
		return c.Help()
	}
	if o.noInput {
		return usageError{errors.New("there is no screen without keys: sotto up, and sotto status")}
	}
	if up.audio.In.Standard() || up.audio.Out.Standard() {
		return usageError{errors.New("standard input and output are for you here: --in and --out take files")}
	}
	asUp.SetContext(c.Context())
	if err := asUp.ParseFlags(nil); err != nil { // makes the flags of all commands its own
		return usageError{err}
	}
	if err := o.configure(asUp); err != nil {
		return err
	}
	asked := o.plain
	why := noDrawing(os.Getenv("TERM"))
	o.plain = o.plain || why != ""
	excuse := func() {
		if o.plain && !asked {
			note(c, "%s: lines in place of the screen, as with --plain", why)
		}
	}
	home, err := o.profile()
	if err != nil {
		return err
	}
	client, err := findPhone(c.Context(), home)
	switch {
	case err == nil:
		for _, name := range fileFlags {
			if c.Flags().Changed(name) {
				return usageError{fmt.Errorf("--%s: sotto up runs, and has its own sound: give it that, or end it", name)}
			}
		}
		if err := ownTor(c); err != nil {
			return err
		}
		excuse()
		return o.face(c.Context(), c, client, false)
	case !errors.Is(err, api.ErrNoPhone):
		return err
	case !vault.Exists(home) && !asked:
		return c.Help()
	}
	excuse()
	up.face = func(ctx context.Context, phone *api.Client, watching chan struct{}) error {
		var once sync.Once
		seen := func() { once.Do(func() { close(watching) }) }
		defer seen()
		return o.face(ctx, c, watched{phone, seen}, true)
	}
	o.verbose = o.verbose && o.plain // nothing else is written where the screen is drawn
	return up.run(asUp)
}

// noDrawing is why nothing can be drawn over on a terminal that calls itself so,
// "" if it can.
func noDrawing(terminal string) string {
	switch terminal {
	case "":
		return "TERM is not set"
	case "dumb":
		return "TERM=dumb"
	}
	return ""
}

// face shows a phone, on the screen or in lines.
func (o *options) face(ctx context.Context, c *cobra.Command, phone tui.Phone, own bool) error {
	options := tui.Options{Own: own, Aim: func(text string) string { return aim(c, text) }}
	if o.plain {
		options.In, options.Out = os.Stdin, os.Stdout
		return tui.Plain(ctx, phone, options)
	}
	return tui.Run(ctx, phone, options)
}

// watched is a phone that says when it is listened to.
type watched struct {
	*api.Client
	seen func()
}

func (w watched) Events(ctx context.Context, take func(api.Event) error) error {
	return w.Client.Events(ctx, func(e api.Event) error {
		w.seen()
		return take(e)
	})
}
