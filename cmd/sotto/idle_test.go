package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A phone that waits costs under 1 % of a core and 40 MiB, beside its tor: its
// own processor time in 20 s, which a busy machine does not change, and what it
// has in memory, though unsealing the identity took far more.
func TestIdlePhoneCostsLittle(t *testing.T) {
	t.Parallel()
	net, sotto := need(t, network), need(t, binary)
	home := filepath.Join(t.TempDir(), "home")
	sealed := func(args ...string) *exec.Cmd {
		t.Helper()
		cmd := exec.Command(sotto, append(args, "--home", home, "--passphrase-fd", "0")...)
		cmd.Stdin = strings.NewReader("a passphrase of some words\n")
		return cmd
	}
	if out, err := sealed("id", "--yes").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	up := sealed("up", "--answer", "--network", net, "--in", "../../internal/demo/speech.wav", "--out", home+".wav")
	talk, err := up.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	end := time.AfterFunc(2*time.Minute, func() { up.Process.Kill() })
	defer end.Stop()
	defer up.Wait()
	defer up.Process.Signal(syscall.SIGINT)
	var told []string
	lines := bufio.NewScanner(talk)
	await(t, lines, &told, "waiting for calls")

	const watched = 20 * time.Second
	before := processorTime(t, up.Process.Pid)
	<-time.After(watched)
	took := processorTime(t, up.Process.Pid) - before
	memory := memoryOf(t, up.Process.Pid)
	t.Logf("an idle phone: %v of a core in %v (%.2f %%), %.1f MiB", took, watched, 100*took.Seconds()/watched.Seconds(), memory)
	if took > watched/100 {
		t.Errorf("%v of processor time in %v", took, watched)
	}
	if memory > 40 {
		t.Errorf("%.1f MiB", memory)
	}
}

// processorTime is what a process has used of the processors, in steps of 10 ms.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(stat, []byte(") ")) // fields from the third on
	fields := strings.Fields(string(rest))
	if len(fields) < 13 {
		t.Fatalf("/proc/%d/stat: %s", pid, stat)
	}
	ticks := 0
	for _, field := range fields[11:13] { // utime, stime: 100 a second on every Linux
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

var residentSize = regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB$`)

// memoryOf is what a process has in memory, in MiB.
func memoryOf(t *testing.T, pid int) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := residentSize.FindSubmatch(status)
	if m == nil {
		t.Fatalf("/proc/%d/status: %s", pid, status)
	}
	kib, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib / 1024
}
