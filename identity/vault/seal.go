package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/sottovoce/sotto/identity"
)

// Work of scrypt, as the logarithm of its N: each step doubles time and memory
// (18: about a second and 256 MiB).
const (
	defaultWork = 18
	mostWork    = 22
)

// sealed tells an age file from our own text.
func sealed(raw []byte) bool {
	return bytes.HasPrefix(raw, []byte(armor.Header)) || bytes.HasPrefix(raw, []byte("age-encryption.org/"))
}

// Backup is an identity, and contacts if there are any, as one file to keep
// elsewhere: sealed with the passphrase so that plain age -d opens it, or
// unsealed if that is nil.
func Backup(key *identity.Key, contacts []byte, with *Passphrase) ([]byte, error) {
	text, err := render(key)
	if err != nil {
		return nil, err
	}
	if contacts != nil {
		text = append(append(text, '\n'), contacts...)
	}
	if with == nil {
		return text, nil
	}
	defer clear(text)
	recipient, err := age.NewScryptRecipient(with.view())
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(with.work())
	return encrypt(text, recipient)
}

// Restore makes an identity in dir of a backup, or of an identity file, sealed
// or not: sealed with the passphrase that with gives, or unsealed if that is
// nil. Contacts in the backup come with it. An identity, or contacts, that are
// there are never replaced: [ErrExists]. What is no whole backup is [ErrNoBackup]
// or [ErrCut].
func Restore(dir string, backup []byte, ask, with Ask) (*Vault, error) {
	key, contacts, err := read(backup, ask)
	if errors.Is(err, ErrDamaged) && !sealed(backup) && !bytes.Contains(backup, []byte("sotto identity ")) {
		return nil, ErrNoBackup
	}
	if errors.Is(err, ErrDamaged) {
		return nil, ErrCut
	}
	if err != nil {
		return nil, err
	}
	defer clear(contacts)
	passphrase, err := with()
	if err != nil {
		return nil, err
	}
	return establish(dir, key, contacts, passphrase)
}

// unseal opens what a passphrase sealed.
func unseal(raw []byte, passphrase *Passphrase, most int64) ([]byte, error) {
	id, err := age.NewScryptIdentity(passphrase.view())
	if err != nil {
		return nil, err
	}
	id.SetMaxWorkFactor(passphrase.mostWork())
	text, err := decrypt(raw, id, most)
	var wrong *age.NoIdentityMatchError
	if errors.As(err, &wrong) {
		return nil, ErrPassphrase
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	return text, nil
}

func encrypt(text []byte, to age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, to)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(text)
	err = errors.Join(err, w.Close(), a.Close())
	return out.Bytes(), err
}

// decrypt opens an age file, armored or not, which must end where it ends.
func decrypt(raw []byte, with age.Identity, most int64) ([]byte, error) {
	var in io.Reader = bytes.NewReader(raw)
	if bytes.HasPrefix(raw, []byte(armor.Header)) {
		in = armor.NewReader(in)
	}
	r, err := age.Decrypt(in, with)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(text)) > most {
		err = errTooLong
	}
	if err != nil {
		clear(text)
		return nil, err
	}
	return text, nil
}
