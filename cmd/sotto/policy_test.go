package main

import (
	"bufio"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Only contacts ring, without that the other side could tell: a stranger hears
// it ring and is listed as missed, is answered once they are a contact, and
// is not heard of any more once they are blocked. All the while the callee's
// phone is up.
func TestOnlyContactsRing(t *testing.T) {
	t.Parallel()
	net, sotto := need(t, network), need(t, binary)
	dir := t.TempDir()
	home := func(who string) string { return filepath.Join(dir, who) }
	address := map[string]string{}
	for _, who := range []string{"alice", "bob"} {
		address[who] = run(t, "", "id", "--yes", "--no-passphrase", "--home", home(who))
	}
	start := func(args ...string) (*exec.Cmd, *bufio.Scanner) {
		t.Helper()
		cmd := exec.Command(sotto, append(args, "--network", net)...)
		cmd.Stdin = strings.NewReader(address["alice"])
		talk, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		end := time.AfterFunc(90*time.Second, func() { cmd.Process.Kill() }) // what is awaited never comes then
		t.Cleanup(func() { end.Stop(); cmd.Process.Kill() })
		return cmd, bufio.NewScanner(talk)
	}
	var told, heard []string
	alice, hers := start("up", "--answer", "--home", home("alice"), "--in", "../../internal/demo/speech.wav", "--out", home("alice")+".wav")
	await(t, hers, &told, "you have none: sotto --home "+home("alice")+" contacts add NAME")
	await(t, hers, &told, "waiting for calls")
	// The same profile a second time: who has it is named, at once.
	for _, again := range [][]string{{"up", "--answer"}, {"id", "seal", "--no-passphrase"}} {
		began := time.Now()
		second := exec.Command(sotto, append(again, "--home", home("alice"))...)
		second.Stdin = strings.NewReader(address["bob"])
		out, err := second.CombinedOutput()
		if want := fmt.Sprintf("this profile is in use by sotto up (process %d)", alice.Process.Pid); second.ProcessState.ExitCode() != 7 || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v: %s", again, err, out)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%v took %v", again, took)
		}
	}
	call := func() (*exec.Cmd, *bufio.Scanner) {
		heard = nil
		return start("call", "--home", home("bob"), "--in", "../../internal/demo/speech.wav", "--out", home("bob")+".wav")
	}
	hangUp := func(cmd *exec.Cmd, lines *bufio.Scanner) {
		cmd.Process.Signal(syscall.SIGINT)
		for lines.Scan() {
			heard = append(heard, lines.Text())
		}
		cmd.Wait()
		if text := strings.Join(heard, "\n"); strings.Contains(text, "talking") {
			t.Errorf("the caller was answered:\n%s", text)
		}
	}

	bob, his := call()
	await(t, his, &heard, "ringing")
	await(t, hers, &told, "missed a call from "+strings.TrimSpace(address["bob"]))
	await(t, hers, &told, "a stranger: strangers do not ring")
	hangUp(bob, his)

	run(t, address["bob"], "contacts", "add", "bob", "--home", home("alice"))
	await(t, hers, &told, "contacts have changed: 1 contact may ring")
	bob, his = call()
	await(t, his, &heard, "talking")
	await(t, hers, &told, "a call from bob")
	bob.Process.Signal(syscall.SIGINT)
	await(t, hers, &told, "is over after")
	for his.Scan() {
	}
	bob.Wait()

	run(t, "", "contacts", "block", "bob", "--home", home("alice"))
	await(t, hers, &told, "contacts have changed: only contacts may ring, and your only contact is blocked")
	bob, his = call()
	await(t, his, &heard, "nobody answered")
	for his.Scan() {
	}
	if bob.Wait(); bob.ProcessState.ExitCode() != 6 || strings.Contains(strings.Join(heard, "\n"), "talking") {
		t.Errorf("somebody who is blocked: exit code %d:\n%s", bob.ProcessState.ExitCode(), strings.Join(heard, "\n"))
	}
	alice.Process.Signal(syscall.SIGINT)
	var after []string
	for hers.Scan() {
		after = append(after, hers.Text())
	}
	alice.Wait()
	if text := strings.Join(after, "\n"); strings.Contains(text, "call") && strings.Contains(text, "bob") {
		t.Errorf("told of somebody who is blocked:\n%s", text)
	}
}
