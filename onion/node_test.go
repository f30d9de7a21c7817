package onion_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sottovoce/sotto/onion"
)

// dial opens a stream on the circuit of who, and speaks; it closes when the test ends.
func dial(t *testing.T, from *onion.Node, l net.Listener, who onion.Isolation) net.Conn {
	t.Helper()
	conn, err := from.Dial(t.Context(), addressOf(l), who)
	return echoed(t, conn, err)
}

// reach does so on a circuit of its own, as a call's first stream is opened.
func reach(t *testing.T, from *onion.Node, l net.Listener) net.Conn {
	t.Helper()
	conn, err := from.Reach(t.Context(), addressOf(l))
	return echoed(t, conn, err)
}

func echoed(t *testing.T, conn net.Conn, err error) net.Conn {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := speak(conn, "sotto voce"); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestIsolationDecidesTheCircuit(t *testing.T) {
	t.Parallel()
	from := start(t, onion.Config{})
	l := echoing(t, callee, newKey(t), onion.Service{})
	circuits := func() int {
		t.Helper()
		circuits, err := from.RendezvousCircuits(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(circuits)
	}
	same := onion.NewIsolation()
	dial(t, from, l, same).Close()
	second := dial(t, from, l, same)
	if n := circuits(); n != 1 {
		t.Errorf("two streams of one isolation, one after the other: %d circuits, want 1", n)
	}
	other := reach(t, from, l)
	if n := circuits(); n != 2 {
		t.Errorf("with a stream of another isolation: %d circuits, want 2", n)
	}
	// One stream a circuit: a second one on it ends the first. The newcomer may
	// get a circuit of its own when Dial tries again. Others notice nothing.
	if conn, err := from.Dial(t.Context(), addressOf(l), same); err == nil {
		conn.Close()
	}
	if speak(second, "still there?") == nil {
		t.Error("the first stream outlived the second on its circuit")
	}
	if err := speak(other, "still there?"); err != nil {
		t.Errorf("the other circuit: %v", err)
	}
}

func TestClosedCircuitsEndTheirStreams(t *testing.T) {
	t.Parallel()
	from := start(t, onion.Config{})
	l := echoing(t, callee, newKey(t), onion.Service{})
	streams := []net.Conn{reach(t, from, l), reach(t, from, l)}
	if err := from.CloseCircuits(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, conn := range streams {
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a stream whose circuit was closed: %v", err)
		}
	}
	if n, err := from.RendezvousCircuits(t.Context()); err != nil || len(n) != 0 {
		t.Errorf("%v circuits left, %v", n, err)
	}
	reach(t, from, l) // the node goes on
}

func TestCloseTakesTheServiceDown(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	for round := range 2 { // the address can be published again at once
		l, err := callee.Listen(t.Context(), key, onion.Service{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := callee.Listen(t.Context(), key, onion.Service{}); err == nil {
			t.Error("published twice")
		}
		conn, err := caller.Reach(t.Context(), key.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		// An attempt that Dial gave up may have come through as well: it says
		// nothing.
		if _, err := conn.Write([]byte("hi!")); err != nil {
			t.Fatal(err)
		}
		var accepted net.Conn
		for hi := make([]byte, 3); string(hi) != "hi!"; io.ReadFull(accepted, hi) {
			if accepted, err = l.Accept(); err != nil {
				t.Fatal(err)
			}
		}
		if got := l.Addr().String(); strings.Contains(got, key.Address().Onion()) || l.Addr().Network() != "onion" {
			t.Errorf("the listener's address prints as %s", got)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		// What was accepted stays: a call is still to be hung up over it.
		if _, err := accepted.Write([]byte("bye")); err != nil {
			t.Errorf("round %d: an accepted stream after Close: %v", round, err)
		}
		bye := make([]byte, 3)
		if _, err := io.ReadFull(conn, bye); err != nil || string(bye) != "bye" {
			t.Errorf("the other end read %q, %v", bye, err)
		}
		if err := accepted.Close(); err != nil {
			t.Error(err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after Close: %v", err)
		}
	}
}

// Offline is said within 45 s, where tor takes 120.
func TestOfflineCalleeGivesAVerdict(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*testing.T, net.Listener){
		"descriptor cached":     func(t *testing.T, l net.Listener) { reach(t, caller, l) },
		"descriptor not cached": func(*testing.T, net.Listener) {},
		"never published":       nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := newKey(t)
			if prepare != nil {
				l := echoing(t, callee, key, onion.Service{})
				prepare(t, l)
				l.Close()
			}
			began := time.Now()
			conn, err := caller.Reach(t.Context(), key.Address())
			took := time.Since(began)
			if err == nil {
				conn.Close()
			}
			t.Logf("after %.1f s: %v", took.Seconds(), err)
			if !errors.Is(err, onion.ErrUnreachable) || took > 45*time.Second {
				t.Errorf("verdict after %v: %v", took, err)
			}
			if err != nil && strings.Contains(err.Error(), key.Address().Onion()[:20]) {
				t.Error("the error tells the address")
			}
		})
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	t.Parallel()
	if err := caller.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := caller.Dial(ctx, newKey(t).Address(), onion.NewIsolation())
	if !errors.Is(err, onion.ErrUnreachable) || time.Since(began) > 2*time.Second {
		t.Errorf("a deadline: %v after %v", err, time.Since(began))
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err = caller.Dial(ctx, newKey(t).Address(), onion.NewIsolation()); !errors.Is(err, context.Canceled) || errors.Is(err, onion.ErrUnreachable) {
		t.Errorf("cancelled: %v", err)
	}
}

// A tor that is killed is noticed at once and started again; its services are
// published again on the same listener.
func TestKilledTorComesBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, onion.Config{Dir: dir})
	published := make(chan struct{}, 2)
	l := echoing(t, n, newKey(t), onion.Service{Published: func() { published <- struct{}{} }})
	reach(t, caller, l)
	<-published

	killed, began := 0, time.Now()
	for pid, arguments := range children("tor") {
		if strings.Contains(arguments, dir) {
			if strings.Contains(arguments, addressOf(l).Onion()[:56]) {
				t.Error("tor's arguments tell the address")
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			killed++
		}
	}
	if killed != 1 {
		t.Fatalf("killed %d tors", killed)
	}
	for { // ErrTorStopped as soon as its death is noticed
		if _, err := n.RendezvousCircuits(t.Context()); err != nil {
			break
		}
	}
	noticed := time.Since(began)
	<-published
	back := time.Since(began)
	reach(t, caller, l)
	t.Logf("death noticed after %v, published again after %.1f s, reached after %.1f s", noticed, back.Seconds(), time.Since(began).Seconds())
	if noticed > time.Second {
		t.Errorf("death noticed after %v", noticed)
	}
}

func TestStartFailureCarriesTorsReason(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for want, torrc := range map[string]string{
		"NoSuchOption":           "NoSuchOption 1",
		"Address already in use": "SocksPort " + taken.Addr().String(),
		"Unrecognized value":     "ClientUseIPv4 perhaps",
		"has a line break in it": "Nickname x\nControlPort 9051",
	} {
		n, err := onion.New(onion.Config{Dir: t.TempDir(), Torrc: []string{torrc}})
		if err != nil {
			t.Fatal(err)
		}
		ready := make(chan error, 1)
		go func() { ready <- n.Ready(t.Context()) }()
		err = n.Run(t.Context())
		if !errors.Is(err, onion.ErrTorStopped) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if err := <-ready; !errors.Is(err, onion.ErrTorStopped) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Ready says %v", want, err)
		}
	}
}

func TestFolderInUseIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, onion.Config{Dir: dir})
	if err := first.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, err := onion.New(onion.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); !errors.Is(err, onion.ErrTorStopped) || !strings.Contains(err.Error(), "another program") {
		t.Error(err)
	}
	if _, err := first.RendezvousCircuits(t.Context()); err != nil {
		t.Errorf("the first one has suffered: %v", err)
	}
}

// Without its network, tor's last word on why is in every error.
func TestUnreadyTorSaysWhereItStands(t *testing.T) {
	t.Parallel()
	warned := make(chan onion.Bootstrap, 1)
	nobody := "DirAuthority nobody orport=1 no-v2 v3ident=" + strings.Repeat("A", 40) + " 127.0.0.1:1 " + strings.Repeat("B", 40)
	n := start(t, onion.Config{Torrc: []string{"TestingTorNetwork 1", nobody}, Progress: func(b onion.Bootstrap) {
		if b.Percent > 0 {
			select {
			case warned <- b:
			default:
			}
		}
	}})
	at := <-warned
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := n.Dial(ctx, newKey(t).Address(), onion.NewIsolation()); !errors.Is(err, onion.ErrNotReady) || !strings.Contains(err.Error(), at.Summary) {
		t.Errorf("Dial: %v; tor said %v", err, at)
	}
	if _, err := n.Listen(ctx, newKey(t), onion.Service{}); !errors.Is(err, onion.ErrNotReady) || !strings.Contains(err.Error(), at.Summary) {
		t.Errorf("Listen: %v; tor said %v", err, at)
	}
}

// BenchmarkDial opens isolated streams to one service, as each path of a call
// does: go test -bench Dial -benchtime 10x.
func BenchmarkDial(b *testing.B) {
	key := newKey(b)
	echoing(b, callee, key, onion.Service{})
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		conn, err := caller.Dial(b.Context(), key.Address(), onion.NewIsolation())
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
		conn.Close()
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(took[0]), "min_connect_ms")
	b.ReportMetric(ms(took[len(took)/2]), "p50_connect_ms")
	b.ReportMetric(ms(took[len(took)-1]), "max_connect_ms")
}
