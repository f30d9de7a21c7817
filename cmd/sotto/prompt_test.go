package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// plain is for a terminal without sound.
func plain(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "TERM=screen", "SOTTO_PASSPHRASE_FILE=")
	return cmd
}

// needProgram fails where a program of the tests is missing, and names its
// package.
func needProgram(t *testing.T, name, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("no %s here: install the package %s (./setup.sh test)", name, pkg)
	}
}

// Somebody makes an identity at a terminal, mistypes, and opens it again: with
// sotto, and with age alone. Nothing typed is ever seen.
func TestAPassphraseAtATerminal(t *testing.T) {
	t.Parallel()
	needProgram(t, "tmux", "tmux")
	needProgram(t, "age", "age")
	sotto, dir := need(t, binary), t.TempDir()
	home := filepath.Join(dir, "home")
	at := func(name string, command ...string) *terminal { return screen(t, plain, dir, name, command...) }
	unseen := func(s *terminal) {
		t.Helper()
		if text := s.text(); strings.Contains(text, "blanke") { // longer than what an address may have by chance
			t.Errorf("a passphrase is on the screen:\n%s", text)
		}
	}

	s := at("make", sotto, "id", "--home", home, "<", "/dev/null")
	s.waitFor("Make one? [y/N]")
	s.keys("y", "Enter")
	s.waitFor("A passphrase to seal it with (Return alone: make one up):")
	s.keys("a wet blanket", "Enter")
	s.waitFor("The same again:")
	s.keys("a dry blanket", "Enter")
	s.waitFor("These were not the same.")
	s.keys("a wet blanker", "BSpace", "t", "Enter")
	s.waitFor("The same again:")
	s.keys("rubbish", "C-u", "a wet blanket", "Enter")
	s.waitFor("Keep a backup elsewhere")
	s.waitFor(".onion")
	s.waitFor("exit code 0")
	unseen(s)

	s = at("open", sotto, "id", "--home", home)
	s.waitFor("Passphrase:")
	s.keys("a dry blanket", "Enter")
	s.waitFor("That is not it. Once more.")
	s.keys("a wet blanket", "Enter")
	s.waitFor("exit code 0")
	unseen(s)

	s = at("thrice", sotto, "id", "--home", home)
	for range 3 {
		s.waitFor("Passphrase:")
		s.keys("a dry blanket", "Enter")
	}
	s.waitFor("the passphrase is wrong")
	s.waitFor("exit code 7")

	// Interrupted, the terminal is as before: what is typed shows.
	s = at("leave", sotto, "id", "--home", home)
	s.waitFor("Passphrase:")
	s.keys("a we", "C-c")
	s.waitFor("exit code 130")
	s.keys("seen again")
	s.waitFor("seen again")
	unseen(s)

	// Made up, and shown once.
	s = at("made-up", sotto, "id", "seal", "--home", home)
	s.waitFor("Passphrase:")
	s.keys("a wet blanket", "Enter")
	s.waitFor("Return alone: make one up")
	s.keys("", "Enter")
	s.waitFor("to be written down now:")
	_, after, _ := strings.Cut(s.text(), "written down now:")
	words := strings.Join(strings.Fields(after)[:7], " ")
	s.keys(words, "Enter")
	s.waitFor("sealed with the new passphrase")
	s.waitFor("exit code 0")

	// A card is pasted, and the contact found again: with age alone, too.
	card := "sotto:" + strings.Repeat("a", 56)
	s = at("add", sotto, "contacts", "add", "Zo\u00eb", "--home", home)
	s.waitFor("Passphrase:")
	s.keys(words, "Enter")
	s.waitFor("Card or address of Zo\u00eb:")
	s.keys(card, "Enter")
	s.waitFor("The rest of the card (Return alone: that is all):")
	s.keys("", "Enter")
	s.waitFor("not a card: a part of it is missing")
	s.waitFor("exit code 2")
	s = at("add2", sotto, "contacts", "add", "Zo\u00eb", "--home", home)
	s.waitFor("Passphrase:")
	s.keys(words, "Enter")
	s.waitFor("Card or address of Zo\u00eb:")
	s.keys("  HTTP://"+strings.ToUpper(somebody(t).Onion())+"/ ", "Enter")
	s.waitFor("Zo\u00eb is in your contacts")
	s.waitFor("exit code 0")
	s = at("show", sotto, "contacts", "card", "--home", home)
	s.waitFor("Passphrase:")
	s.keys(words, "Enter")
	s.waitFor("sotto:")
	s.waitFor("\u2580\u2580")
	s = at("verify", sotto, "contacts", "verify", "Zo\u00eb", "--home", home)
	s.waitFor("Passphrase:")
	s.keys(words, "Enter")
	s.waitFor("Does Zo\u00eb see the same words? [y/N]")
	s.keys("y", "Enter")
	s.waitFor("Zo\u00eb is verified.")
	s = at("age-i", "age", "-d", "-i", filepath.Join(home, "identity"), filepath.Join(home, "contacts"))
	s.waitFor("Enter passphrase")
	s.keys(words, "Enter")
	s.waitFor("sotto contacts 1")
	s.waitFor("Zo\u00eb")

	backup := filepath.Join(dir, "backup.age")
	s = at("export", sotto, "id", "export", "--home", home, backup)
	s.waitFor("Passphrase:")
	s.keys(words, "Enter")
	s.waitFor("exit code 0")
	for name, file := range map[string]string{"age": filepath.Join(home, "identity"), "age2": backup} {
		s = at(name, "age", "-d", file)
		s.waitFor("Enter passphrase:")
		s.keys(words, "Enter")
		s.waitFor("# sotto identity 2")
		s.waitFor("AGE-SECRET-KEY-1")
		s.waitFor("exit code 0")
	}
}

// A terminal that cannot be drawn on gets lines without asking for them, and is told.
func TestNoScreenWhereNothingCanBeDrawn(t *testing.T) {
	t.Parallel()
	needProgram(t, "tmux", "tmux")
	sotto, dir := need(t, binary), t.TempDir()
	home := filepath.Join(dir, "home")
	s := screen(t, plain, dir, "help", "TERM=", sotto, "--home", home)
	s.waitFor("exit code 0") // for who has no identity yet it is the help
	if strings.Contains(s.text(), "lines in place") {
		t.Errorf("the help is no screen:\n%s", s.text())
	}
	run(t, "", "id", "--yes", "--no-passphrase", "--home", home)
	run(t, "127.0.0.1:9\n", "bridges", "set", "--home", home) // nobody, here: tor never gets further
	for name, set := range map[string]string{"TERM is not set": "env -u TERM", "TERM=dumb": "TERM=dumb"} {
		s := screen(t, plain, dir, strings.Fields(name)[0]+set[:3], set, sotto, "--home", home, "--in tone --out /dev/null")
		s.waitFor(name + ": lines in place of the screen, as with --plain")
		s.waitFor("type help for what can be typed")
		s.keys("quit", "Enter")
		s.waitFor("exit code 0")
	}
}
