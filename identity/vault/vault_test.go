package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/vault"
)

// quick is a passphrase that costs next to nothing.
func quick(t testing.TB, text string) *vault.Passphrase {
	t.Helper()
	p, err := vault.NewPassphrase([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p.Work, p.MostWork = 1, 4
	t.Cleanup(p.Wipe)
	return p
}

func with(p *vault.Passphrase) vault.Ask {
	return func() (*vault.Passphrase, error) { return p, nil }
}

func never() (*vault.Passphrase, error) { return nil, errors.New("nobody should be asked") }

func newKey(t testing.TB) *identity.Key {
	t.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func create(t testing.TB, p *vault.Passphrase) (dir string, key *identity.Key) {
	t.Helper()
	dir, key = filepath.Join(t.TempDir(), "profile"), newKey(t)
	if _, err := vault.Create(dir, key, p); err != nil {
		t.Fatal(err)
	}
	return dir, key
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnIdentityComesBackAndIsNeverReplaced(t *testing.T) {
	for _, p := range []*vault.Passphrase{nil, quick(t, "a wet blanket")} {
		dir, key := create(t, p)
		v, err := vault.Open(dir, with(p))
		if err != nil || v.Key.Tor() != key.Tor() || v.Sealed != (p != nil) {
			t.Fatalf("%v, %v", v, err)
		}
		if _, err := vault.Create(dir, newKey(t), p); !errors.Is(err, vault.ErrExists) {
			t.Fatalf("a second one: %v", err)
		}
		if v, err := vault.Open(dir, with(p)); err != nil || v.Key.Address() != key.Address() {
			t.Fatalf("after it: %v, %v", v, err)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 2 || left[0].Name() != "identity" || left[1].Name() != "lock" {
			t.Fatalf("left in the folder: %v, %v", left, err)
		}
		for path, want := range map[string]os.FileMode{dir: 0o700, vault.Path(dir): 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v", path, info.Mode(), err)
			}
		}
	}
	if _, err := vault.Open(t.TempDir(), never); !errors.Is(err, vault.ErrNone) {
		t.Fatalf("an empty folder: %v", err)
	}
}

func TestASealedIdentityOpensWithItsPassphraseAlone(t *testing.T) {
	dir, key := create(t, quick(t, "a wet blanket"))
	raw := key.Tor()
	if file := read(t, vault.Path(dir)); bytes.Contains(file, []byte(key.Address().Onion())) || bytes.Contains(file, raw[:8]) {
		t.Error("the file shows what it seals")
	}
	if _, err := vault.Open(dir, with(quick(t, "a wet blankeT"))); !errors.Is(err, vault.ErrPassphrase) {
		t.Errorf("with another passphrase: %v", err)
	}
	if _, err := vault.Open(dir, nil); !errors.Is(err, vault.ErrPassphrase) {
		t.Errorf("without any: %v", err)
	}
	gone := errors.New("nobody there")
	if _, err := vault.Open(dir, func() (*vault.Passphrase, error) { return nil, gone }); !errors.Is(err, gone) {
		t.Errorf("with nobody to ask: %v", err)
	}
	costly := quick(t, "a wet blanket")
	costly.Work, costly.MostWork = 5, 5
	if dir, _ := create(t, costly); true {
		if _, err := vault.Open(dir, with(quick(t, "a wet blanket"))); !errors.Is(err, vault.ErrDamaged) {
			t.Errorf("more work than is allowed: %v", err)
		}
	}
}

func TestReseal(t *testing.T) {
	first, second := quick(t, "first"), quick(t, "second")
	dir, key := create(t, nil)
	v, err := vault.Open(dir, never)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.SaveContacts([]byte("all of them\n")); err != nil {
		t.Fatal(err)
	}
	opens := func(p *vault.Passphrase) error {
		t.Helper()
		v, err := vault.Open(dir, with(p))
		if err != nil {
			return err
		}
		if contacts, err := v.Contacts(); v.Key.Address() != key.Address() || string(contacts) != "all of them\n" {
			t.Errorf("%v, contacts %q, %v", v.Key.Address(), contacts, err)
		}
		return nil
	}
	for _, p := range []*vault.Passphrase{first, second, nil} {
		if err := v.Reseal(p); err != nil {
			t.Fatal(err)
		}
		if err := opens(p); err != nil {
			t.Errorf("%v", err)
		}
		if err := opens(quick(t, "neither")); (p == nil) != (err == nil) {
			t.Errorf("with another passphrase: %v", err)
		}
	}
	lock, err := vault.Acquire(dir, "sotto up")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if err := v.Reseal(first); !errors.Is(err, vault.ErrInUse) {
		t.Errorf("while it is in use: %v", err)
	}
	if err := opens(nil); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// Every truncation and every flipped bit of an identity is refused with a
// reason, or nothing is lost by it; and the file is left as it is.
func TestDamageIsRefused(t *testing.T) {
	p := quick(t, "a wet blanket")
	v1 := filepath.Join(t.TempDir(), "v1")
	key1 := writeV1(t, v1)
	unsealed, key := create(t, nil)
	sealed, sealedKey := create(t, p)
	for _, c := range []struct {
		name, dir string
		key       *identity.Key
	}{{"unsealed", unsealed, key}, {"sealed", sealed, sealedKey}, {"version 1", v1, key1}} {
		t.Run(c.name, func(t *testing.T) {
			path, whole := vault.Path(c.dir), read(t, vault.Path(c.dir))
			if _, err := vault.Open(c.dir, with(p)); err != nil {
				t.Fatal(err)
			}
			secret := secretOf(c.key)
			refused := 0
			check := func(what string, i int, text []byte) {
				t.Helper()
				if err := os.WriteFile(path, text, 0o600); err != nil {
					t.Fatal(err)
				}
				v, err := vault.Open(c.dir, with(p))
				switch {
				case err == nil && v.Key.Tor() != c.key.Tor():
					t.Fatalf("%s %d: another key", what, i)
				case err == nil && c.name != "sealed":
					t.Fatalf("%s %d: taken", what, i)
				case err == nil: // age takes space around its armor
				case !errors.Is(err, vault.ErrDamaged) && !errors.Is(err, vault.ErrPassphrase):
					t.Fatalf("%s %d: %v", what, i, err)
				case strings.Contains(err.Error(), secret):
					t.Fatal("the error shows the key")
				default:
					refused++
				}
				if !bytes.Equal(read(t, path), text) {
					t.Fatalf("%s %d: the file was touched", what, i)
				}
			}
			for i := range whole {
				check("cut to", i, whole[:i])
			}
			for bit := range len(whole) * 8 {
				text := bytes.Clone(whole)
				text[bit/8] ^= 1 << (bit % 8)
				check("bit", bit, text)
			}
			check("longer by", 1, append(bytes.Clone(whole), 'x'))
			check("very long", 1, bytes.Repeat(whole, 100))
			if least := len(whole)*9 - 20; refused < least {
				t.Errorf("%d refused, not %d", refused, least)
			}
		})
	}
}

// A newer file is told from a damaged one, and left alone.
func TestANewerFileIsNamed(t *testing.T) {
	dir, _ := create(t, nil)
	lines := strings.SplitAfter(string(read(t, vault.Path(dir))), "\n")
	text := strings.Replace(strings.Join(lines[:5], ""), "identity 2:", "identity 3:", 1) + "# and something new\n"
	newer := text + "# sum " + sum(text) + "\n"
	if err := os.WriteFile(vault.Path(dir), []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Open(dir, never); !errors.Is(err, vault.ErrNewer) || !strings.Contains(err.Error(), "version 3") {
		t.Error(err)
	}
	if string(read(t, vault.Path(dir))) != newer {
		t.Error("the file was touched")
	}
}

func TestAFileOthersCanReadIsRefused(t *testing.T) {
	dir, _ := create(t, nil)
	v, err := vault.Open(dir, never)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.SaveContacts(nil); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{vault.Path(dir), vault.ContactsPath(dir)} {
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.Contacts(); !errors.Is(err, vault.ErrOpen) {
		t.Error(err)
	}
	if _, err := vault.Open(dir, never); !errors.Is(err, vault.ErrOpen) {
		t.Error(err)
	}
}

func TestContactsAreSealedAndDamageToThemIsRefused(t *testing.T) {
	dir, _ := create(t, nil)
	v, err := vault.Open(dir, never)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Contacts(); got != nil || err != nil {
		t.Fatalf("none yet: %q, %v", got, err)
	}
	const text = "who knows whom\n"
	if err := v.SaveContacts([]byte(text)); err != nil {
		t.Fatal(err)
	}
	path := vault.ContactsPath(dir)
	whole := read(t, path)
	if bytes.Contains(whole, []byte("whom")) {
		t.Error("the file shows what it seals")
	}
	check := func(what string, i int, raw []byte) {
		t.Helper()
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := v.Contacts(); (err != nil || string(got) != text) && !errors.Is(err, vault.ErrContacts) {
			t.Fatalf("%s %d: %q, %v", what, i, got, err)
		}
		if !bytes.Equal(read(t, path), raw) {
			t.Fatalf("%s %d: the file was touched", what, i)
		}
	}
	for i := range whole {
		check("cut to", i, whole[:i])
	}
	for bit := range len(whole) * 8 {
		raw := bytes.Clone(whole)
		raw[bit/8] ^= 1 << (bit % 8)
		check("bit", bit, raw)
	}
	other, _ := create(t, nil)
	stranger, err := vault.Open(other, never)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vault.ContactsPath(other), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Contacts(); !errors.Is(err, vault.ErrContacts) || !strings.Contains(err.Error(), "another identity") {
		t.Errorf("somebody else's: %v", err)
	}
}

func TestABackupBringsAllBack(t *testing.T) {
	p := quick(t, "a wet blanket")
	for _, seal := range []*vault.Passphrase{nil, p} {
		for _, contacts := range []string{"none", "", "sotto contacts 1\n", "\n\nodd\n\n"} {
			key := newKey(t)
			book := []byte(contacts)
			if contacts == "none" {
				book = nil
			}
			backup, err := vault.Backup(key, book, seal)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "new")
			v, err := vault.Restore(dir, backup, with(seal), with(seal))
			if err != nil {
				t.Fatal(err)
			}
			got, err := v.Contacts()
			if v.Key.Tor() != key.Tor() || !bytes.Equal(got, book) || (got == nil) != (book == nil) || err != nil {
				t.Errorf("contacts %q came back as %q, %v", contacts, got, err)
			}
			if _, err := vault.Restore(dir, backup, with(seal), with(seal)); !errors.Is(err, vault.ErrExists) {
				t.Errorf("a second time: %v", err)
			}
		}
	}
	// Contacts that lie there already are not replaced either.
	dir, backup := t.TempDir(), []byte(nil)
	backup, err := vault.Backup(newKey(t), []byte("new"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vault.ContactsPath(dir), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Restore(dir, backup, never, with(nil)); !errors.Is(err, vault.ErrExists) || vault.Exists(dir) {
		t.Errorf("over contacts: %v", err)
	}
	// What never was one is not called damaged; what once was one is.
	for text, want := range map[string]error{"": vault.ErrNoBackup, "sotto contacts 1\n": vault.ErrNoBackup, string(backup[:80]): vault.ErrCut} {
		if _, err := vault.Restore(dir, []byte(text), never, with(nil)); !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	// A backup in the place of the identity is named for what it is.
	if err := os.WriteFile(vault.Path(dir), backup, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Open(dir, never); !errors.Is(err, vault.ErrDamaged) || !strings.Contains(err.Error(), "sotto id import") {
		t.Error(err)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	p := quick(t, "a wet blanket")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		for _, value := range []any{p, struct{ P *vault.Passphrase }{p}, []*vault.Passphrase{p}} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, "wet") || strings.Contains(text, fmt.Sprintf("%x", "wet")) || strings.Contains(text, "119 101 116") {
				t.Errorf("%s prints %s", verb, text)
			}
		}
	}
	if _, err := vault.NewPassphrase(nil); err == nil {
		t.Error("an empty passphrase was taken")
	}
	text := []byte("a wet blanket")
	q, err := vault.NewPassphrase(text)
	if err != nil || !q.Equal(p) || !bytes.Equal(text, make([]byte, len(text))) {
		t.Errorf("what it was made of stays: %q, %v", text, err)
	}
	q.Wipe()
	q.Wipe()
	if q.Equal(p) {
		t.Error("it is still there")
	}
}
