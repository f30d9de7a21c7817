package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Two people who have only ever typed sotto: one's screen is a phone of its own,
// the other looks at a phone that is up. They call, talk, write, and leave.
func TestTwoScreens(t *testing.T) {
	net, sotto := need(t, network), need(t, binary)
	dir := t.TempDir()
	sound := pulse(t)
	home := func(who string) string { return filepath.Join(dir, who) }
	friends := map[string]string{"alice": "bob", "bob": "alice"}
	for who := range friends {
		if out, err := exec.Command(sotto, "id", "--yes", "--no-passphrase", "--home", home(who)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for who, friend := range friends {
		card, err := exec.Command(sotto, "contacts", "card", "--home", home(friend)).Output()
		if err != nil {
			t.Fatal(err)
		}
		add := exec.Command(sotto, "contacts", "add", friend, "--home", home(who))
		add.Stdin = bytes.NewReader(card)
		if out, err := add.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	alice := screen(t, sound, dir, "alice", sotto, "--network", net, "--home", home("alice"))
	alice.waitFor("tor")
	up := screen(t, sound, dir, "up", sotto, "up", "--network", net, "--home", home("bob"))
	up.waitFor("waiting for calls")
	alice.waitFor("1 contact may ring")
	bob := screen(t, sound, dir, "bob", sotto, "--home", home("bob"))
	bob.waitFor("not verified")
	if text := alice.text(); strings.Contains(text, "ALSA") {
		t.Errorf("something else is on the screen:\n%s", text)
	}
	bob.keys("Enter")
	alice.waitFor("bob is calling")
	alice.waitFor("Not verified")
	bob.waitFor("It rings there")
	alice.waitFor("is calling  0:02") // right after it came no key counts
	alice.keys("y")
	for _, s := range []*terminal{alice, bob} {
		s.waitFor("talking 0:0")
		s.waitFor("round trip")
		s.waitFor("of 100")
		s.waitFor("Circuits")
	}
	bob.keys("Enter", "are you there?", "Enter")
	alice.waitFor("bob: are you there?")
	bob.keys("Escape")
	bob.waitFor("hang up  m mute")
	bob.keys("m")
	bob.waitFor("muted: nothing of you is sent")
	alice.keys("h")
	bob.waitFor("you are on hold")
	alice.keys("h")
	// The phone that was up goes on without its screen.
	bob.keys("q")
	bob.waitFor("leave, the call goes on")
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for bob.keys("l"); !strings.Contains(bob.text(), "exit code 0"); bob.keys("l") {
		<-again.C // right after the question it did not count
	}
	lines := screen(t, sound, dir, "lines", sotto, "--plain", "--home", home("bob"))
	lines.waitFor("talking to alice")
	lines.waitFor("muted")
	lines.keys("say goodbye", "Enter", "hangup", "Enter")
	alice.waitFor("the call with bob is over")
	lines.waitFor("the call with alice is over")
	lines.keys("quit", "Enter")
	lines.waitFor("exit code 0")
	up.keys("C-c") // q would still mean the call
	up.waitFor("exit code 130")
	// A phone that ends with its screen: at a word, at a key, at a signal.
	own := screen(t, sound, dir, "own", sotto, "--plain", "--network", net, "--home", home("bob"))
	own.waitFor("type help")
	own.keys("quit", "Enter")
	own.waitFor("exit code 0")
	own = screen(t, sound, dir, "own2", sotto, "--network", net, "--home", home("bob"))
	own.waitFor("you are at")
	own.keys("q")
	own.waitFor("exit code 0")
	shell, err := exec.Command("tmux", "-S", alice.socket, "display-message", "-p", "#{pane_pid}").Output()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("pkill", "-TERM", "-P", strings.TrimSpace(string(shell))).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	alice.waitFor("exit code 130")
	if text := alice.text(); !strings.HasPrefix(text, "sotto: interrupted") {
		t.Errorf("the terminal is not given back:\n%s", text)
	}
	nothingRuns(t, dir)
}
