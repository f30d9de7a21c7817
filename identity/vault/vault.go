// Package vault is the identity on disk: one profile's folder, its secret key,
// its contacts, its history of calls and its lock.
//
//	DIR/            0700
//	DIR/identity    0600, the key: an age file sealed with a passphrase
//	DIR/contacts    0600, an age file sealed for the key that identity holds
//	DIR/history     the same, of calls; only where the person wants one
//	DIR/.contacts.import   the same, of an import that has not ended
//	DIR/lock        held by the one process that uses the profile
//
// All are plain age files (age-encryption.org/v1, armored), so that nobody
// needs this program to get at what is theirs:
//
//	age -d identity                 asks for the passphrase, shows the key
//	age -d -i identity contacts     the same, shows the contacts; and so with history
//
// Opening the identity derives one key from the passphrase, which takes about a
// second and 256 MiB on purpose. Contacts are sealed for an X25519 key that
// follows from the identity's, so that reading and saving them costs no second
// derivation and asks for nothing. The history of calls is sealed for it, too.
//
// Inside the seal (and, by explicit choice only, without one) stand six lines,
// of which every byte is checked; see [render]. The four lines of version 1
// are read, too.
//
// A file that is damaged, cut short or newer than this program is refused with
// a reason and never replaced. Saving is write, fsync, rename, fsync of the
// folder: a crash leaves the old file or the new one. What opens a vault hands
// out the secret key on memory pages that are not swapped out, see [Harden].
package vault

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"

	"github.com/sottovoce/sotto/identity"
)

// Reasons why there is no identity, list of contacts or history to use.
var (
	ErrNone       = errors.New("no identity yet: make one with sotto id")
	ErrDamaged    = errors.New("the identity file is damaged: restore it from a backup, or move it away and make a new identity (with a new address)")
	ErrHistory    = errors.New("the history file is damaged: restore it from a backup, move it away, or delete it with sotto log --forget")
	ErrContacts   = errors.New("the contacts file is damaged: restore it from a backup, or move it away and begin a new list")
	ErrNewer      = errors.New("it was written by a newer sotto: use that one, nothing was touched")
	ErrNoBackup   = errors.New("this is no backup of an identity, or a damaged one: take the file that sotto id export has written, or for an onion service's folder --tor")
	ErrCut        = errors.New("this backup is cut short or damaged: take another copy of it")
	ErrExists     = errors.New("there is one already, and it is never replaced")
	ErrOpen       = errors.New("it can be read by others: chmod 600 it, and think about who may have read it")
	ErrEmpty      = errors.New("the passphrase is empty")
	ErrPassphrase = errors.New("the passphrase is wrong (or the file is damaged)")
)

const (
	identityFile = "identity"
	contactsFile = "contacts"
	maxIdentity  = 16 << 10 // bytes; a sealed one has about 900
	maxContacts  = 64 << 20 // bytes; 10,000 contacts have about 1.5 MB
)

// Path is where the identity of the profile in dir lies.
func Path(dir string) string { return filepath.Join(dir, identityFile) }

// ContactsPath is where its contacts lie.
func ContactsPath(dir string) string { return filepath.Join(dir, contactsFile) }

// Exists says whether there is an identity in dir, whole or not.
func Exists(dir string) bool { return there(Path(dir)) }

func there(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Vault is an opened profile.
type Vault struct {
	Key *identity.Key
	// Sealed says that a passphrase was needed.
	Sealed bool
	// Swappable is why Key may be swapped out to disk; nil: it is not.
	Swappable error

	dir      string
	contacts *age.X25519Identity
}

// Ask gives the passphrase. It is called once, and only where one is needed;
// its error is Open's.
type Ask func() (*Passphrase, error)

// Open reads the identity in dir. Errors wrap [ErrNone], [ErrDamaged],
// [ErrNewer], [ErrOpen], [ErrPassphrase], what ask says, or what the file
// system says.
func Open(dir string, ask Ask) (*Vault, error) {
	raw, err := readPrivate(Path(dir), maxIdentity)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNone
	case errors.Is(err, errTooLong):
		return nil, fmt.Errorf("%s: %w", Path(dir), ErrDamaged)
	case err != nil:
		return nil, fmt.Errorf("reading the identity: %w", err)
	}
	defer clear(raw)
	var refused error
	key, contacts, err := read(raw, func() (p *Passphrase, err error) {
		if ask == nil {
			return nil, ErrPassphrase
		}
		p, refused = ask()
		return p, refused
	})
	if refused != nil {
		return nil, refused
	}
	if err == nil && contacts != nil {
		clear(contacts)
		err = fmt.Errorf("%w (it is a backup: sotto id import reads it)", ErrDamaged)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Path(dir), err)
	}
	v, err := open(dir, key, sealed(raw))
	if err != nil {
		return nil, err
	}
	if err := v.resume(); err != nil {
		return nil, fmt.Errorf("ending an import that was cut short: %w", err)
	}
	return v, nil
}

func open(dir string, key *identity.Key, sealed bool) (*Vault, error) {
	contacts, err := contactsKey(key)
	if err != nil {
		return nil, err
	}
	return &Vault{Key: key, Sealed: sealed, Swappable: lockKey(key), dir: dir, contacts: contacts}, nil
}

// read opens an identity or a backup of one: sealed or not, of any version
// that is known. contacts is nil where there are none.
func read(raw []byte, ask Ask) (key *identity.Key, contacts []byte, err error) {
	text := raw
	if sealed(raw) {
		passphrase, err := ask()
		if err != nil {
			return nil, nil, err
		}
		if text, err = unseal(raw, passphrase, maxContacts); err != nil {
			return nil, nil, err
		}
		defer clear(text)
	}
	return parse(text)
}

// Create saves a new identity in dir, which is made if need be, sealed with
// the passphrase, or unsealed if that is nil. An identity that is there is
// never replaced: [ErrExists]. Nor is one made beside another's contacts.
func Create(dir string, key *identity.Key, with *Passphrase) (*Vault, error) {
	return establish(dir, key, nil, with)
}

// establish makes the profile in dir from its parts, as one step; contacts is
// nil for those that may be there already.
func establish(dir string, key *identity.Key, contacts []byte, with *Passphrase) (*Vault, error) {
	lock, err := Acquire(dir, "sotto id")
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	if contacts != nil {
		reading, err := AcquireContacts(dir, "sotto id import")
		if err != nil {
			return nil, err
		}
		defer reading.Release()
	}
	if Exists(dir) {
		return nil, fmt.Errorf("%s: %w", Path(dir), ErrExists)
	}
	v, err := open(dir, key, with != nil)
	if err != nil {
		return nil, err
	}
	path := ContactsPath(dir)
	switch old, err := v.Contacts(); {
	case errors.Is(err, ErrContacts):
		return nil, fmt.Errorf("%s: %w, and does not open with this identity: import the one that it belongs to, or move it away", path, ErrExists)
	case err != nil:
		return nil, err
	case old != nil && contacts != nil:
		clear(old)
		return nil, fmt.Errorf("%s: %w: move it away first", path, ErrExists)
	default:
		clear(old)
	}
	if err := v.store(disk{}, contacts, with); err != nil {
		return nil, err
	}
	return v, nil
}

// Reseal saves the same identity under another passphrase, or unsealed if that
// is nil. The profile must not be in use by another process.
func (v *Vault) Reseal(with *Passphrase) error {
	lock, err := Acquire(v.dir, "sotto id seal")
	if err != nil {
		return err
	}
	defer lock.Release()
	if err := v.write(disk{}, with); err != nil {
		return err
	}
	v.Sealed = with != nil
	return nil
}

func (v *Vault) write(s storage, with *Passphrase) error {
	text, err := Backup(v.Key, nil, with)
	if err == nil {
		err = save(s, Path(v.dir), text)
		clear(text)
	}
	if err != nil {
		return fmt.Errorf("saving the identity: %w", err)
	}
	return nil
}

// Contacts reads the contacts, as they were saved; nil if there are none yet.
// Errors wrap [ErrContacts], [ErrOpen] or what the file system says.
func (v *Vault) Contacts() ([]byte, error) { return v.readContacts(ContactsPath(v.dir)) }

func (v *Vault) readContacts(path string) ([]byte, error) {
	return v.readSealed(path, "contacts", maxContacts, ErrContacts)
}

// readSealed reads a file that is sealed for the identity's own key; nil if there
// is none.
func (v *Vault) readSealed(path, what string, most int64, damaged error) ([]byte, error) {
	raw, err := readPrivate(path, most)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, errTooLong):
		return nil, fmt.Errorf("%s: %w", path, damaged)
	case err != nil:
		return nil, fmt.Errorf("reading the %s: %w", what, err)
	}
	text, err := decrypt(raw, v.contacts, most)
	var other *age.NoIdentityMatchError
	if errors.As(err, &other) {
		err = errors.New("or it belongs to another identity")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w (%w)", path, damaged, err)
	}
	return text, nil
}

// SaveContacts replaces the contacts. Whoever changes what they have read holds
// [AcquireContacts] from the reading to the saving.
func (v *Vault) SaveContacts(text []byte) error {
	return v.saveSealed(disk{}, ContactsPath(v.dir), "contacts", text)
}

func (v *Vault) saveSealed(s storage, path, what string, text []byte) error {
	raw, err := encrypt(text, v.contacts.Recipient())
	if err == nil {
		err = save(s, path, raw)
	}
	if err != nil {
		return fmt.Errorf("saving the %s: %w", what, err)
	}
	return nil
}

var errTooLong = errors.New("too long")

// readPrivate reads a file that nobody else may read, at most most bytes.
func readPrivate(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: %w", path, ErrOpen)
	}
	raw, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(raw)) > most {
		err = errTooLong
	}
	return raw, err
}
