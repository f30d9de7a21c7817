package config

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func testSchema() *Schema {
	any := func(string) error { return nil }
	return &Schema{Keys: []Key{
		{"mic", Text, any},
		{"quality", Text, func(s string) error {
			if s != "24k" && s != "16k" {
				return errors.New("24k or 16k")
			}
			return nil
		}},
		{"circuits", Number, func(s string) error { _, err := strconv.ParseUint(s, 10, 3); return err }},
		{"closed", Bool, any},
	}}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{ // "" or what is wrong
		"":                            "",
		"mic = \"x\"\nclosed = true":  "",
		"mic = 3":                     "",
		"mick = \"x\"":                `f:1: there is no setting "mick" (did you mean mic?)`,
		"mik = 1":                     `f:1: there is no setting "mik" (did you mean mic?)`,
		"\n\nMIC = \"x\"":             `f:3: there is no setting "MIC" (sotto config list shows all)`,
		"closed = \"true\"":           "f:1: closed takes true or false, without quotes",
		"mic = true":                  "f:1: mic takes text in quotes",
		"mic = 1.5":                   "f:1: mic takes text",
		"mic = [\"a\"]":               "f:1: mic takes text",
		"# x\n[mic]\na = 1":           "f:2: mic takes text",
		"# x\n[[mic]]":                "f:2: mic takes text",
		"mic.a = 1":                   "f:1: mic takes text",
		"circuits = 1979-05-27":       "f:1: circuits takes a whole number",
		"circuits = 8":                `f:1: invalid argument "8" for "circuits"`,
		"\nquality = \"loud\"":        `f:2: invalid argument "loud" for "quality": 24k or 16k`,
		"mic = \"a\"\nmic = \"b\"":    "f:2: Key 'mic' has already been defined",
		"mic = ":                      "f:1: ",
		"mic = \"\xff\"":              "f:1: ",
		strings.Repeat("#", 64<<10):   "",
		strings.Repeat("#", 64<<10+1): "f: over 64 KiB",
	} {
		_, err := testSchema().Parse("f", []byte(text))
		switch {
		case want == "" && err != nil:
			t.Errorf("%.40q: %v", text, err)
		case want != "" && (err == nil || !strings.HasPrefix(err.Error(), want) || !errors.Is(err, ErrWrong)):
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

func TestSetAndUnset(t *testing.T) {
	for _, c := range []struct{ text, name, value, want string }{
		{"", "mic", "x", "mic = \"x\"\n"},
		{"# a\nmic = 'b # c' # d\nclosed = true", "mic", "y", "# a\nmic = \"y\" # d\nclosed = true\n"},
		{"\"mic\" = 1\r\n", "mic", "\n\t\"", "mic = \"\\n\\t\\\"\"\n"},
		{"speeker = 1\n", "closed", "1", "speeker = 1\nclosed = true\n"},
		{"[table]\nx = 1\n", "mic", "x", ""},          // would go into the table
		{"mic = \"\"\"\na\"\"\"\n", "mic", "x", ""},   // on two lines
		{"x = \"\"\"\nmic = 1\"\"\"", "mic", "x", ""}, // in another's text
		{"mic = ", "mic", "x", ""},
		{"", "mike", "x", ""},
		{"", "circuits", "8", ""},
	} {
		got, err := testSchema().Set([]byte(c.text), c.name, c.value)
		if string(got) != c.want || (err == nil) != (c.want != "") || err != nil && !errors.Is(err, ErrWrong) {
			t.Errorf("%q, %s = %q: %q, %v", c.text, c.name, c.value, got, err)
		}
	}
	for text, want := range map[string]string{"mic = 1\n": "", "a = 1\nmic = 1 # x\nb = 1\n": "a = 1\nb = 1\n", "a = 1": "a = 1"} {
		got, there, err := Unset([]byte(text), "mic")
		if string(got) != want || there != (text != want) || err != nil {
			t.Errorf("%q: %q, %v, %v", text, got, there, err)
		}
	}
	if _, _, err := Unset([]byte("mic = \"\"\"\na\"\"\"\n"), "mic"); !errors.Is(err, ErrWrong) {
		t.Errorf("half of a setting was taken out: %v", err)
	}
}

// What is read later counts, wrong files stop it all, and a file behind a
// symbolic link is written where it is.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	real := write("dotfiles/config.toml", "mic = \"mine\"\n")
	f := Files{filepath.Join(dir, "etc"), filepath.Join(dir, "home", "config.toml")}
	write("etc/b.conf", "mic = \"b\"\nquality = \"16k\"")
	write("etc/a.conf", "mic = \"a\"\nquality = \"24k\"\ncircuits = 2")
	write("etc/README", "not a setting")
	if err := errors.Join(os.Mkdir(filepath.Dir(f.User), 0o700), os.Symlink(real, f.User)); err != nil {
		t.Fatal(err)
	}
	s := testSchema()
	got, err := s.Read(f)
	if err != nil || got["mic"].Text != "mine" || got["quality"].Text != "16k" || got["circuits"].Text != "2" || got["quality"].Where() != filepath.Join(dir, "etc/b.conf")+":2" {
		t.Fatalf("%v, %v", got, err)
	}
	if err := s.Save(f, []byte("mic = \"new\"\n")); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(real); string(text) != "mic = \"new\"\n" {
		t.Errorf("behind the link: %q, %v", text, err)
	}
	if err := s.Save(f, []byte("mike = 1")); !errors.Is(err, ErrWrong) {
		t.Errorf("saved what is wrong: %v", err)
	}
	left, err := os.ReadDir(filepath.Dir(real))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	for want, spoil := range map[string]func(string) error{
		"everybody here can write": func(path string) error { return os.Chmod(path, 0o602) },
		"no regular file": func(path string) error {
			return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600))
		},
		"over 64 KiB": func(path string) error { return os.Truncate(path, MaxSize+1) },
	} {
		path := write("etc/c.conf", "")
		if err := spoil(path); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(f); err == nil || !errors.Is(err, ErrWrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever a file says, it is read or refused, and a setting that is put into
// it is read back with all else as it was.
func FuzzSettings(f *testing.F) {
	f.Add("mic = \"a\" # b\n[x]\n", "c")
	f.Add("closed = true\nmic = '''\na'''", "# \"\\")
	f.Add("\"mic\" = 3\r\nquality = \"16k\"", "\x00\u2028")
	f.Add("mic = [[{a = 1}]]", "\n")
	f.Fuzz(func(t *testing.T, text, value string) {
		s := testSchema()
		before, err := s.Parse("f", []byte(text))
		if err != nil && !errors.Is(err, ErrWrong) {
			t.Fatal(err)
		}
		next, changed := s.Set([]byte(text), "mic", value)
		if changed != nil {
			return
		}
		after, wrong := s.Parse("f", next)
		if err != nil || len(next) > MaxSize {
			return // it was wrong, and may be still
		}
		if wrong != nil || after["mic"].Text != value {
			t.Fatalf("%q with mic = %q is %q: %v", text, value, next, wrong)
		}
		for name, v := range before {
			if name != "mic" && after[name].Text != v.Text {
				t.Fatalf("%s was %q, is %q", name, v.Text, after[name].Text)
			}
		}
	})
}
