package onion_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/onion"
)

// cycling, when set, names a file with an address that is up and a network's
// torrc: this test binary starts and stops nodes, and counts what they leave.
// It has a process to itself for that, where nothing else comes and goes.
const cycling = "SOTTO_TEST_CYCLES"

// stages are how far a node is let come before it is ended, each with the most
// that it goes on from there: when exactly is random.
var stages = []struct {
	name string
	most time.Duration
	come func(ctx context.Context, n *onion.Node, peer identity.Address, key *identity.Key, begun func()) error
}{
	{"starting", 700 * time.Millisecond, func(ctx context.Context, n *onion.Node, _ identity.Address, _ *identity.Key, begun func()) error {
		begun()
		return n.Ready(ctx)
	}},
	{"ready", 100 * time.Millisecond, func(ctx context.Context, n *onion.Node, _ identity.Address, _ *identity.Key, begun func()) error {
		defer begun()
		return n.Ready(ctx)
	}},
	{"publishing", time.Second, func(ctx context.Context, n *onion.Node, _ identity.Address, key *identity.Key, begun func()) error {
		err := n.Ready(ctx)
		begun()
		if err == nil {
			err = listens(ctx, n, key)
		}
		return err
	}},
	{"listening", 100 * time.Millisecond, func(ctx context.Context, n *onion.Node, _ identity.Address, key *identity.Key, begun func()) error {
		defer begun()
		return listens(ctx, n, key)
	}},
	{"dialling", 600 * time.Millisecond, func(ctx context.Context, n *onion.Node, peer identity.Address, _ *identity.Key, begun func()) error {
		err := n.Ready(ctx)
		begun()
		if err == nil {
			err = talks(ctx, n, peer)
		}
		return err
	}},
	{"talking", 100 * time.Millisecond, func(ctx context.Context, n *onion.Node, peer identity.Address, _ *identity.Key, begun func()) error {
		defer begun()
		return talks(ctx, n, peer)
	}},
}

// kept is never closed here, and never found to be garbage: to close it is left
// to the node.
var kept struct {
	sync.Mutex
	all []io.Closer
}

func keep(c io.Closer) {
	kept.Lock()
	defer kept.Unlock()
	kept.all = append(kept.all, c)
}

func listens(ctx context.Context, n *onion.Node, key *identity.Key) error {
	l, err := n.Listen(ctx, key, onion.Service{})
	if err == nil {
		keep(l)
	}
	return err
}

func talks(ctx context.Context, n *onion.Node, peer identity.Address) error {
	conn, err := n.Reach(ctx, peer)
	if err != nil {
		return err
	}
	keep(conn)
	return speak(conn, "sotto voce")
}

// A node that is ended at any point leaves no tor, goroutine, open file, socket
// or lock: 20 times, 200 with SOTTO_SOAK set.
func TestCyclesLeaveNothing(t *testing.T) {
	if given := os.Getenv(cycling); given != "" {
		cycles(t, given)
		return
	}
	t.Parallel()
	given := filepath.Join(t.TempDir(), "given")
	l := echoing(t, callee, newKey(t), onion.Service{})
	lines := append([]string{addressOf(l).Onion()}, network.ClientTorrc()...)
	if err := os.WriteFile(given, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCyclesLeaveNothing$", "-test.v", "-test.timeout=50m")
	child.Env = append(os.Environ(), cycling+"="+given)
	out, err := child.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "cycles:") {
		t.Error("it has left something: ", err)
	}
}

func cycles(t *testing.T, given string) {
	text, err := os.ReadFile(given)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	peer, err := identity.Parse(lines[0])
	if err != nil {
		t.Fatal(err)
	}
	rounds := 20
	if os.Getenv("SOTTO_SOAK") != "" {
		rounds = 200
	}
	temp, base := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	// The sockets of a long name go to a temporary folder.
	dirs := []string{filepath.Join(base, "tor"), filepath.Join(base, strings.Repeat("long", 20))}
	files, goroutines := 0, 0
	came := map[string]int{}
	for i := -2; i < rounds; i++ { // two to warm up: the folders and the runtime's own files
		dir, stage := dirs[i&1], stages[(i+6)/2%len(stages)]
		if i < 0 {
			stage = stages[len(stages)-1]
		}
		n, err := onion.New(onion.Config{Dir: dir, Torrc: lines[1:]})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended, begun := make(chan error, 1), make(chan struct{})
		go func() { ended <- n.Run(ctx) }()
		var works sync.WaitGroup
		works.Go(func() {
			switch err := stage.come(context.Background(), n, peer, newKey(t), sync.OnceFunc(func() { close(begun) })); {
			case err == nil:
				came[stage.name]++
			case !errors.Is(err, onion.ErrTorStopped) && !errors.Is(err, onion.ErrUnreachable) && ctx.Err() == nil:
				t.Errorf("%s: %v", stage.name, err)
			}
		})
		select {
		case <-begun:
			<-time.After(rand.N(stage.most))
		case err := <-ended:
			t.Fatalf("round %d, %s: Run ended with %v", i, stage.name, err)
		}
		began := time.Now()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("round %d, %s: Run: %v", i, stage.name, err)
		}
		tors := children("tor")
		works.Wait()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("round %d, %s: its end took %v", i, stage.name, took)
		}
		if len(tors) > 0 {
			t.Errorf("round %d, %s: tors left: %v", i, stage.name, tors)
		}
		if _, err := os.Stat(filepath.Join(dir, "sockets")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("round %d, %s: the folder of the sockets: %v", i, stage.name, err)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("round %d, %s: left in the temporary folder: %v, %v", i, stage.name, left, err)
		}
		if i < 0 {
			files, goroutines = len(openFiles(t)), runtime.NumGoroutine()
			continue
		}
		settled := func() bool { return len(openFiles(t)) <= files && runtime.NumGoroutine() <= goroutines }
		for late := time.Now().Add(5 * time.Second); !settled() && time.Now().Before(late); {
			runtime.Gosched()
		}
		if !settled() {
			stacks := make([]byte, 1<<16)
			t.Fatalf("round %d, %s: open are %q, at first %d; goroutines, at first %d:\n%s",
				i, stage.name, openFiles(t), files, goroutines, stacks[:runtime.Stack(stacks, true)])
		}
	}
	t.Logf("%d cycles: %d open files and %d goroutines, as at first; went through before the end: %v", rounds, files, goroutines, came)
}

// openFiles says what this process has open.
func openFiles(t *testing.T) (open []string) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		to, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err == nil { // not that of the folder itself, which is closed again
			open = append(open, fmt.Sprintf("%s→%s", fd.Name(), to))
		}
	}
	return open
}
