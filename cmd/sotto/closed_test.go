package main

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sotto up --closed, with no more than an exchange of cards: bob, whose card
// alice has, comes through; carol, who is no contact, is told that the address is
// closed. Once bob is blocked, he is locked out as well, while alice's phone is up.
func TestClosedAddress(t *testing.T) {
	t.Parallel()
	net, sotto := need(t, network), need(t, binary)
	dir := t.TempDir()
	home := func(who string) string { return filepath.Join(dir, who) }
	cards := map[string]string{}
	for _, who := range []string{"alice", "bob", "carol"} {
		run(t, "", "id", "--yes", "--no-passphrase", "--home", home(who))
		cards[who] = run(t, "", "contacts", "card", "--home", home(who))
	}
	run(t, cards["bob"], "contacts", "add", "bob", "--home", home("alice"))

	var told []string
	up := exec.Command(sotto, "up", "--closed", "--answer", "--home", home("alice"), "--network", net,
		"--in", "../../internal/demo/speech.wav", "--out", home("alice")+".wav")
	talk, err := up.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	end := time.AfterFunc(2*time.Minute, func() { up.Process.Kill() }) // what is awaited never comes then
	defer end.Stop()
	defer up.Wait()
	defer up.Process.Signal(syscall.SIGINT)
	alice := bufio.NewScanner(talk)

	// call is a call to alice, which ends as soon as it talks.
	call := func(who string) (code int, said string) {
		t.Helper()
		cmd := exec.Command(sotto, "call", "--home", home(who), "--network", net, "--in", "../../internal/demo/speech.wav", "--out", home(who)+".wav")
		cmd.Stdin = strings.NewReader(cards["alice"])
		talk, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		end := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
		defer end.Stop()
		for lines := bufio.NewScanner(talk); lines.Scan(); {
			said += lines.Text() + "\n"
			if strings.HasPrefix(lines.Text(), "talking") {
				cmd.Process.Signal(syscall.SIGINT)
			}
		}
		cmd.Wait()
		return cmd.ProcessState.ExitCode(), said
	}
	await(t, alice, &told, "closed to all but one of your contacts")
	await(t, alice, &told, "waiting for calls")
	if code, said := call("carol"); code != 4 || !strings.Contains(said, "closed to all but those whom its owner has authorised") || !strings.Contains(said, "card") {
		t.Errorf("carol: exit %d: %s", code, said)
	}
	if code, said := call("bob"); code != 130 || !strings.Contains(said, "\ntalking") {
		t.Errorf("bob: exit %d: %s", code, said)
	}
	run(t, "", "contacts", "block", "bob", "--home", home("alice"))
	await(t, alice, &told, "closed to everybody")
}
