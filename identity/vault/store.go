package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// importFile holds the contacts of an import until its identity is there.
const importFile = ".contacts.import"

// store makes identity and contacts (nil: none) a profile in one step, though
// they are two files. The contacts are laid down under another name first; then
// the identity is saved, which is the moment from which there is a profile;
// then the contacts are saved. A crash before that moment leaves no profile,
// and what lies there goes away with the next attempt; after it, [Vault.resume]
// does what was left to do.
func (v *Vault) store(s storage, contacts []byte, with *Passphrase) error {
	staged := filepath.Join(v.dir, importFile)
	if err := discard(s, staged); err != nil { // an older import's
		return err
	}
	if contacts == nil {
		return v.write(s, with)
	}
	raw, err := encrypt(contacts, v.contacts.Recipient())
	if err != nil {
		return err
	}
	if err := save(s, staged, raw); err != nil {
		return errors.Join(err, discard(s, staged))
	}
	if err := v.write(s, with); err != nil {
		return errors.Join(err, discard(s, staged))
	}
	return v.settle(s, raw)
}

// settle ends an import.
func (v *Vault) settle(s storage, raw []byte) error {
	if err := save(s, ContactsPath(v.dir), raw); err != nil {
		return err
	}
	return discard(s, filepath.Join(v.dir, importFile))
}

// resume ends an import that a crash has cut short, as far as it was this
// identity's. Contacts that are there by now stay.
func (v *Vault) resume() error {
	staged := filepath.Join(v.dir, importFile)
	if !there(staged) {
		return nil
	}
	lock, err := AcquireContacts(v.dir, "sotto id import")
	if err != nil {
		return err
	}
	defer lock.Release()
	text, err := v.readContacts(staged)
	if clear(text); err != nil || text == nil {
		return nil
	}
	if there(ContactsPath(v.dir)) {
		return discard(disk{}, staged)
	}
	raw, err := os.ReadFile(staged)
	if err != nil {
		return err
	}
	return v.settle(disk{}, raw)
}

// discard removes a file for certain: no crash brings it back.
func discard(s storage, path string) error {
	err := s.remove(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return s.syncFolder(filepath.Dir(path))
}
