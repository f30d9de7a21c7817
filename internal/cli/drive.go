package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/api"
)

// driven is the phone that a command is for: the one of the profile that is up.
func (o *options) driven(ctx context.Context) (*api.Client, error) {
	home, err := o.profile()
	if err != nil {
		return nil, err
	}
	return findPhone(ctx, home)
}

// startTime is how long a phone that has the profile is given to open its socket,
// or to go.
const startTime = 5 * time.Second

// findPhone finds the phone of a profile, also one that is only about to start.
func findPhone(ctx context.Context, home string) (*api.Client, error) {
	phone, err := api.Dial(home)
	for end := time.Now().Add(startTime); errors.Is(err, api.ErrNoPhone) && isPhone(vault.Holder(home)) && time.Now().Before(end); {
		if !wait(ctx, startTime/100) {
			return nil, ctx.Err()
		}
		phone, err = api.Dial(home)
	}
	return phone, err
}

// The purposes of those who have a profile as phones.
const (
	purposeUp   = "sotto up"
	purposeCall = "sotto call"
)

func isPhone(purpose string) bool { return purpose == purposeUp || purpose == purposeCall }

const driveHelp = `
A phone must be up in another terminal: sotto up, or a sotto call. Which call is
meant is said by its number (sotto status shows it) or its contact's name, and
need not be said where only one fits.

` + exitHelp

// drive makes a command that does something to a call of the phone that is up.
func (o *options) drive(c *cobra.Command, act func(ctx context.Context, phone *api.Client, id string) error) *cobra.Command {
	c.Long += driveHelp
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usageError{fmt.Errorf("one call at a time, not %d (a name with spaces goes in quotes)", len(args))}
		}
		return nil
	}
	c.ValidArgsFunction = o.completeCalls
	c.RunE = func(c *cobra.Command, args []string) error {
		phone, err := o.driven(c.Context())
		if err != nil {
			return err
		}
		id, err := which(c.Context(), phone, strings.Join(args, ""))
		if err != nil {
			return err
		}
		return act(c.Context(), phone, id)
	}
	return c
}

// which is the id of the call that text names: an id, or a contact's name or
// address. "" stays so.
func which(ctx context.Context, phone *api.Client, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	s, err := phone.Status(ctx)
	if err != nil {
		return "", err
	}
	for _, c := range s.Calls {
		if c.ID == text {
			return c.ID, nil
		}
	}
	peer := ""
	if card, err := contact.ParseCard(text); err == nil {
		peer = card.Address.Onion()
	}
	var ids []string
	for _, c := range s.Calls {
		if c.Name != "" && strings.EqualFold(c.Name, text) || c.Peer == peer {
			ids = append(ids, c.ID)
		}
	}
	switch len(ids) {
	case 0:
		return "", usageError{fmt.Errorf("there is no call %q: sotto status shows those that are on", text)}
	case 1:
		return ids[0], nil
	}
	return "", usageError{fmt.Errorf("there are several calls with %s: say which by its number, %s", text, strings.Join(ids, " or "))}
}

// completeCalls completes an argument with the calls that are on.
func (o *options) completeCalls(c *cobra.Command, args []string, begun string) (found []string, _ cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	home, err := o.profile()
	if err != nil || len(args) > 0 {
		return nil, none
	}
	phone, err := api.Dial(home) // Tab does not wait for one that starts
	if err != nil {
		return nil, none
	}
	ctx := c.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	s, err := phone.Status(ctx)
	if err != nil {
		return nil, none
	}
	for _, c := range s.Calls {
		switch {
		case c.Name != "" && strings.HasPrefix(strings.ToLower(c.Name), strings.ToLower(begun)):
			found = append(found, c.Name)
		case c.Name == "" && strings.HasPrefix(c.ID, begun):
			found = append(found, c.ID)
		}
	}
	return found, none
}

func newAnswer(o *options) *cobra.Command {
	return o.drive(&cobra.Command{
		Use:     "answer [CALL]",
		Short:   "Answer the call that rings",
		Long:    "Answers a call that rings at the phone that is up: the microphone opens. Who was\nbeing talked to is put on hold.\n",
		Example: "  sotto answer\n  sotto answer ann",
	}, func(ctx context.Context, phone *api.Client, id string) error { return phone.Answer(ctx, id) })
}

func newDecline(o *options) *cobra.Command {
	return o.drive(&cobra.Command{
		Use:     "decline [CALL]",
		Short:   "Decline the call that rings",
		Long:    "Declines a call that rings. A contact is told: declined, or busy where another\ncall is on. A stranger is not: it rings on for them.\n",
		Example: "  sotto decline",
	}, func(ctx context.Context, phone *api.Client, id string) error { return phone.Decline(ctx, id) })
}

func newHangUp(o *options) *cobra.Command {
	return o.drive(&cobra.Command{
		Use:     "hangup [CALL]",
		Short:   "Hang up",
		Long:    "Ends a call, or one that is being made; one that rings is declined.\n",
		Example: "  sotto hangup\n  sotto hangup ann",
	}, func(ctx context.Context, phone *api.Client, id string) error { return phone.HangUp(ctx, id) })
}

func newHold(o *options) *cobra.Command {
	var off bool
	c := o.drive(&cobra.Command{
		Use:     "hold [--off] [CALL]",
		Short:   "Put a call on hold, or take it off",
		Long:    "Puts a call on hold: nothing is said or heard in it, and the other side is told.\n--off ends that, and puts on hold whoever else is being talked to.\n",
		Example: "  sotto hold\n  sotto hold --off ann",
	}, func(ctx context.Context, phone *api.Client, id string) error { return phone.Hold(ctx, id, !off) })
	c.Flags().BoolVar(&off, "off", false, "take it off hold")
	return c
}

func newMute(o *options) *cobra.Command {
	var off bool
	c := o.drive(&cobra.Command{
		Use:     "mute [--off] [CALL]",
		Short:   "Mute the microphone, or end that",
		Long:    "Sends silence in place of what the microphone hears. The other side cannot tell\nthat from silence. --off ends that.\n",
		Example: "  sotto mute\n  sotto mute --off",
	}, func(ctx context.Context, phone *api.Client, id string) error { return phone.Mute(ctx, id, !off) })
	c.Flags().BoolVar(&off, "off", false, "end it")
	return c
}

func newSay(o *options) *cobra.Command {
	var to string
	c := &cobra.Command{
		Use:   "say [--to CALL] [TEXT]",
		Short: "Write a line of text in a call",
		Long: `Sends text to the other side of a call in which both talk. Without TEXT each line
of standard input is sent; on a terminal it asks for one. Prefer that: arguments
stand in process lists and in the shell's history. A line has at most 1,023
bytes; what does not print is left out.
` + driveHelp,
		Example: "  sotto say\n  echo 'I am in the second room' | sotto say\n  sotto say --to ann < notes.txt",
		RunE: func(c *cobra.Command, args []string) error {
			phone, err := o.driven(c.Context())
			if err != nil {
				return err
			}
			id, err := which(c.Context(), phone, to)
			if err != nil {
				return err
			}
			return o.say(c, phone, id, strings.Join(args, " "))
		},
	}
	c.Flags().StringVar(&to, "to", "", "the call, by number or name")
	_ = c.RegisterFlagCompletionFunc("to", o.completeCalls)
	return c
}

func (o *options) say(c *cobra.Command, phone *api.Client, id, text string) error {
	if text != "" {
		return sayLine(c.Context(), phone, id, text)
	}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		line, err := ask(c.Context(), "Say:")
		if errors.Is(err, errNoTerminal) {
			err = usageError{fmt.Errorf("what to say? %w: give it on standard input", err)}
		}
		if err != nil {
			return err
		}
		return sayLine(c.Context(), phone, id, line)
	}
	lines := bufio.NewScanner(os.Stdin)
	said := false
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if err := sayLine(c.Context(), phone, id, lines.Text()); err != nil {
			return err
		}
		said = true
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	if !said {
		return usageError{errors.New("there is nothing to say on standard input")}
	}
	return nil
}

func sayLine(ctx context.Context, phone *api.Client, id, text string) error {
	if len(text) > api.MaxText {
		return usageError{fmt.Errorf("a line has at most %d bytes, and this one %d", api.MaxText, len(text))}
	}
	return phone.Say(ctx, id, text)
}

func newSilent(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "silent on|off",
		Short: "Do not disturb",
		Long: `While the phone that is up is silent nobody's call rings; they are listed as
missed. To the other side it is a call that nobody answers. It lasts until it is
turned off, or the phone ends; for the same hours every day see sotto contacts
policy --silent.
` + driveHelp,
		Example:   "  sotto silent on\n  sotto silent off",
		ValidArgs: []string{"on", "off"},
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] != "on" && args[0] != "off" {
				return usageError{errors.New("sotto silent is on or off")}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			phone, err := o.driven(c.Context())
			if err != nil {
				return err
			}
			return phone.Silent(c.Context(), args[0] == "on")
		},
	}
}
