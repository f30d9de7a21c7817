package vault_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/identity/vault"
)

// folder is what lies in a folder, by name.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			files[e.Name()] = string(read(t, filepath.Join(dir, e.Name())))
		}
	}
	return files
}

// runTor lets a real tor look after an onion service's folder, without any
// network, and end.
func runTor(t *testing.T, dir string) {
	t.Helper()
	tor, err := exec.LookPath("tor")
	if err != nil {
		t.Fatal("no tor program here: install the package tor (./setup.sh test)")
	}
	torrc := filepath.Join(t.TempDir(), "torrc")
	if err := os.WriteFile(torrc, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tor, "-f", torrc, "--defaults-torrc", torrc, "--DataDirectory", t.TempDir(),
		"--DisableNetwork", "1", "--SocksPort", "0", "--HiddenServiceDir", dir, "--HiddenServicePort", "1876 127.0.0.1:1876",
		"--Log", "notice stdout")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	for b := make([]byte, 4096); !strings.Contains(said.String(), "Bootstrapped 0%"); {
		n, err := out.Read(b)
		said.Write(b[:n])
		if err != nil {
			break
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "hostname")); err != nil {
		t.Errorf("tor did not take the folder: %v\n%s", err, said.String())
	}
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
}

// A key that tor has made is imported, exported again byte for byte, and taken
// by tor as it is.
func TestTorsOwnFolderGoesThere(t *testing.T) {
	made := filepath.Join(t.TempDir(), "made")
	runTor(t, made)
	want := folder(t, made)
	if len(want) != 3 {
		t.Fatalf("tor made %d files", len(want))
	}
	key, err := vault.FromTor(made)
	if err != nil {
		t.Fatal(err)
	}
	if got := key.Address().Onion() + "\n"; got != want["hostname"] {
		t.Fatalf("tor's address %s, ours %s", want["hostname"], got)
	}
	exported := filepath.Join(t.TempDir(), "exported")
	if err := vault.ToTor(exported, key); err != nil {
		t.Fatal(err)
	}
	runTor(t, exported)
	for name, data := range folder(t, exported) {
		if data != want[name] {
			t.Errorf("%s differs:\n%q\n%q", name, data, want[name])
		}
		delete(want, name)
	}
	if len(want) != 0 {
		t.Errorf("not exported: %v", want)
	}
	if err := vault.ToTor(exported, key); !errors.Is(err, os.ErrExist) {
		t.Errorf("over another: %v", err)
	}
}

// Whatever does not agree in tor's folder is refused, each bit of the scalar
// among it.
func TestADamagedFolderOfTorsIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hs")
	key := newKey(t)
	if err := vault.ToTor(dir, key); err != nil {
		t.Fatal(err)
	}
	refused := func(what string) {
		t.Helper()
		if _, err := vault.FromTor(dir); !errors.Is(err, vault.ErrTor) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for name, data := range folder(t, dir) {
		path := filepath.Join(dir, name)
		put := func(b string) {
			t.Helper()
			if err := os.WriteFile(path, []byte(b), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for i := range data {
			put(data[:i])
			refused(name + " cut short")
		}
		put(data + "x")
		refused(name + " made longer")
		bits := len(data) * 8
		if name == "hs_ed25519_secret_key" {
			bits = 64 * 8 // the address follows from these, and nothing from the last 32 bytes
		}
		for bit := range bits {
			b := []byte(data)
			b[bit/8] ^= 1 << (bit % 8)
			put(string(b))
			refused(name + " with a flipped bit")
		}
		put(data)
	}
	secret := filepath.Join(dir, "hs_ed25519_secret_key")
	if err := os.Chmod(secret, 0o644); err != nil {
		t.Fatal(err)
	}
	refused("readable by others")
	// The other two follow from the key, and may be missing.
	for _, name := range []string{"hs_ed25519_public_key", "hostname"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(secret, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := vault.FromTor(dir); err != nil || got.Tor() != key.Tor() {
		t.Errorf("the secret key alone: %v", err)
	}
	if err := os.Remove(secret); err != nil {
		t.Fatal(err)
	}
	refused("empty")
}
