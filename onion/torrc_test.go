package onion

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTorrcIsPrivateAndQuoted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `my "own" \ folder`)
	l, err := makeLayout(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.remove()
	path, err := l.torrc([]string{"TestingTorNetwork 1"}, true)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `DataDirectory "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(filepath.Join(dir, "data")) + `"`
	for _, line := range []string{want, "Sandbox 1", "SafeLogging 1", "TestingTorNetwork 1", "CookieAuthentication 1"} {
		if !strings.Contains("\n"+string(text), "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
	for file, mode := range map[string]os.FileMode{path: 0o600, dir: os.ModeDir | 0o700, l.sockets: os.ModeDir | 0o700, filepath.Join(dir, "data"): os.ModeDir | 0o700} {
		if info, err := os.Stat(file); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v; want %v", file, info.Mode(), err, mode)
		}
	}
}

// A line break would let a folder's name, or a setting, add options of its own,
// such as a control port without a password.
func TestTorrcTakesNoLineBreaks(t *testing.T) {
	l, err := makeLayout(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer l.remove()
	for _, more := range []string{"Nickname x\nControlPort 9051", "Nickname x\rControlPort 9051", "Nickname\x00x"} {
		if _, err := l.torrc([]string{more}, false); err == nil {
			t.Errorf("%q was taken", more)
		}
	}
}

// Unix sockets' paths are short, and tor's ADD_ONION takes no quotes: other
// folders get their sockets elsewhere, and leave nothing there.
func TestSocketsFindAPlaceThatFits(t *testing.T) {
	root := t.TempDir()
	for name, own := range map[string]bool{"plain": false, "with space": true, "ünicode": true, strings.Repeat("long", 25): true} {
		l, err := makeLayout(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if l.own != own || len(l.sockets) > maxSocketDir || !plainPath(l.sockets) {
			t.Errorf("%s: sockets in %s", name, l.sockets)
		}
		if err := l.remove(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(l.sockets); !os.IsNotExist(err) {
			t.Errorf("%s is left", l.sockets)
		}
	}
}

func TestOneFolderOneTor(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockFolder(dir); err == nil {
		t.Error("locked twice")
	}
	unlock()
	again, err := lockFolder(dir)
	if err != nil {
		t.Fatalf("after unlocking: %v", err)
	}
	again()
}
