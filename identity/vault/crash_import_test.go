package vault

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/sottovoce/sotto/identity"
)

// profile makes a folder of what a crash has left.
func profile(t *testing.T, disk map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range disk {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// crashes runs a command on a disk with files, and crashes it at each step; it
// gives each profile that may be left once, and whether the command had ended.
func crashes(t *testing.T, files map[string][]byte, command func(storage) error, look func(dir string, done bool)) (points int) {
	t.Helper()
	seen := map[string]bool{}
	for steps := 0; ; steps++ {
		m := &model{steps: steps, piece: 200, names: map[string]*inode{}} // looking costs real fsyncs
		for name, data := range files {
			m.names[name] = &inode{data: data, synced: len(data)}
		}
		m.durable = maps.Clone(m.names)
		err := command(m)
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		for _, disk := range m.remains() {
			points++
			if id := fmt.Sprint(disk, err == nil); !seen[id] {
				seen[id] = true
				look(profile(t, disk), err == nil)
			}
		}
		if err == nil {
			return points
		}
	}
}

// A backup is two files once it is restored. Whenever the power fails, there is
// no identity yet, and both restoring again and making another one work; or
// there is, and all its contacts are. What an import before that has left
// makes no difference.
func TestACrashInAnImportLeavesAllOrNothing(t *testing.T) {
	const dir = "/profile"
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	sealed := func(key *identity.Key, text string) []byte {
		v, err := open(dir, key, false)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := encrypt([]byte(text), v.contacts.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	staged := filepath.Join(dir, importFile)
	olds, news, points := 0, 0, 0
	for _, restored := range []struct {
		before   map[string][]byte
		contacts []byte
	}{
		{nil, []byte("new")},
		{map[string][]byte{staged: sealed(other, "of another")}, []byte("new")},
		{map[string][]byte{staged: sealed(key, "of an older backup")}, []byte("new")},
		{map[string][]byte{staged: sealed(key, "of an older backup")}, nil},
	} {
		restore := func(s storage) error {
			v, err := open(dir, key, false)
			if err != nil {
				t.Fatal(err)
			}
			return v.store(s, restored.contacts, nil)
		}
		points += crashes(t, restored.before, restore, func(dir string, done bool) {
			if !Exists(dir) {
				if olds++; done {
					t.Fatal("imported, and not there")
				}
				if there(ContactsPath(dir)) {
					t.Fatal("contacts without their identity")
				}
				if olds%2 == 0 {
					if v, err := Create(dir, other, nil); err != nil {
						t.Fatal("another identity:", err)
					} else if text, err := v.Contacts(); text != nil || err != nil {
						t.Fatalf("another identity's contacts: %q, %v", text, err)
					}
					return
				}
				backup, err := Backup(key, restored.contacts, nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := Restore(dir, backup, nil, func() (*Passphrase, error) { return nil, nil }); err != nil {
					t.Fatal("a second time:", err)
				}
			} else {
				news++
			}
			v, err := Open(dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			text, err := v.Contacts()
			if err != nil || string(text) != string(restored.contacts) || there(filepath.Join(dir, importFile)) {
				t.Fatalf("an identity with the contacts %q, not %q: %v", text, restored.contacts, err)
			}
		})
	}
	t.Logf("%d crashes: %d kinds of nothing, %d of all", points, olds, news)
	if points < 200 || olds < 20 || news < 4 {
		t.Errorf("only %d crashes, %d olds, %d news", points, olds, news)
	}
}

// A new seal is one file, and the contacts have none of their own to go with:
// whenever the power fails, the old passphrase opens all or the new one does.
func TestACrashInSealingLeavesOneThatOpensAll(t *testing.T) {
	const dir = "/profile"
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := open(dir, key, true)
	if err != nil {
		t.Fatal(err)
	}
	passphrases := make([]*Passphrase, 2)
	for i, text := range []string{"a wet blanket", "an old hat"} {
		if passphrases[i], err = NewPassphrase([]byte(text)); err != nil {
			t.Fatal(err)
		}
		passphrases[i].Work = 1
	}
	before, err := Backup(key, nil, passphrases[0])
	if err != nil {
		t.Fatal(err)
	}
	contacts, err := encrypt([]byte("all"), v.contacts.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	opened := [2]int{}
	files := map[string][]byte{Path(dir): before, ContactsPath(dir): contacts}
	crashes(t, files, func(s storage) error { return v.write(s, passphrases[1]) }, func(dir string, done bool) {
		which := -1
		for i, p := range passphrases {
			v, err := Open(dir, func() (*Passphrase, error) { return p, nil })
			if errors.Is(err, ErrPassphrase) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if text, err := v.Contacts(); string(text) != "all" || err != nil {
				t.Fatalf("contacts %q, %v", text, err)
			}
			which = i
			opened[i]++
		}
		if which < 0 || done && which == 0 {
			t.Fatalf("passphrase %d opens it", which)
		}
	})
	if opened[0] < 10 || opened[1] < 1 {
		t.Errorf("opened %v", opened)
	}
}

// An import whose contacts are another's, or come late, is left alone.
func TestAnUnfinishedImportThatIsNotOursIsLeftAlone(t *testing.T) {
	var vaults [2]*Vault
	for i := range vaults {
		key, err := identity.NewKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		if vaults[i], err = Create(t.TempDir(), key, nil); err != nil {
			t.Fatal(err)
		}
	}
	ours, other := vaults[0], vaults[1]
	staged := filepath.Join(ours.dir, importFile)
	stage := func(v *Vault, text string) {
		t.Helper()
		raw, err := encrypt([]byte(text), v.contacts.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		if err := save(disk{}, staged, raw); err != nil {
			t.Fatal(err)
		}
	}
	stage(other, "another's")
	look := func(want string) {
		t.Helper()
		v, err := Open(ours.dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := v.Contacts(); string(text) != want || err != nil {
			t.Errorf("%q, not %q: %v", text, want, err)
		}
	}
	look("")
	if err := ours.SaveContacts([]byte("ours")); err != nil {
		t.Fatal(err)
	}
	stage(ours, "late")
	look("ours")
	// Nor is an identity made beside contacts that it does not open.
	if err := os.Remove(Path(ours.dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(ours.dir, other.Key, nil); !errors.Is(err, ErrExists) || Exists(ours.dir) {
		t.Error(err)
	}
	if _, err := Create(ours.dir, ours.Key, nil); err != nil {
		t.Error(err)
	}
}
