//go:build unix

package onion

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// trustworthy is where a program really is, if nobody else can change it, or
// put another one there: it belongs to root or to us and is not writable by
// others, and so are the folders that lead to it, but that in a sticky folder
// (/tmp) all may add what is theirs.
func trustworthy(path string) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoTor, err)
	}
	for at := path; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrNoTor, err)
		}
		owner, known := info.Sys().(*syscall.Stat_t)
		if !known {
			return "", fmt.Errorf("%w: nobody knows to whom %s belongs", ErrUnsafeTor, at)
		}
		if err := trusted(at, int(owner.Uid), os.Geteuid(), info.Mode()); err != nil {
			return "", err
		}
		if at == filepath.Dir(at) {
			return path, nil
		}
	}
}

// trusted says why a file or folder of this owner and mode could be changed by
// others than root and us.
func trusted(path string, owner, us int, mode fs.FileMode) error {
	const group, others = 0o020, 0o002
	switch folder := mode.IsDir(); {
	case owner != 0 && owner != us:
		return fmt.Errorf("%w: %s belongs to user %d, neither root nor you", ErrUnsafeTor, path, owner)
	case mode&others != 0 && !(folder && mode&fs.ModeSticky != 0):
		return fmt.Errorf("%w: everybody can write to %s; take that right away (chmod o-w)", ErrUnsafeTor, path)
	case mode&group != 0 && !folder: // Debian lets the group staff write to /usr/local/bin
		return fmt.Errorf("%w: a group can write to %s; take that right away (chmod g-w)", ErrUnsafeTor, path)
	}
	return nil
}
