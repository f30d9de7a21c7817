package tornet

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// settled is how old a folder must be to be swept: a younger one may be about
// to be locked.
const settled = time.Minute

// sweep removes what networks left in the temporary folder when their program
// was killed: nobody holds their locks.
func sweep() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), "sotto-net-*", "lock"))
	for _, path := range left {
		dir := filepath.Dir(path)
		if info, err := os.Stat(dir); err != nil || time.Since(info.ModTime()) < settled {
			continue
		}
		if l, err := lock(dir, syscall.LOCK_EX); err == nil {
			os.RemoveAll(dir)
			l.Close()
		}
	}
}
