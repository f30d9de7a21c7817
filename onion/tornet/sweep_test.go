package tornet

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// What a killed program left is removed; a running network's folder, and one
// that was made just now, are not.
func TestSweep(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	old := time.Now().Add(-time.Hour)
	folder := func(name string, age time.Time) string {
		dir := filepath.Join(temp, "sotto-net-"+name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "lock"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, age, age); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	left, runs, fresh := folder("left", old), folder("runs", old), folder("fresh", time.Now())
	l, err := lock(runs, syscall.LOCK_EX)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sweep()
	for dir, there := range map[string]bool{left: false, runs: true, fresh: true} {
		if _, err := os.Stat(dir); (err == nil) != there {
			t.Errorf("%s: %v", filepath.Base(dir), err)
		}
	}
}
