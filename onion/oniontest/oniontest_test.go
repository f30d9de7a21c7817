package oniontest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/oniontest"
)

// pass lets a bubble's time go by, for what must not happen in it.
func pass(long time.Duration) { <-time.After(long) }

// bubble runs a test on a network in memory, with its own time.
func bubble(t *testing.T, test func(*testing.T, *oniontest.Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := oniontest.New()
		t.Cleanup(network.Close)
		test(t, network)
	})
}

// attach runs a node over a wire until the test ends.
func attach(t *testing.T, wire onion.Wire, change func(*onion.Config)) *onion.Node {
	t.Helper()
	n, end := attempt(t, wire, change)
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// attempt runs a node; end stops it and gives the reason why it had ended.
func attempt(t *testing.T, wire onion.Wire, change func(*onion.Config)) (n *onion.Node, end func() error) {
	t.Helper()
	cfg := onion.Config{Dir: t.TempDir(), Wire: wire, Running: onion.Running{Control: oniontest.Control}}
	if change != nil {
		change(&cfg)
	}
	n, err := onion.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	return n, func() error { stop(); return <-ended }
}

func newKey(t *testing.T) *identity.Key {
	t.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// echo publishes an address that echoes until the test ends.
func echo(t *testing.T, n *onion.Node, cfg onion.Service) net.Listener {
	t.Helper()
	l, err := n.Listen(t.Context(), newKey(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l
}

func addressOf(l net.Listener) identity.Address { return identity.Address(l.Addr().(onion.Addr)) }

func dial(t *testing.T, from *onion.Node, l net.Listener) net.Conn {
	t.Helper()
	conn, err := from.Dial(t.Context(), addressOf(l), onion.NewIsolation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// speak says a text, wants it back, and tells how long that took.
func speak(conn net.Conn, text string) (time.Duration, error) {
	began := time.Now()
	conn.SetDeadline(began.Add(30 * time.Second))
	if _, err := conn.Write([]byte(text)); err != nil {
		return 0, err
	}
	got := make([]byte, len(text))
	_, err := io.ReadFull(conn, got)
	if err == nil && string(got) != text {
		err = errors.New("another text came back")
	}
	return time.Since(began), err
}

func TestTwoNodesTalkOverTheNetwork(t *testing.T) {
	bubble(t, func(t *testing.T, network *oniontest.Network) {
		network.Delay(100 * time.Millisecond)
		callee := attach(t, network.Tor(oniontest.Script{Upload: 2 * time.Second}), nil)
		caller := attach(t, network.Tor(oniontest.Script{Extended: true}), nil)
		began := time.Now()
		l := echo(t, callee, onion.Service{})
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("published after %v", took)
		}
		conn := dial(t, caller, l)
		for range 3 { // the way there and back
			if took, err := speak(conn, "sotto voce"); err != nil || took != 200*time.Millisecond {
				t.Errorf("an echo after %v, %v", took, err)
			}
		}
		circuits := network.Circuits()
		if len(circuits) != 1 {
			t.Fatalf("%d circuits", len(circuits))
		}
		circuits[0].Stall(3 * time.Second)
		if took, err := speak(conn, "stalled"); err != nil || took < 3*time.Second || took > 3200*time.Millisecond {
			t.Errorf("over a stalled circuit: %v, %v", took, err)
		}
		circuits[0].Close()
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("over a lost circuit: %v", err)
		}
		if _, err := speak(dial(t, caller, l), "again"); err != nil {
			t.Error(err)
		}
		l.Close()
		began = time.Now()
		if _, err := caller.Dial(t.Context(), addressOf(l), onion.NewIsolation()); !errors.Is(err, onion.ErrUnreachable) || !errors.Is(err, onion.IntroductionFailed) {
			t.Errorf("an address that is down: %v", err)
		}
		if took := time.Since(began); took < 20*time.Second || took > 45*time.Second {
			t.Errorf("the verdict took %v", took)
		}
	})
}

// An attempt that brings no answer does not use up a call's time: another is made
// beside it. A silent tor is given up all the same, and leaves nothing.
func TestReachAsksAnewBesideWhatIsNotAnswered(t *testing.T) {
	for lost, want := range map[int]time.Duration{0: 0, 1: 12 * time.Second, 2: 24 * time.Second, 9: 40 * time.Second} {
		bubble(t, func(t *testing.T, network *oniontest.Network) {
			callee := attach(t, network.Tor(oniontest.Script{}), nil)
			tor := network.Tor(oniontest.Script{Extended: true})
			caller := attach(t, tor, nil)
			l := echo(t, callee, onion.Service{})
			if err := caller.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			tor.Swallow(lost)
			began := time.Now()
			conn, err := caller.Reach(t.Context(), addressOf(l))
			if took := time.Since(began); took != want {
				t.Errorf("%d attempts without an answer: done after %v, want %v", lost, took, want)
			}
			if want == 40*time.Second {
				if !errors.Is(err, onion.ErrUnreachable) {
					t.Errorf("a silent tor: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := speak(conn, "sotto voce"); err != nil {
				t.Error(err)
			}
			if n := len(network.Circuits()); n != 1 {
				t.Errorf("%d circuits", n)
			}
		})
	}
}

// What a later attempt is told counts: the address is down by now.
func TestReachBelievesTheLatestAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, network *oniontest.Network) {
		callee := attach(t, network.Tor(oniontest.Script{}), nil)
		tor := network.Tor(oniontest.Script{Extended: true})
		caller := attach(t, tor, nil)
		l := echo(t, callee, onion.Service{})
		if err := caller.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.Close()
		tor.Swallow(1)
		began := time.Now()
		_, err := caller.Reach(t.Context(), addressOf(l))
		if took := time.Since(began); !errors.Is(err, onion.IntroductionFailed) || took > 40*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// A second stream on a circuit of a service that takes one ends both, as tor has
// it; another isolation has a circuit of its own.
func TestOneStreamACircuit(t *testing.T) {
	bubble(t, func(t *testing.T, network *oniontest.Network) {
		network.Delay(50 * time.Millisecond)
		callee := attach(t, network.Tor(oniontest.Script{}), nil)
		caller := attach(t, network.Tor(oniontest.Script{}), nil)
		l := echo(t, callee, onion.Service{})
		same := onion.NewIsolation()
		first, err := caller.Dial(t.Context(), addressOf(l), same)
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		other := dial(t, caller, l)
		if n := len(network.Circuits()); n != 2 {
			t.Errorf("%d circuits for two isolations", n)
		}
		if second, err := caller.Dial(t.Context(), addressOf(l), same); err == nil {
			second.Close() // on a new circuit, when it was tried again
		}
		if _, err := speak(first, "still there?"); err == nil {
			t.Error("the first stream outlived the second on its circuit")
		}
		if _, err := speak(other, "still there?"); err != nil {
			t.Errorf("the other circuit: %v", err)
		}
	})
}
