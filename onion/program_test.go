package onion

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	for said, want := range map[string]Version{
		"Tor version 0.4.9.11.\nThis build of Tor is covered":                  {0, 4, 9, 11},
		"Tor version 0.4.8.0-alpha-dev (git-0123456789abcdef).\n":              {0, 4, 8, 0},
		"Nov 01 [warn] something first\nTor version 0.4.7.16 (git-1).\nmore\n": {0, 4, 7, 16},
	} {
		if got, err := parseVersion(said); err != nil || got != want {
			t.Errorf("%q: %v, %v", said, got, err)
		}
	}
	for _, said := range []string{"", "Tor version 0.4.9", "version 0.4.9.11", "Tor version 0.4.9.99999999999999999999."} {
		if got, err := parseVersion(said); err == nil {
			t.Errorf("%q was taken for %v", said, got)
		}
	}
}

// fakeTor writes a program that says what --version is to say.
func fakeTor(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tor")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNewNamesWhatIsWrongWithTor(t *testing.T) {
	for name, test := range map[string]struct {
		tor  string
		want error
	}{
		"missing":       {filepath.Join(t.TempDir(), "tor"), ErrNoTor},
		"a folder":      {t.TempDir(), ErrNoTor},
		"another thing": {fakeTor(t, "echo GNU hello 2.10"), ErrNoTor},
		"broken":        {fakeTor(t, "exit 127"), ErrNoTor},
		"too old":       {fakeTor(t, "echo Tor version 0.4.6.12."), ErrTorTooOld},
	} {
		if _, err := New(Config{Tor: test.tor, Dir: t.TempDir()}); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// A tor that another user could exchange for a program of theirs is not run.
func TestTorThatOthersCanChangeIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		file, folder os.FileMode
		say          string
	}{
		"a group's":                {0o770, 0o700, "chmod g-w"},
		"everybody's":              {0o707, 0o700, "chmod o-w"},
		"in everybody's folder":    {0o700, 0o777, "chmod o-w"},
		"in a sticky one":          {0o700, 0o777 | os.ModeSticky, ""},
		"in a group's folder":      {0o755, 0o775, ""},
		"as packages install them": {0o755, 0o755, ""},
	} {
		tor := fakeTor(t, "echo Tor version 0.4.9.11.")
		link := filepath.Join(t.TempDir(), "link") // what counts is where it leads
		if err := errors.Join(os.Chmod(tor, test.file), os.Chmod(filepath.Dir(tor), test.folder), os.Symlink(tor, link)); err != nil {
			t.Fatal(err)
		}
		found, err := FindTor(link)
		switch {
		case test.say == "" && (err != nil || found.Path != tor):
			t.Errorf("%s: %v, %v", name, found.Path, err)
		case test.say != "" && (!errors.Is(err, ErrUnsafeTor) || !strings.Contains(err.Error(), test.say)):
			t.Errorf("%s: %v", name, err)
		}
	}
	for owner, good := range map[int]bool{0: true, 1000: true, 1001: false} {
		if err := trusted("/x", owner, 1000, 0o755); (err == nil) != good {
			t.Errorf("owner %d: %v", owner, err)
		}
	}
}

// Where a tor runs already, the lack of a program names the way to use it.
func TestNoTorProgramNamesTheRunningOne(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "tor")
	for _, variable := range []string{"TOR_CONTROL_PORT", "TOR_CONTROL_IPC_PATH"} {
		t.Setenv(variable, "")
	}
	if _, err := FindTor(missing); !errors.Is(err, ErrNoTor) || strings.Contains(err.Error(), "--tor-control") {
		t.Errorf("none runs: %v", err)
	}
	mark := filepath.Join(t.TempDir(), "version")
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	marks[mark] = "Tails"
	if _, err := FindTor(missing); !errors.Is(err, ErrNoTor) || !strings.Contains(err.Error(), "on Tails a tor runs already: sotto uses it with --tor-control auto") {
		t.Errorf("Tails: %v", err)
	}
	delete(marks, mark)
	t.Setenv("TOR_CONTROL_PORT", "9051")
	if _, err := FindTor(missing); !errors.Is(err, ErrNoTor) || !strings.Contains(err.Error(), "--tor-control auto") {
		t.Errorf("environment: %v", err)
	}
}

func TestOldTorIsWarnedOf(t *testing.T) {
	for version, warn := range map[string]bool{"0.4.7.0": true, "0.4.9.10": true, "0.4.9.11": false, "0.5.0.1": false} {
		n, err := New(Config{Tor: fakeTor(t, "echo Tor version "+version+"."), Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if n.Version() != version || (n.Warning() != "") != warn {
			t.Errorf("%s: version %s, warning %q", version, n.Version(), n.Warning())
		}
	}
}

func TestFolderIsNeeded(t *testing.T) {
	tor := fakeTor(t, "echo Tor version 0.4.9.11.")
	for _, dir := range []string{"", "a\nControlPort 9051"} {
		if _, err := New(Config{Tor: tor, Dir: dir}); err == nil {
			t.Errorf("folder %q was taken", dir)
		}
	}
}
