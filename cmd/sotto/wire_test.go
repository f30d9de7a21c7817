package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/sottovoce/sotto/voice"
)

// traced is one write of a process on one of its sockets, as strace saw it
// from outside.
type traced struct {
	at   float64 // s
	size int
}

// From outside the process nothing tells speech from silence: on the streams
// that carry a call there are blocks of 468 bytes, one every 20 ms, whatever
// is said. And the process connects to its own tor's sockets and to nothing
// else.
func TestTheWireFromOutside(t *testing.T) {
	var uneven []string
	for range 3 { // the machine may be busy with something else
		if uneven = wireRound(t); len(uneven) == 0 || t.Failed() {
			return
		}
		t.Logf("an uneven round: %q", uneven)
	}
	t.Errorf("uneven in all rounds: %q", uneven)
}

// wireRound is two calls; uneven is what is wrong with their pace.
func wireRound(t *testing.T) (uneven []string) {
	wrong := func(format string, args ...any) { uneven = append(uneven, fmt.Sprintf(format, args...)) }
	dir := t.TempDir()
	speech := "../../internal/demo/speech.wav"
	silence := filepath.Join(dir, "silence.wav")
	w, err := voice.CreateWAV(silence)
	if err != nil {
		t.Fatal(err)
	}
	for range 1100 {
		if err := w.WriteFrame(&voice.Frame{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	said := map[string]*observed{"speech": watchCall(t, dir, "speech", speech), "silence": watchCall(t, dir, "silence", silence)}
	for what, o := range said {
		for side, writes := range map[string][]traced{"caller": o.caller, "callee": o.callee} {
			talk := steady(writes)
			gaps := gaps(talk)
			t.Logf("%s, %s: %d writes, gaps %.1f / %.1f / %.1f ms (p1, p50, p99)", what, side, len(talk), at(gaps, 0.01), at(gaps, 0.5), at(gaps, 0.99))
			if len(talk) < 900 {
				wrong("%s, %s: only %d records in 20 s", what, side, len(talk))
			}
			if m := at(gaps, 0.5); math.Abs(m-20) > 0.5 {
				wrong("%s, %s: a record every %.1f ms", what, side, m)
			}
		}
	}
	for _, side := range []func(*observed) []traced{func(o *observed) []traced { return o.caller }, func(o *observed) []traced { return o.callee }} {
		a, b := steady(side(said["speech"])), steady(side(said["silence"]))
		rate := func(w []traced) float64 { return float64(len(w)-1) / (w[len(w)-1].at - w[0].at) }
		if r := rate(a) / rate(b); r < 0.99 || r > 1.01 {
			wrong("speech goes at %.2f records a second, silence at %.2f", rate(a), rate(b))
		}
		// The pace of one call is as like the other's as two of a kind.
		if d := at(gaps(a), 0.5) - at(gaps(b), 0.5); math.Abs(d) > 0.2 {
			wrong("the gaps differ by %.2f ms in the median", d)
		}
	}
	return uneven
}

type observed struct{ caller, callee []traced }

// watchCall lets the file be said by both in a call under strace.
func watchCall(t *testing.T, dir, name, wav string) *observed {
	t.Helper()
	net, sotto := need(t, network), need(t, binary)
	home := func(who string) string { return filepath.Join(dir, name+"-"+who) }
	log := func(who string) string { return home(who) + ".strace" }
	strace := func(who string, args ...string) *exec.Cmd {
		args = append([]string{"-f", "--seccomp-bpf", "-qq", "-ttt", "-yy", "-s", "0", "-o", log(who), "-e", "trace=write,writev,sendto,sendmsg,connect,socket,execve", sotto}, args...)
		return exec.Command("strace", args...)
	}
	for _, who := range []string{"caller", "callee"} {
		if out, err := exec.Command(sotto, "id", "--yes", "--no-passphrase", "--home", home(who)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	address, err := exec.Command(sotto, "id", "--home", home("callee")).Output()
	if err != nil {
		t.Fatal(err)
	}

	up := strace("callee", "up", "--from", "anyone", "--answer", "--network", net, "--home", home("callee"), "--in", wav, "--out", home("callee")+".wav")
	talk, err := up.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	// strace keeps signals from itself: they go to the group of both.
	up.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(-up.Process.Pid, syscall.SIGKILL)
	lines := bufio.NewScanner(talk)
	var told []string
	await(t, lines, &told, "waiting for calls")

	// The profile is taken: a second process on it says by whom.
	second := exec.Command(sotto, "up", "--from", "anyone", "--answer", "--network", net, "--home", home("callee"), "--in", wav, "--out", "/dev/null")
	if out, err := second.CombinedOutput(); second.ProcessState.ExitCode() != 7 || !strings.Contains(string(out), "in use by sotto up (process ") {
		t.Errorf("a second process on one profile: %v: %s", err, out)
	}

	call := strace("caller", "call", "--network", net, "--home", home("caller"), "--in", wav, "--out", home("caller")+".wav")
	call.Stdin = bytes.NewReader(address)
	if out, err := call.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	await(t, lines, &told, "is over after")
	syscall.Kill(-up.Process.Pid, syscall.SIGINT)
	for lines.Scan() {
	}
	up.Wait()
	if code := up.ProcessState.ExitCode(); code != 130 {
		t.Errorf("up was interrupted and exits with %d", code)
	}
	nothingRuns(t, dir)
	o := &observed{}
	o.caller, err = stream(t, log("caller"))
	if err != nil {
		t.Fatal(err)
	}
	o.callee, err = stream(t, log("callee"))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func await(t *testing.T, lines *bufio.Scanner, told *[]string, what string) {
	t.Helper()
	for lines.Scan() {
		*told = append(*told, lines.Text())
		if strings.Contains(lines.Text(), what) {
			return
		}
	}
	t.Fatalf("never said %q:\n%s", what, strings.Join(*told, "\n"))
}

var (
	wrote     = regexp.MustCompile(`^\d+ +([0-9.]+) (?:write|sendto)\(\d+<([^>]*(?:->[^>]*)?)>?.*?, ""(?:\.\.\.)?, (\d+)`)
	connects  = regexp.MustCompile(`connect\(.*?\{sa_family=(\w+)`)
	otherways = regexp.MustCompile(`^\d+ +[0-9.]+ (writev|sendmsg)\(\d+<(UNIX|TCP|UDP)`)
)

// stream finds the records on the sockets that carried the call, checks that
// there is nothing else on them, that nothing but unix sockets was connected to and no other socket was made.
func stream(t *testing.T, path string) ([]traced, error) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	writes := map[string][]traced{}
	connected := 0
	tors := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		pid, _, _ := strings.Cut(line, " ")
		if strings.Contains(line, `execve(`) && strings.Contains(line, `/tor"`) {
			tors[pid] = true
		}
		if tors[pid] {
			continue // it is tor that goes out, and no one else
		}
		if m := connects.FindStringSubmatch(line); m != nil {
			if connected++; m[1] != "AF_UNIX" {
				t.Errorf("a connection to something other than a unix socket: %s", line)
			}
		}
		if strings.Contains(line, "socket(AF_INET") || otherways.MatchString(line) {
			t.Errorf("a way out that should not be: %s", line)
		}
		if strings.Contains(line, "/api/socket") {
			continue // who drives the phone is on this machine
		}
		if m := wrote.FindStringSubmatch(line); m != nil && strings.Contains(m[2], "UNIX") {
			at, _ := strconv.ParseFloat(m[1], 64)
			size, _ := strconv.Atoi(m[3])
			writes[m[2]] = append(writes[m[2]], traced{at, size})
		}
	}
	if connected == 0 || len(tors) == 0 {
		t.Errorf("%s: no connection, or no tor, was seen at all", path)
	}
	var records []traced
	for socket, all := range writes {
		// A stream of a call: SOCKS's own few bytes, then whole blocks.
		first := slices.IndexFunc(all, func(w traced) bool { return w.size%468 == 0 })
		if first < 0 {
			continue
		}
		for _, w := range all[first:] {
			if w.size%468 != 0 {
				t.Errorf("%s: a write of %d bytes on %s", path, w.size, socket)
			}
			if w.size == 468 {
				records = append(records, w)
			}
		}
		for _, w := range all[:first] {
			if w.size > 100 {
				t.Errorf("%s: %d bytes before the first block on %s", path, w.size, socket)
			}
		}
	}
	slices.SortFunc(records, func(a, b traced) int { return cmp.Compare(a.at, b.at) })
	return records, nil
}

// steady is the last 18 s of a call: no path joins any more.
func steady(w []traced) []traced { return w[max(0, len(w)-900):] }

func gaps(w []traced) []float64 {
	var out []float64
	for i := 1; i < len(w); i++ {
		out = append(out, (w[i].at-w[i-1].at)*1000)
	}
	slices.Sort(out)
	return out
}

func at(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[int(p*float64(len(sorted)-1))]
}
