package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// Two phones without a terminal, driven from others: by commands and by the API
// they are. Names are completed although they are sealed, since a phone is up.
// Alice keeps a history, and bob's phone writes nothing about its calls.
func TestPhonesAreDriven(t *testing.T) {
	t.Parallel()
	net, sotto := need(t, network), need(t, binary)
	dir := t.TempDir()
	home := func(who string) string { return filepath.Join(dir, who) }
	pass := "a wet blanket\n"
	card := map[string]string{}
	for _, who := range []string{"alice", "bob"} {
		run(t, pass, "id", "--yes", "--passphrase-fd", "0", "--home", home(who))
		card[who] = run(t, pass, "contacts", "card", "--passphrase-fd", "0", "--home", home(who))
	}
	run(t, pass+card["bob"], "contacts", "add", "bob", "--passphrase-fd", "0", "--home", home("alice"))
	run(t, pass+card["alice"], "contacts", "add", "alice", "--passphrase-fd", "0", "--home", home("bob"))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()

	phones := map[string]*api.Client{}
	for _, who := range []string{"alice", "bob"} {
		up := exec.Command(sotto, "up", "--history="+strconv.FormatBool(who == "alice"), "--passphrase-fd", "0", "--network", net, "--home", home(who), "--in", "../../internal/demo/speech.wav", "--out", home(who)+".wav")
		up.Stdin = strings.NewReader(pass)
		up.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal, even where the tests have one
		talk, err := up.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := up.Start(); err != nil {
			t.Fatal(err)
		}
		end := time.AfterFunc(3*time.Minute, func() { up.Process.Kill() })
		t.Cleanup(func() { end.Stop(); up.Process.Kill() })
		var told []string
		lines := bufio.NewScanner(talk)
		await(t, lines, &told, "calls are answered by sotto --home "+home(who)+" answer")
		await(t, lines, &told, "waiting for calls")
		ended := make(chan struct{})
		go func() { // until it is put away
			defer close(ended)
			for lines.Scan() {
			}
			up.Wait()
		}()
		t.Cleanup(func() {
			if err := phones[who].PutAway(context.Background()); err != nil {
				t.Error(err)
			}
			if <-ended; up.ProcessState.ExitCode() != 0 {
				t.Errorf("%s's phone: exit code %d", who, up.ProcessState.ExitCode())
			}
		})
		if phones[who], err = api.Dial(home(who)); err != nil {
			t.Fatal(err)
		}
	}
	if names := run(t, "", "__complete", "call", "--home", home("alice"), "b"); !strings.HasPrefix(names, "bob\n") {
		t.Errorf("completed: %q", names)
	}
	took := time.Hour
	for range 10 { // the machine may be busy in some
		began := time.Now()
		run(t, "", "status", "--home", home("alice"))
		took = min(took, time.Since(began))
	}
	t.Logf("sotto status took %v", took)
	if took > 50*time.Millisecond {
		t.Errorf("sotto status took %v", took)
	}

	// what waits until a phone tells of something.
	what := func(who, what string, is func(api.Event) bool) (found api.Event) {
		t.Helper()
		enough := errors.New("enough")
		err := phones[who].Events(ctx, func(e api.Event) error {
			calls := []api.Event{e}
			if e.Status != nil { // what is so already
				for _, c := range e.Status.Calls {
					calls = append(calls, api.Event{Call: &c})
				}
			}
			if i := slices.IndexFunc(calls, is); i >= 0 {
				found = calls[i]
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) {
			t.Fatalf("%s never tells of %s: %v", who, what, err)
		}
		return found
	}
	phase := func(p api.CallPhase) func(api.Event) bool {
		return func(e api.Event) bool { return e.Call != nil && e.Call.Phase == p }
	}
	call := exec.Command(sotto, "call", "--home", home("bob"), "--json", "ALICE")
	call.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	said, err := call.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var report strings.Builder
	call.Stdout = &report
	if err := call.Start(); err != nil {
		t.Fatal(err)
	}
	var heard []string
	lines := bufio.NewScanner(said)
	await(t, lines, &heard, "calling alice")
	await(t, lines, &heard, "ringing")
	if c := what("alice", "a ring", phase(api.Ringing)).Call; c.Name != "bob" || c.Outgoing {
		t.Errorf("%+v", c)
	}
	run(t, "", "answer", "--home", home("alice"))
	await(t, lines, &heard, "talking")
	what("bob", "circuits and a rating", func(e api.Event) bool {
		return e.Call != nil && len(e.Call.Paths) > 1 && e.Call.Quality.Word != "" && e.Call.DelayMS > 0
	})
	run(t, "the second room\n", "say", "--home", home("alice"))
	await(t, lines, &heard, "alice: the second room")
	run(t, "", "hold", "--home", home("alice"), "bob")
	what("bob", "being held", func(e api.Event) bool { return e.Call != nil && e.Call.Held })
	run(t, "", "hold", "--off", "--home", home("alice"))
	what("bob", "being held no more", func(e api.Event) bool { return e.Call != nil && !e.Call.Held })
	run(t, "", "mute", "--home", home("alice"))
	if s := run(t, "", "status", "--home", home("alice")); !strings.Contains(s, "call 1   from bob, talking 0:") || !strings.Contains(s, "muted") {
		t.Error(s)
	}
	run(t, "", "hangup", "--home", home("alice"))
	await(t, lines, &heard, "is over after")
	for lines.Scan() {
	}
	if err := call.Wait(); err != nil {
		t.Error(err)
	}
	var r struct {
		Exit   int    `json:"exit"`
		Name   string `json:"name"`
		Talked int    `json:"talked_ms"`
		Sent   int    `json:"records_sent"`
	}
	if err := json.Unmarshal([]byte(report.String()), &r); err != nil || r.Exit != 0 || r.Name != "alice" || r.Talked == 0 || r.Sent == 0 {
		t.Errorf("%s, %v", report.String(), err)
	}
	// A missed call is in the log; a silent phone does not ring.
	run(t, "", "silent", "on", "--home", home("alice"))
	again := exec.Command(sotto, "call", "--home", home("bob"), "alice")
	again.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	what("alice", "a missed call", func(e api.Event) bool {
		return e.Missed != nil || e.Status != nil && len(e.Status.Missed) > 0
	})
	again.Process.Signal(syscall.SIGINT)
	if again.Wait(); again.ProcessState.ExitCode() != 130 {
		t.Errorf("interrupted: exit code %d", again.ProcessState.ExitCode())
	}
	if log := run(t, "", "log", "--home", home("alice")); !strings.Contains(log, "bob  this phone is silent") || !strings.Contains(log, "from  bob  answered, 0:") {
		t.Error(log)
	}
	if log := run(t, "", "log", "--home", home("bob")); log != "" {
		t.Error(log)
	}
	for path := range profile(t, home("bob")) {
		if name := filepath.Base(path); name != "identity" && name != "contacts" && name != "contacts.lock" {
			t.Errorf("bob's phone has written %s", path)
		}
	}
}
