package onion_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/tornet"
)

// network is shared by all tests of the package; so are callee and caller, two
// nodes on it. Tests that break a node bring their own.
var (
	network        *tornet.Network
	callee, caller *onion.Node
)

func TestMain(m *testing.M) {
	// These tests wait for tor far more than they work: run them all at once.
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	// Fuzzing needs no network, and would start one for each worker; cycles are given one.
	if flag.Lookup("test.fuzz").Value.String() != "" || os.Getenv(cycling) != "" {
		os.Exit(m.Run())
	}
	code, err := onNetwork(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// onNetwork runs the tests on a private network, and fails them if they leave a
// goroutine or a process.
func onNetwork(run func() int) (code int, err error) {
	goroutines := runtime.NumGoroutine()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if network, err = tornet.Start(ctx, tornet.Config{}); err != nil {
		return 1, err
	}
	code, err = withNodes(run)
	err = errors.Join(err, network.Close())
	if tors := children("tor"); len(tors) > 0 {
		err = errors.Join(err, fmt.Errorf("tors left: %v", tors))
	}
	// Goroutines that were told to end may need a moment to.
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	if runtime.NumGoroutine() > goroutines {
		stacks := make([]byte, 1<<16)
		err = errors.Join(err, fmt.Errorf("goroutines left:\n%s", stacks[:runtime.Stack(stacks, true)]))
	}
	return code, err
}

// withNodes runs the tests with the shared nodes running.
func withNodes(run func() int) (code int, err error) {
	ctx, stop := context.WithCancel(context.Background())
	ends := make(chan error, 2)
	running := 0
	defer func() {
		stop()
		for range running {
			err = errors.Join(err, <-ends)
		}
	}()
	for _, n := range []**onion.Node{&callee, &caller} {
		dir, err := os.MkdirTemp("", "sotto-test-")
		if err != nil {
			return 1, err
		}
		defer os.RemoveAll(dir)
		if *n, err = onion.New(onion.Config{Dir: dir, Torrc: network.ClientTorrc()}); err != nil {
			return 1, err
		}
		running++
		go func() { ends <- (*n).Run(ctx) }()
	}
	return run(), nil
}

// children lists this program's child processes of a name, by pid, with their
// arguments.
func children(name string) map[int]string {
	found := map[int]string{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // gone
		}
		_, rest, _ := bytes.Cut(stat, []byte("("))
		comm, rest, _ := bytes.Cut(rest, []byte(") "))
		fields := strings.Fields(string(rest))
		if string(comm) != name || len(fields) < 2 || fields[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		found[pid] = string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
	}
	return found
}

// start runs a node of the test's own until the test ends.
func start(t *testing.T, cfg onion.Config) *onion.Node {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	if cfg.Torrc == nil {
		cfg.Torrc = network.ClientTorrc()
	}
	n, err := onion.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	end := make(chan error, 1)
	go func() { end <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-end; err != nil {
			t.Error(err)
		}
	})
	return n
}

func newKey(tb testing.TB) *identity.Key {
	tb.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// echoing publishes a fresh address that echoes until the test ends.
func echoing(tb testing.TB, n *onion.Node, key *identity.Key, cfg onion.Service) net.Listener {
	tb.Helper()
	l, err := n.Listen(tb.Context(), key, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	var streams sync.WaitGroup
	streams.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			streams.Go(func() {
				defer conn.Close()
				io.Copy(conn, conn)
			})
		}
	})
	tb.Cleanup(func() { l.Close(); streams.Wait() })
	return l
}

// speak sends a text and wants it back.
func speak(conn net.Conn, text string) error {
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte(text)); err != nil {
		return err
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
		return errors.Join(err, fmt.Errorf("said %q, heard %q", text, got))
	}
	return nil
}

// addressOf is the whole address of a listener.
func addressOf(l net.Listener) identity.Address { return identity.Address(l.Addr().(onion.Addr)) }
