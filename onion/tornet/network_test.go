package tornet_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/tornet"
)

// helperDir, when set, makes this test binary start a network in that folder,
// print its folder and wait to be killed.
const helperDir = "SOTTO_TORNET_HELPER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		_, err := tornet.Start(ctx, tornet.Config{Dir: dir})
		fmt.Println("started", err)
		io.Copy(io.Discard, os.Stdin) // until SIGKILL; or until the test is gone
		return
	}
	os.Exit(m.Run())
}

// One network, killed with its program: while it runs, other programs find it
// by its folder; a second after the program's SIGKILL no tor of it is left, and
// its folder says so.
func TestNoTorOutlivesItsProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	helper := exec.Command(os.Args[0])
	helper.Env = append(os.Environ(), helperDir+"="+dir)
	if _, err := helper.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := helper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	defer helper.Wait()
	defer helper.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "started <nil>\n" {
		t.Fatalf("the helper says %q, %v", line, err)
	}

	if torrc, err := tornet.Client(dir); err != nil || !strings.Contains(strings.Join(torrc, "\n"), "DirAuthority authority1 ") {
		t.Errorf("another program finds %q, %v", torrc, err)
	}
	if n, err := tornet.Start(t.Context(), tornet.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second network in the same folder: %v, %v", n, err)
	}
	pids := torsIn(dir)
	if len(pids) != 6 {
		t.Fatalf("%d tors run, want 6", len(pids))
	}
	if err := helper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	for len(torsIn(dir)) > 0 && time.Since(killed) < 20*time.Second {
	}
	took := time.Since(killed)
	t.Logf("all tors gone after %v", took)
	if took > time.Second {
		t.Errorf("tors left a second after their program was killed: gone after %v", took)
	}
	helper.Wait() // its lock goes with it
	if torrc, err := tornet.Client(dir); err == nil || !strings.Contains(err.Error(), "does not run any more") {
		t.Errorf("a dead network's folder gives %q, %v", torrc, err)
	}
}

// torsIn finds the processes that were started for a network's folder and are
// not yet gone.
func torsIn(dir string) []int {
	var pids []int
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		line, err := os.ReadFile(path) // empty for a zombie
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && pid != os.Getpid() && strings.Contains(string(line), dir+"/") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// A tor that dies ends the network, with a reason; Close leaves nothing.
func TestADeadTorIsNamed(t *testing.T) {
	t.Parallel()
	var steps []tornet.Progress
	network, err := tornet.Start(t.Context(), tornet.Config{Relays: 2, Progress: func(p tornet.Progress) { steps = append(steps, p) }})
	if err != nil {
		t.Fatal(err)
	}
	for i := range steps[1:] {
		if steps[i].Percent > steps[i+1].Percent {
			t.Errorf("progress went back: %v, %v", steps[i], steps[i+1])
		}
	}
	if len(steps) < 3 || steps[0].Percent != 0 || steps[len(steps)-1].Percent != 100 {
		t.Errorf("progress %v", steps)
	}
	dir := network.Dir()
	pids := torsIn(filepath.Join(dir, "relay2"))
	if len(pids) != 1 {
		t.Fatalf("%d tors of relay2", len(pids))
	}
	if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-network.Done()
	if err := network.Err(); err == nil || !strings.Contains(err.Error(), "relay2 of the private network") {
		t.Errorf("the network ended with %v", err)
	}
	if err := network.Close(); err == nil || !strings.Contains(err.Error(), "relay2") {
		t.Errorf("Close: %v", err)
	}
	if left := torsIn(dir); len(left) > 0 {
		t.Errorf("tors left: %v", left)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary folder is left: %v", err)
	}
}

// The end of its context stops a start at any point, with how far it got and
// nothing left.
func TestStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"making keys", "authorities are voting"} {
		dir := t.TempDir()
		ctx, cancel := context.WithCancelCause(t.Context())
		mine := errors.New("mine")
		_, err := tornet.Start(ctx, tornet.Config{Dir: dir, Progress: func(p tornet.Progress) {
			if strings.Contains(p.Summary, step) {
				cancel(mine)
			}
		}})
		if !errors.Is(err, mine) || !strings.Contains(err.Error(), step) {
			t.Errorf("ended at %q: %v", step, err)
		}
		if left := torsIn(dir); len(left) > 0 {
			t.Errorf("ended at %q: tors left: %v", step, left)
		}
		if _, err := tornet.Client(dir); err == nil || !strings.Contains(err.Error(), "no private network runs") {
			t.Errorf("ended at %q: %v", step, err)
		}
	}
}

func TestToolsAreMissed(t *testing.T) {
	script := func(text string) string {
		path := filepath.Join(t.TempDir(), "tor")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct {
		tor  string
		want error
	}{
		"no tor":  {filepath.Join(t.TempDir(), "tor"), onion.ErrNoTor},
		"old tor": {script("echo Tor version 0.4.6.9."), onion.ErrTorTooOld},
	} {
		if _, err := tornet.Start(t.Context(), tornet.Config{Tor: test.tor}); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A tor that cannot even make keys gives its reason.
	bad := script(`[ "$1" = --version ] && exec echo "Tor version 0.4.9.11."; echo "[err] the disk is full"; exit 1`)
	if _, err := tornet.Start(t.Context(), tornet.Config{Tor: bad}); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("a tor that fails: %v", err)
	}
}

func TestClientWantsANetworksFolder(t *testing.T) {
	if _, err := tornet.Client(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no private network") {
		t.Error(err)
	}
}
