// Package doctor looks at everything that a call needs, one thing after the
// other, and says of each whether it is well and, if not, what mends it:
//
//	settings   the files of sotto config
//	identity   that it opens, if one's own address is asked for
//	machine    the profile's folder, room on the disk, swap space, core dumps,
//	           memory that may be locked
//	tor        the program, the way into the network, its sandbox, circuits, the clock
//	reach      an address published and called through Tor, from this machine to
//	           itself: descriptor, introduction and rendezvous, both ways
//	           (of tor and this, while a phone is up: what that says)
//	sound      microphone, loudspeaker, libopus
//
// It opens no microphone and touches nobody's address but, if asked to, one's
// own. What must be there for any call is a failure when it is not; what only
// makes a call worse or less private is a warning. Times are in milliseconds.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/onion"
)

// Status is how a check came out.
type Status string

// From well to ill. Skipped is what could not be looked at because of a failure
// before it, or of a phone that is up.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Failure Status = "failure"
	Skipped Status = "skipped"
)

// Finding is one check's outcome.
type Finding struct {
	Check  string `json:"check"` // such as "folder": never changes, for programs
	Status Status `json:"status"`
	Says   string `json:"says"`
	Fix    string `json:"fix,omitempty"` // what to do; "" when it is well

	Err error `json:"-"` // of a failure: what kind it is
}

// Config says what to look at.
type Config struct {
	Phone phone.Config  // Progress is told of tor's bootstrap
	Key   *identity.Key // whose address is published and called; nil: one made for this

	Up       *api.Status // of a phone that is up and has the profile's tor; nil: there is none
	Identity error       // why Key, which was asked for, is not to be had; nil: it is, or was not asked for
	Settings error       // what is wrong with the settings, which are not used then; nil: nothing
}

// Examine makes all checks, gives each finding to found as it comes, and
// returns an error that wraps the first failure, nil if there is none.
func Examine(ctx context.Context, c Config, found func(Finding)) error {
	var first error
	failures := 0
	note := func(f Finding) {
		if f.Status == Failure {
			failures++
			first = cmp.Or(first, f.Err)
		}
		found(f)
	}
	note(settings(c.Settings))
	if c.Identity != nil {
		note(fail("identity", c.Identity, identityFix(c.Identity)))
	}
	for _, check := range []func(string) Finding{folder, disk, swap, dumps, locked} {
		note(check(c.Phone.Home))
	}
	if c.Up == nil {
		network(ctx, c, note)
	} else {
		for _, f := range ofPhone(*c.Up) {
			note(f)
		}
	}
	for _, check := range []func() Finding{microphone, loudspeaker, codec} {
		note(check())
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case failures > 0:
		return fmt.Errorf("%d checks failed, the first: %w", failures, first)
	}
	return nil
}

func settings(wrong error) Finding {
	if wrong != nil {
		return fail("settings", wrong, "mend it with sotto config edit, or as root if it is not your own file; until then only doctor and config work")
	}
	return well("settings", "nothing wrong with them (see sotto config list)")
}

func well(check, says string) Finding { return Finding{Check: check, Status: OK, Says: says} }

func warn(check, says, fix string) Finding {
	return Finding{Check: check, Status: Warning, Says: says, Fix: fix}
}

func fail(check string, err error, fix string) Finding {
	return Finding{Check: check, Status: Failure, Says: err.Error(), Fix: fix, Err: err}
}

func skipped(check, because string) Finding {
	return Finding{Check: check, Status: Skipped, Says: "not looked at: " + because}
}

// identityFix is what mends an identity that does not open.
func identityFix(err error) string {
	switch {
	case errors.Is(err, vault.ErrNone):
		return "sotto id makes one; or leave out --own"
	case errors.Is(err, fs.ErrPermission):
		return "make it your own with chown and chmod (ls -l shows whose it is), or take another profile with --home"
	case errors.Is(err, vault.ErrPassphrase):
		return "run it again with the right passphrase, or leave out --own"
	}
	return "restore it from a backup, or leave out --own"
}

const (
	blocked = "where Tor is blocked, use bridges"
	online  = "check that this machine is online and its clock right; " + blocked
)

// torFix is what mends a tor that cannot be used.
func torFix(err error, p phone.Config) string {
	switch {
	case errors.Is(err, vault.ErrInUse):
		return "end that one first (q, or Ctrl-C), or look at another profile with --home"
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return "make room on the disk of " + p.Home
	case errors.Is(err, fs.ErrPermission):
		return "make it your own with chown and chmod (ls -ld shows whose it is), or take another profile with --home"
	case p.Network != "" && errors.Is(err, onion.ErrNotReady):
		return "start the private network again with sotto demo --keep, or leave out --network"
	case errors.Is(err, onion.ErrBridge):
		return "give them anew with sotto bridges set, or use none with sotto bridges clear"
	case errors.Is(err, onion.ErrTransport):
		return "install what it names (on Debian: apt install obfs4proxy), or take other bridges with sotto bridges set"
	case errors.Is(err, onion.ErrTorTooOld):
		return "get tor 0.4.9.11 or newer from your system or torproject.org"
	case errors.Is(err, onion.ErrUnsafeTor):
		return "install tor from your system's packages, or name another with --tor"
	case errors.Is(err, onion.ErrNoRunning):
		return "see that the running tor has a control port or socket, name it with --tor-control, or leave that out"
	case errors.Is(err, onion.ErrNoTor):
		return "install tor (on Debian: apt install tor), or name it with --tor"
	case errors.Is(err, onion.ErrNotReady):
		return online
	}
	return "run it again with --verbose, and look at what tor says"
}
