package cli

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The file with the passphrase goes on to no program that is started later: tor, or
// a hook.
func TestThePassphraseIsForNobodyElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inherited, err := syscall.Dup(int(f.Fd())) // as a shell gives it
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(inherited)
	o := &options{passphraseFD: inherited}
	if line, ok, err := o.given(); err != nil || !ok || string(line) != "open sesame" {
		t.Errorf("%q, %v, %v", line, ok, err)
	}
	if flags, err := unix.FcntlInt(uintptr(inherited), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("programs that are started have it, too: %v, %v", flags, err)
	}
}
