// Package cli is sotto's command line.
//
// Rules that hold for every command: data goes to standard output, talk and
// progress to standard error; progress is one live line on a terminal and
// plain lines elsewhere; every failure is one line that says what can be done,
// and an exit code of its own (see [exitCodes]); an address is never needed as
// an argument, because arguments stand in process lists and shell histories.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/config"
	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/internal/phone/history"
	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/voice/portaudio"
)

// Exit codes, one a kind of failure.
const (
	exitDone        = 0
	exitOther       = 1
	exitUsage       = 2
	exitTor         = 3
	exitUnreachable = 4
	exitDeclined    = 5
	exitNoAnswer    = 6
	exitIdentity    = 7
	exitAudio       = 8
	exitInterrupted = 130
)

// exitCodes says which failure has which code; the first that fits counts.
var exitCodes = []struct {
	code  int
	kinds []error
}{
	{exitInterrupted, []error{errInterrupted}},
	{exitAudio, []error{phone.ErrAudio}},
	{exitIdentity, []error{
		vault.ErrNone, vault.ErrDamaged, vault.ErrNoBackup, vault.ErrCut, vault.ErrContacts, vault.ErrHistory, vault.ErrNewer, vault.ErrOpen, vault.ErrExists, vault.ErrInUse,
		contact.ErrBook, contact.ErrNewer, history.ErrHistory, history.ErrNewer, vault.ErrPassphrase, vault.ErrEmpty, vault.ErrTor, errSealed, errUnsure, errUnequal, errGiven,
	}},
	{exitUsage, []error{
		errUsage, identity.ErrAddress, identity.ErrV2, identity.ErrChecksum, identity.ErrVersion, identity.ErrPoint,
		contact.ErrCard, contact.ErrName, contact.ErrTaken, contact.ErrUnknown, contact.ErrPolicy,
		onion.ErrBridge, onion.ErrBadAddress, config.ErrWrong,
	}},
	{exitDeclined, []error{call.ErrDeclined, call.ErrBusy}},
	{exitNoAnswer, []error{call.ErrNoAnswer}},
	{exitUnreachable, []error{onion.ErrUnreachable, onion.ErrAuthorisation, call.ErrUnreached}},
	{exitTor, []error{onion.ErrNoTor, onion.ErrUnsafeTor, onion.ErrTorTooOld, onion.ErrNoRunning, onion.ErrTransport, onion.ErrNotReady, onion.ErrOffline, onion.ErrTorStopped}},
}

var (
	errUsage       = errors.New("usage")
	errInterrupted = errors.New("interrupted")
)

// exitCode is the code for how a command ended.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	var said *api.Error // by a phone
	if errors.As(err, &said) {
		return said.Exit
	}
	for _, e := range exitCodes {
		for _, kind := range e.kinds {
			if errors.Is(err, kind) {
				return e.code
			}
		}
	}
	return exitOther
}

const exitHelp = `Exit codes:
  0 done                     5 declined, or in another call
  1 something else failed    6 nobody answered
  2 wrong usage or address   7 identity missing, damaged or in use
  3 Tor is not to be had     8 sound: no device, no such file
  4 nobody is reached        130 interrupted
`

// Main runs sotto with the arguments after its name and gives the exit code.
func Main(args []string) int {
	portaudio.Main()
	if err := vault.Harden(); err != nil {
		fmt.Fprintf(os.Stderr, "sotto: warning: %v\n", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends sotto at once, but see outlive
	root := newRoot()
	complete(root)
	root.SetArgs(args)
	c, err := root.ExecuteContextC(ctx)
	if err != nil && ctx.Err() != nil && !errors.Is(err, errInterrupted) {
		err = fmt.Errorf("%w (%w)", errInterrupted, err)
	}
	code := exitCode(err)
	switch code {
	case exitDone:
	case exitInterrupted:
		fmt.Fprintln(os.Stderr, "sotto: interrupted")
	case exitUsage:
		fmt.Fprintf(os.Stderr, "sotto: %s%s\n", aim(c, err.Error()), helpful(c, err))
	default:
		fmt.Fprintf(os.Stderr, "sotto: %s\n", aim(c, err.Error()+remedy(err)))
	}
	return code
}

// remedy is what helps where the file system refuses; "" where an error says so
// itself.
func remedy(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return ": make room on that disk, and try again"
	case errors.Is(err, syscall.EROFS):
		return ": take another place, as with --home"
	case errors.Is(err, fs.ErrPermission):
		return ": it must be your own (ls -ld shows whose it is), or take another place, as with --home"
	}
	return ""
}

// usageError is a wrong way to call a command, which says what is right.
type usageError struct{ error }

func (u usageError) Is(target error) bool { return target == errUsage }

// misuse is a wrong way to call a command of which its help says more: how it is
// called, and with which flags.
type misuse struct{ error }

func (misuse) Is(target error) bool { return target == errUsage }

// helpful says where the help is, if it helps.
func helpful(c *cobra.Command, err error) string {
	var m misuse
	if errors.As(err, &m) {
		return fmt.Sprintf(" (see %s --help)", c.CommandPath())
	}
	return ""
}

// options are the flags that every command has.
type options struct {
	home         string
	network      string
	tor          string
	running      onion.Running
	verbose      bool
	plain        bool // no line that moves, no bell
	noInput      bool // nobody is asked
	history      bool // what becomes of calls is kept
	passphraseFD int
	unsettled    error // what is wrong with the settings, for the doctor

	lines io.Reader // the file with the passphrase, once it is open
	line  []byte    // last read of it
}

func newRoot() *cobra.Command {
	o := &options{}
	up := &upCommand{options: o}
	asUp := up.command()
	root := &cobra.Command{
		Use:   "sotto",
		Short: "Voice calls between Tor onion services",
		Long: `sotto makes voice calls over Tor. Your onion address is your phone number and
your identity; there is no server, no account, and nobody in between.

First time, on two machines:

  sotto id                  make an identity and show its address
  sotto contacts card       show your card, to give to a friend
  sotto contacts add ann    paste your friend's, and name them
  sotto up                  publish your address and wait for their calls
  sotto call ann            call them

From then on sotto alone opens a screen for all of that: of the phone that is up,
or of one that ends with the screen. sotto --plain tells the same in lines, for
screen readers. While a phone is up, other terminals drive it as well: sotto answer,
decline, hangup, hold, mute, say, silent, status, log. docs/api.md is for programs.

Or see a whole call on this machine alone, over a private Tor network:

  sotto demo

sotto starts a tor of its own. Where one runs already and is the only way to the
network, as on Tails and Whonix, use that: sotto up --tor-control auto. It looks
in the usual places and says what it finds; TOR_CONTROL_PASSWD gives a password.
docs/tor.md tells what has to be set up first, and what is lost by it.

What sotto does not hide (that you use Tor, when a call begins and ends, your
voice) is in docs/threat-model.md.

` + exitHelp,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if o.noInput {
				c.SetContext(context.WithValue(c.Context(), noInput{}, true))
			}
			return o.configure(c)
		},

		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),
		Args:          knownVerb,
		RunE:          func(c *cobra.Command, _ []string) error { return o.atHome(c, up, asUp) },
	}
	up.files(root)
	root.SetVersionTemplate("sotto {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	flags := root.PersistentFlags()
	flags.StringVar(&o.home, "home", "", "the profile's folder (default "+shownHome+")")
	flags.StringVar(&o.network, "network", "", "folder of a private network that sotto demo --keep runs, in place of the Tor network")
	flags.StringVar(&o.tor, "tor", "", "the tor program (default: looked for in PATH)")
	flags.StringVar(&o.running.Control, "tor-control", "", "use a tor that runs already, as on Tails and Whonix, in place of one of sotto's own: auto, or its control socket, as /run/tor/control or 127.0.0.1:9051")
	flags.StringVar(&o.running.Listen, "tor-listen", "", "with --tor-control: the IP address where that tor brings callers (default: the one it is spoken to from)")
	flags.StringVar(&o.running.Target, "tor-target", "", "with --tor-control: the same as that tor has to name it, if it differs")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "say more on standard error, with addresses shortened in what is added")
	flags.BoolVar(&o.plain, "plain", false, "plain lines on the terminal: nothing moves or rings, as for a screen reader")
	flags.BoolVar(&o.noInput, "no-input", false, "never ask, and read no keys: fail where an answer is needed")
	flags.IntVar(&o.passphraseFD, "passphrase-fd", -1, "read the passphrase from the open file of this number")
	settings(flags, "home", "tor", "tor-control", "tor-listen", "tor-target", "verbose", "plain")
	root.AddCommand(newID(o), newContacts(o), asUp, newCall(o), newAnswer(o), newDecline(o), newHangUp(o), newHold(o), newMute(o), newSay(o), newSilent(o), newStatus(o), newLog(o), newDemo(o), newDoctor(o), newBridges(o), newDevices(), newConfig(), newMan(), newVersion())
	for _, c := range root.Commands() {
		c.DisableFlagsInUseLine = true
	}
	return root
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misuse{fmt.Errorf("%s takes no %q", c.CommandPath(), args[0])}
	}
	return nil
}

const shownHome = "$XDG_DATA_HOME/sotto, or ~/.local/share/sotto"

// profile is the profile's folder.
func (o *options) profile() (string, error) {
	if o.home != "" {
		return filepath.Abs(o.home)
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "sotto"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", usageError{errors.New("no home folder is known here: name a profile's folder with --home")}
	}
	return filepath.Join(home, ".local", "share", "sotto"), nil
}

// stdout is where a command's data goes.
func stdout(c *cobra.Command) io.Writer { return c.OutOrStdout() }
