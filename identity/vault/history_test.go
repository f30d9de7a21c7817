package vault

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/identity"
)

func newVault(t *testing.T, dir string) *Vault {
	t.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := open(dir, key, false)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func becomes(text string) func([]byte) ([]byte, error) {
	return func([]byte) ([]byte, error) { return []byte(text), nil }
}

// Whenever the power fails, the history is the old one or the new one, and the
// next saving works.
func TestACrashLeavesTheOldHistoryOrTheNew(t *testing.T) {
	const dir = "/profile"
	v := newVault(t, dir)
	old, err := encrypt([]byte("old"), v.contacts.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	for _, before := range []map[string][]byte{{}, {HistoryPath(dir): old}} {
		olds, news := 0, 0
		crashes(t, before, func(s storage) error {
			return v.saveSealed(s, HistoryPath(dir), "history", []byte("new"))
		}, func(dir string, done bool) {
			left := *v
			left.dir = dir
			text, err := left.History()
			switch {
			case err == nil && string(text) == "new":
				news++
			case err == nil && !done && string(text) == "old" == (len(before) > 0):
				olds++
			default:
				t.Fatalf("%q, %v", text, err)
			}
			if err := left.ChangeHistory(becomes("again")); err != nil {
				t.Fatal(err)
			}
			if text, err := left.History(); err != nil || string(text) != "again" || there(fresh(HistoryPath(dir))) {
				t.Fatalf("after the crash: %q, %v", text, err)
			}
		})
		if olds < 3 || news < 1 {
			t.Errorf("%d left the old one, %d the new one", olds, news)
		}
	}
}

// A history that is damaged, another's or refused is never replaced; deleting it
// leaves nothing, and tells whether there was one.
func TestAHistoryThatIsRefusedStays(t *testing.T) {
	v := newVault(t, t.TempDir())
	path := HistoryPath(v.dir)
	if had, err := ForgetHistory(v.dir); had || err != nil {
		t.Errorf("there was none: %v, %v", had, err)
	}
	if left, err := os.ReadDir(v.dir); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
	if text, err := v.History(); text != nil || err != nil {
		t.Errorf("there was none: %q, %v", text, err)
	}
	const secret = "who called whom"
	if err := v.ChangeHistory(becomes(strings.Repeat(secret, 10))); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(whole), secret) {
		t.Fatalf("%s, %v", whole, err)
	}
	other := newVault(t, v.dir)
	if err := other.ChangeHistory(becomes("mine")); !errors.Is(err, ErrHistory) || !strings.Contains(err.Error(), "another identity") {
		t.Errorf("another's: %v", err)
	}
	refused := errors.New("no")
	if err := v.ChangeHistory(func([]byte) ([]byte, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Error(err)
	}
	if left, err := os.ReadFile(path); err != nil || string(left) != string(whole) {
		t.Errorf("replaced: %v", err)
	}
	damages := 0
	check := func(text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := v.History()
		switch {
		case err == nil && string(got) != strings.Repeat(secret, 10):
			t.Fatalf("taken: %q", got)
		case err != nil && !errors.Is(err, ErrHistory):
			t.Fatal(err)
		case err == nil: // age takes space around its armor
			return
		}
		damages++
		if damages%50 != 0 {
			return
		}
		if err := v.ChangeHistory(becomes("fresh")); !errors.Is(err, ErrHistory) {
			t.Fatal(err)
		}
		if left, err := os.ReadFile(path); err != nil || string(left) != string(text) {
			t.Fatalf("replaced: %v", err)
		}
	}
	for i := range whole {
		check(whole[:i])
		flipped := []byte(string(whole))
		flipped[i] ^= 1 << (i % 8)
		check(flipped)
	}
	if damages < 2*len(whole)-20 {
		t.Errorf("only %d of %d damages were refused", damages, 2*len(whole))
	}
	check(make([]byte, maxHistory+1))
	if err := os.WriteFile(fresh(path), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if had, err := ForgetHistory(v.dir); !had || err != nil {
		t.Errorf("%v, %v", had, err)
	}
	if left, err := filepath.Glob(filepath.Join(v.dir, "*history*")); err != nil || len(left) != 0 || there(fresh(path)) {
		t.Errorf("left: %v, %v", left, err)
	}
}
