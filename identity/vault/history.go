package vault

import (
	"errors"
	"path/filepath"
)

const (
	historyFile = "history"
	maxHistory  = 1 << 20 // bytes; 500 calls have about 70 KB
)

// HistoryPath is where the history of calls of the profile in dir lies.
func HistoryPath(dir string) string { return filepath.Join(dir, historyFile) }

// HasHistory says whether there is one in dir, whole or not.
func HasHistory(dir string) bool { return there(HistoryPath(dir)) }

// History reads the history, as it was saved; nil if there is none. Errors wrap
// [ErrHistory], [ErrOpen] or what the file system says.
func (v *Vault) History() ([]byte, error) {
	return v.readSealed(HistoryPath(v.dir), "history", maxHistory, ErrHistory)
}

// ChangeHistory replaces the history by what f makes of it (nil: there was none),
// while nobody else can change it. Where it cannot be read, or f refuses it, it
// stays as it is.
func (v *Vault) ChangeHistory(f func(old []byte) ([]byte, error)) error {
	lock, err := AcquireContacts(v.dir, "the history of calls")
	if err != nil {
		return err
	}
	defer lock.Release()
	old, err := v.History()
	if err != nil {
		return err
	}
	defer clear(old)
	text, err := f(old)
	if err != nil {
		return err
	}
	defer clear(text)
	return v.saveSealed(disk{}, HistoryPath(v.dir), "history", text)
}

// ForgetHistory deletes the history in dir, whole or not, sealed for whomever,
// and what a crash has left of one. had says that there was any.
func ForgetHistory(dir string) (had bool, err error) {
	path := HistoryPath(dir)
	fresh := fresh(path)
	if had = there(path) || there(fresh); !had {
		return false, nil
	}
	lock, err := AcquireContacts(dir, "sotto log --forget")
	if err != nil {
		return true, err
	}
	defer lock.Release()
	return true, errors.Join(discard(disk{}, fresh), discard(disk{}, path))
}
