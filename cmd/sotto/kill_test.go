package main

import (
	"bufio"
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// torBegins stands for a moment that nothing is said of: when tor has been
// started, but has not been told yet whose it is.
const torBegins = "tor begins"

// killStages are the points where sotto is killed: after it has said something,
// and up to so much later.
var killStages = []struct {
	name, said string
	most       time.Duration
	who        string // whose profile
	args       []string
}{
	{"up, starting", "", 2 * time.Second, "dora", []string{"up", "--answer"}},
	{"up, as tor begins", torBegins, 30 * time.Millisecond, "dora", []string{"up", "--answer"}},
	{"up, publishing", "publishing", time.Second, "dora", []string{"up", "--answer"}},
	{"up, waiting", "waiting for calls", 200 * time.Millisecond, "dora", []string{"up", "--answer"}},
	{"call, starting", "", 2 * time.Second, "bob", []string{"call", "alice"}},
	{"call, dialling", "reaching the other side", time.Second, "bob", []string{"call", "alice"}},
	{"call, ringing", "ringing", 2 * time.Second, "bob", []string{"call", "--once", "alice"}}, // strangers only ring
	{"call, talking", "talking", 2 * time.Second, "bob", []string{"call", "alice"}},
}

// sotto that is killed at any point leaves no tor, and profiles that are whole
// and work at once: 10 times, 100 with SOTTO_SOAK set.
func TestKilledLeavesNothing(t *testing.T) {
	t.Parallel()
	net, sotto := need(t, network), need(t, binary)
	dir := t.TempDir()
	home := func(who string) string { return filepath.Join(dir, who) }
	run := func(stdin string, args ...string) string {
		t.Helper()
		cmd := exec.Command(sotto, args...)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
		return string(out)
	}
	card := map[string]string{}
	for _, who := range []string{"alice", "bob", "dora"} {
		run("", "id", "--yes", "--no-passphrase", "--home", home(who))
		card[who] = run("", "contacts", "card", "--home", home(who))
	}
	for _, pair := range [][2]string{{"alice", "bob"}, {"bob", "alice"}, {"dora", "bob"}} {
		run(card[pair[1]], "contacts", "add", pair[1], "--home", home(pair[0]))
	}
	// begin starts sotto and returns when it has said something.
	begin := func(who string, args []string, said string) (*exec.Cmd, *bufio.Scanner) {
		t.Helper()
		cmd := exec.Command(sotto, append(slices.Clone(args), "--network", net, "--home", home(who),
			"--in", "../../internal/demo/speech.wav", "--out", home(who)+".wav")...)
		talk, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		end := time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() }) // what is awaited never comes then
		defer end.Stop()
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		lines := bufio.NewScanner(talk)
		switch said {
		case "":
		case torBegins:
			for began := time.Now(); len(torsOf(t, home(who))) == 0 && time.Since(began) < time.Minute; {
			}
		default:
			await(t, lines, new([]string), said)
		}
		return cmd, lines
	}
	alice, hers := begin("alice", []string{"up", "--answer"}, "waiting for calls")
	go func() { // she has much to say
		for hers.Scan() {
		}
	}()

	rounds := 10
	if os.Getenv("SOTTO_SOAK") != "" {
		rounds = 100
	}
	whole := map[string]map[string]string{"bob": profile(t, home("bob")), "dora": profile(t, home("dora"))}
	longest, tors := time.Duration(0), 0
	for i := range rounds {
		stage := killStages[i%len(killStages)]
		cmd, _ := begin(stage.who, stage.args, stage.said)
		<-time.After(rand.N(stage.most))
		tors += len(torsOf(t, home(stage.who)))
		killed := time.Now()
		cmd.Process.Kill()
		for len(torsOf(t, home(stage.who))) > 0 && time.Since(killed) < 20*time.Second {
		}
		took := time.Since(killed)
		longest = max(longest, took)
		if took > 5*time.Second { // a busy machine may be slow to say so
			t.Errorf("%s: its tor is there %v after", stage.name, took)
		}
		cmd.Wait()
		if cmd.ProcessState.ExitCode() != -1 {
			t.Errorf("%s: it ended by itself with %d", stage.name, cmd.ProcessState.ExitCode())
		}
		for path, text := range profile(t, home(stage.who)) {
			if before, ok := whole[stage.who][path]; !ok || before != text {
				t.Errorf("%s: %s has changed, or is new", stage.name, path)
			}
		}
	}
	if tors < rounds/2 {
		t.Errorf("only %d tors ran when sotto was killed %d times", tors, rounds)
	}
	// What was killed works, and ends well.
	for _, last := range []int{3, 7} {
		stage := killStages[last]
		cmd, lines := begin(stage.who, stage.args, stage.said)
		cmd.Process.Signal(syscall.SIGINT)
		for lines.Scan() {
		}
		if cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
			t.Errorf("%s, after all: exit code %d", stage.name, cmd.ProcessState.ExitCode())
		}
	}
	for _, who := range []string{"bob", "dora"} {
		if now := run("", "contacts", "card", "--home", home(who)); now != card[who] {
			t.Errorf("%s's card was %s and is %s", who, card[who], now)
		}
	}
	alice.Process.Signal(syscall.SIGINT)
	alice.Wait()
	nothingRuns(t, dir)
	if left, err := filepath.Glob(filepath.Join(dir, "*", "tor*", "sockets")); err != nil || len(left) > 0 {
		t.Errorf("sockets left: %v, %v", left, err)
	}
	t.Logf("killed %d times, with %d tors: the slowest was gone after %v", rounds, tors, longest)
}

// profile is what lies in a profile's folder, tor's own, locks and the phone's
// socket aside.
func profile(t *testing.T, home string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), "tor") || d.Name() == "api"):
			return fs.SkipDir
		case d.IsDir() || d.Name() == "lock":
			return nil
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// torsOf lists the tors that run in a profile, whoever their parent is.
func torsOf(t *testing.T, home string) (lines []string) {
	t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(commands) == 0 {
		t.Fatalf("no processes to see: %v", err)
	}
	for _, c := range commands {
		b, err := os.ReadFile(c) // empty for a zombie
		program, _, _ := bytes.Cut(b, []byte{0})
		if err == nil && filepath.Base(string(program)) == "tor" && bytes.Contains(b, []byte(home+"/")) {
			lines = append(lines, string(b))
		}
	}
	return lines
}
