package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/vault"
)

func TestOpenSwap(t *testing.T) {
	const swaps = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" +
		"/dev/zram0                              partition\t8\t\t0\t\t100\n" +
		"/dev/sda3                               partition\t8\t\t0\t\t-2\n" +
		"/dev/dm-1\tpartition\t8\t\t0\t\t-3\n" +
		"/swap.img                               file\t8\t\t0\t\t-4\n"
	if got, want := openSwap(strings.NewReader(swaps)), []string{"/dev/sda3", "/swap.img"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := openSwap(strings.NewReader("Filename Type\n")); len(got) > 0 {
		t.Errorf("none: %q", got)
	}
}

func TestFolder(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	holds := func(status Status, says string) {
		t.Helper()
		if f := folder(home); f.Status != status || !strings.Contains(f.Says, says) || (f.Fix == "") != (status == OK) {
			t.Errorf("%+v, want %s, %q", f, status, says)
		}
	}
	holds(Warning, "no identity")
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	passphrase, err := vault.NewPassphrase([]byte("a passphrase of some words"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Create(home, key, passphrase); err != nil {
		t.Fatal(err)
	}
	holds(OK, "sealed")
	for path, mode := range map[string]os.FileMode{vault.Path(home): 0o600, home: 0o700} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
		holds(Warning, path+" is open to others")
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	plain := filepath.Join(t.TempDir(), "plain")
	if _, err := vault.Create(plain, key, nil); err != nil {
		t.Fatal(err)
	}
	home = plain
	holds(Warning, "unsealed")
}
