package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/identity/vault"
)

// passphraseFile is the variable that names a file with the passphrase.
const passphraseFile = "SOTTO_PASSPHRASE_FILE"

const passphraseHelp = `A sealed identity asks for its passphrase on the terminal. Without one, it is
the first line of the file that ` + passphraseFile + ` names, or of the open
file that --passphrase-fd numbers; where a second one is needed (sotto id seal),
that is the next line, or the same one.
`

var (
	errSealed = errors.New("the identity is sealed, and there is no terminal to ask for its passphrase on: name a file with " + passphraseFile + ", or an open one with --passphrase-fd")
	errUnsure = errors.New("no passphrase can be asked for here, as there is no terminal: name a file with " + passphraseFile + ", or an open one with --passphrase-fd, or go without one: --no-passphrase")
)

// tries is how often a passphrase may be mistyped.
const tries = 3

// open opens the identity in home, asking for the passphrase if it is sealed.
// The passphrase is nil where there is none; it is for the caller to wipe.
func (o *options) open(ctx context.Context, home string) (*vault.Vault, *vault.Passphrase, error) {
	var p *vault.Passphrase
	ask := func() (*vault.Passphrase, error) {
		var err error
		p, err = o.passphrase(ctx, "Passphrase:")
		return p, err
	}
	for try := 1; ; try++ {
		v, err := vault.Open(home, ask)
		if p != nil {
			debug.FreeOSMemory() // which opening took a lot of
		}
		if err == nil {
			return v, p, nil
		}
		p.Wipe()
		if o.lines != nil || try == tries || !errors.Is(err, vault.ErrPassphrase) && !errors.Is(err, vault.ErrEmpty) {
			return nil, nil, err
		}
		tell("That is not it. Once more.")
	}
}

// passphrase is the one that opens: given, or asked for.
func (o *options) passphrase(ctx context.Context, question string) (*vault.Passphrase, error) {
	line, ok, err := o.given()
	if err != nil {
		return nil, err
	}
	if ok {
		return vault.NewPassphrase(line)
	}
	text, err := askSecret(ctx, question)
	if errors.Is(err, errNoTerminal) {
		return nil, errSealed
	}
	if err != nil {
		return nil, err
	}
	return vault.NewPassphrase(text)
}

// newPassphrase is the one to seal with: given, or asked for twice, or made up.
func (o *options) newPassphrase(ctx context.Context) (*vault.Passphrase, error) {
	line, ok, err := o.given()
	if err != nil {
		return nil, err
	}
	if ok {
		return vault.NewPassphrase(line)
	}
	for range tries {
		text, err := askSecret(ctx, "A passphrase to seal it with (Return alone: make one up):")
		if errors.Is(err, errNoTerminal) {
			return nil, errUnsure
		}
		if err != nil {
			return nil, err
		}
		if len(text) == 0 {
			text = []byte(strings.Join(contact.RandomWords(7), " "))
			tell("Your passphrase, to be written down now:\n\n  %s\n", text)
		} else if len(text) < shortPassphrase {
			tell("That is short: nothing else seals the identity, and whoever copies the file can try\nas many as they like. The same again takes it; anything else, and you are asked anew.")
		}
		p, err := vault.NewPassphrase(text)
		if err != nil {
			return nil, err
		}
		if text, err = askSecret(ctx, "The same again:"); err != nil {
			return nil, err
		}
		again, err := vault.NewPassphrase(text)
		same := err == nil && again.Equal(p)
		again.Wipe()
		if same {
			return p, nil
		}
		p.Wipe()
		tell("These were not the same.")
	}
	return nil, errUnequal
}

// shortPassphrase is below how many bytes a passphrase is called short.
const shortPassphrase = 16

var errUnequal = errors.New("no passphrase was entered twice alike: nothing was done")

// given is the next line of the file with the passphrase, or the last one again
// after its end. ok says that such a file was named.
func (o *options) given() (line []byte, ok bool, err error) {
	path := os.Getenv(passphraseFile)
	switch {
	case o.lines != nil:
	case o.passphraseFD >= 0:
		syscall.CloseOnExec(o.passphraseFD) // no program that is started reads it again
		o.lines = descriptor(o.passphraseFD)
	case path != "":
		f, err := os.Open(path)
		if err != nil {
			return nil, true, fmt.Errorf("%w: %w", errGiven, err)
		}
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			return nil, true, fmt.Errorf("%w: others can read %s: chmod 600 it", errGiven, path)
		}
		o.lines = f // until the process ends
	default:
		return nil, false, nil
	}
	line, err = lineOf(o.lines)
	if err != nil {
		return nil, true, fmt.Errorf("%w: %w", errGiven, err)
	}
	if len(line) > 0 {
		o.line = line
	}
	return bytes.Clone(o.line), true, nil
}

var errGiven = errors.New("the passphrase cannot be read")

// lineOf reads a line byte by byte, so that what follows is left to others.
func lineOf(r io.Reader) (line []byte, err error) {
	for b := make([]byte, 1); len(line) < 4096; {
		n, err := r.Read(b)
		if n == 1 && b[0] != '\n' {
			line = append(line, b[0])
		}
		if n == 1 && b[0] == '\n' || errors.Is(err, io.EOF) {
			return bytes.TrimRight(line, "\r"), nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errors.New("its line is too long")
}

// descriptor is an open file by its number, which stays open.
type descriptor int

func (d descriptor) Read(b []byte) (int, error) {
	n, err := syscall.Read(int(d), b)
	if err != nil {
		return 0, fmt.Errorf("--passphrase-fd %d: %w", int(d), err)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
