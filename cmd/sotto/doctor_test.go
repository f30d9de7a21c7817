package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sottovoce/sotto/onion"
)

// checkup runs sotto doctor and gives what it found and its exit code.
func checkup(t *testing.T, args ...string) (found map[string]string, talk string, code int) {
	t.Helper()
	var talked strings.Builder
	cmd := watched(t, nil, append([]string{need(t, binary), "doctor", "--json"}, args...)...)
	cmd.Stderr = &talked
	out, _ := cmd.Output()
	var report struct {
		OK     bool
		Checks []struct{ Check, Status, Says, Fix string }
	}
	if err := json.Unmarshal(out, &report); err != nil { // nothing, or more than one object
		t.Fatalf("%v: %s%s", err, out, talked.String())
	}
	found = map[string]string{}
	for _, c := range report.Checks {
		found[c.Check] = c.Status
		t.Logf("%-8s %-14s %s", c.Status, c.Check, c.Says)
		if (c.Status == "warning" || c.Status == "failure") == (c.Fix == "") {
			t.Errorf("%s is %s and the advice is %q", c.Check, c.Status, c.Fix)
		}
	}
	code = cmd.ProcessState.ExitCode()
	if report.OK != (code == 0) {
		t.Errorf("ok is %v and the exit code %d", report.OK, code)
	}
	return found, talked.String(), code
}

// The doctor publishes the profile's own address on a network, calls it, and
// says so; with no tor it says what is missing and leaves out the rest.
func TestDoctor(t *testing.T) {
	t.Parallel()
	net, sotto := need(t, network), need(t, binary)
	home := filepath.Join(t.TempDir(), "home")
	if out, err := exec.Command(sotto, "id", "--yes", "--no-passphrase", "--home", home).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found, _, _ := checkup(t, "--home", home, "--network", net, "--own")
	for check, want := range map[string]string{
		"folder": "warning", // the identity is not sealed
		"tor":    "ok", "bootstrap": "ok", "clock": "ok", "circuits": "ok", "reach": "ok", "libopus": "ok",
	} {
		if found[check] != want {
			t.Errorf("%s: %s, want %s", check, found[check], want)
		}
	}
	found, talk, code := checkup(t, "--home", home, "--tor", "/nowhere/tor")
	if found["tor"] != "failure" || found["bootstrap"] != "skipped" || found["reach"] != "skipped" || code != 3 {
		t.Errorf("without a tor: %v, exit code %d", found, code)
	}
	if !strings.Contains(talk, "no tor program found") {
		t.Errorf("it says %q", talk)
	}

	// A tor without its sandbox does, and is told of.
	bare := filepath.Join(t.TempDir(), "tor")
	tor, err := onion.FindTor("")
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\nfor f; do case $f in /*/torrc) if grep -q '^Sandbox 1' \"$f\"; then echo '[warn] Sandbox is not implemented'; exit 1; fi; esac; done\nexec %s \"$@\"\n", tor.Path)
	if err := os.WriteFile(bare, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if found, _, _ = checkup(t, "--home", home, "--network", net, "--tor", bare); found["sandbox"] != "warning" || found["reach"] != "ok" {
		t.Errorf("a tor without a sandbox: %v", found)
	}
}

// What is broken besides tor has its line, its advice and its exit code, and
// --json is one object whatever happens.
func TestDoctorOnBrokenProfiles(t *testing.T) {
	t.Parallel()
	net, sotto := need(t, network), need(t, binary)
	dir := t.TempDir()
	home := func(who string) string { return filepath.Join(dir, who) }
	for _, who := range []string{"damaged", "taken"} {
		if out, err := exec.Command(sotto, "id", "--yes", "--no-passphrase", "--home", home(who)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(home("damaged"), "identity"), []byte("no key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	up := exec.Command(sotto, "up", "--answer", "--network", net, "--home", home("taken"), "--in", "../../internal/demo/speech.wav", "--out", home("taken")+".wav")
	talk, err := up.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	defer up.Wait()
	defer up.Process.Signal(syscall.SIGINT)
	await(t, bufio.NewScanner(talk), new([]string), "waiting for calls")

	// Of a tor that a phone has, the phone tells.
	found, _, _ := checkup(t, "--home", home("taken"))
	for check, want := range map[string]string{"tor": "ok", "bootstrap": "ok", "sandbox": "skipped", "clock": "skipped", "circuits": "skipped", "reach": "skipped"} {
		if found[check] != want {
			t.Errorf("%s of a phone that is up: %s", check, found[check])
		}
	}
	refused := exec.Command(sotto, "doctor", "--network", net, "--home", home("taken"))
	if out, _ := refused.CombinedOutput(); refused.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "--network: sotto up runs") {
		t.Errorf("another network than the phone's: %s", out)
	}

	for name, test := range map[string]struct {
		args        []string
		check, says string
		code        int
	}{
		"no identity":       {[]string{"--home", home("none"), "--own", "--tor", "/nowhere/tor"}, "identity", "no identity yet", 7},
		"a damaged one":     {[]string{"--home", home("damaged"), "--own", "--tor", "/nowhere/tor"}, "identity", "damaged", 7},
		"no network":        {[]string{"--home", home("none"), "--network", dir}, "tor", "sotto demo --keep", 3},
		"a folder, no file": {[]string{"--home", filepath.Join(home("damaged"), "identity")}, "folder", "", 1},
	} {
		found, talk, code := checkup(t, test.args...)
		if found[test.check] != "failure" || code != test.code || !strings.Contains(talk, test.says) {
			t.Errorf("%s: %v, exit code %d, says %s", name, found, code, talk)
		}
	}
}
