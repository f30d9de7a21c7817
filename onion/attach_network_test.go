package onion_test

import (
	"context"
	"crypto/sha1"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sottovoce/sotto/onion"
)

// runningTor is a tor of somebody else on the private network: a control port
// and a SOCKS port over TCP, as a system's tor has them.
type runningTor struct {
	t       *testing.T
	control string
	torrc   string

	mu   sync.Mutex
	pid  int
	gone chan struct{}
}

// hashed is a password as torrc has it: 64 KiB of salt and password through
// SHA-1 (control-spec's S2K, RFC 2440's).
func hashed(password string) string {
	const salt, count = "saltsalt", 65536
	text := strings.Repeat(salt+password, count/len(salt+password)+1)[:count]
	return fmt.Sprintf("16:%X60%X", salt, sha1.Sum([]byte(text)))
}

func startRunningTor(t *testing.T, more ...string) *runningTor {
	t.Helper()
	dir := t.TempDir()
	var ports []string
	for range 2 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().String())
	}
	r := &runningTor{t: t, control: ports[0], torrc: filepath.Join(dir, "torrc")}
	lines := slices.Concat(network.ClientTorrc(), []string{
		"DataDirectory " + filepath.Join(dir, "data"), "ControlPort " + ports[0], "SocksPort " + ports[1],
		fmt.Sprintf("__OwningControllerProcess %d", os.Getpid()), "Log notice stdout",
	}, more)
	if err := os.WriteFile(r.torrc, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// run runs it until it is killed, or the test ends, and returns when its control
// port is open.
func (r *runningTor) run() {
	r.t.Helper()
	tor, err := onion.FindTor("")
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	gone, up := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r.gone = gone
	go func() {
		defer close(gone)
		onion.Process{
			Path: tor.Path, Args: []string{"-f", r.torrc, "--defaults-torrc", os.DevNull},
			Started: func(pid int) { r.mu.Lock(); r.pid = pid; r.mu.Unlock() },
			Line: func(line string) {
				if strings.Contains(line, "Opened Control listener") && strings.HasSuffix(line, r.control) {
					once.Do(func() { close(up) })
				}
			},
		}.Run(ctx)
	}()
	r.t.Cleanup(func() { stop(); <-gone })
	select {
	case <-up:
	case <-gone:
		r.t.Fatal("the running tor did not start")
	}
}

func (r *runningTor) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	syscall.Kill(r.pid, syscall.SIGKILL)
	<-r.gone
}

// A real tor that is not ours: published through it and dialled through it, by
// cookie and by password; when it is killed and comes back, so does the address.
func TestARunningTor(t *testing.T) {
	t.Setenv("TOR_CONTROL_PASSWD", "open sesame") // where there is no cookie
	sockets := t.TempDir()
	if err := os.Chmod(sockets, 0o700); err != nil { // tor insists
		t.Fatal(err)
	}
	socket := filepath.Join(sockets, "control")
	for name, more := range map[string][]string{
		"cookie":   {"CookieAuthentication 1"},
		"password": {"HashedControlPassword " + hashed("open sesame")},
		"socket":   {"CookieAuthentication 1", "ControlSocket " + socket},
	} {
		t.Run(name, func(t *testing.T) {
			tor := startRunningTor(t, more...)
			if name == "socket" {
				tor.control = socket
			}
			tor.run()
			n, err := onion.New(onion.Config{Dir: t.TempDir(), Running: onion.Running{Control: tor.control}})
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
			published := make(chan struct{}, 2)
			l := echoing(t, n, newKey(t), onion.Service{Published: func() { published <- struct{}{} }})
			<-published
			reach(t, caller, l)
			reach(t, n, echoing(t, callee, newKey(t), onion.Service{}))
			if v := n.Version(); !strings.HasPrefix(v, "0.") {
				t.Errorf("version %s", v)
			}

			began := time.Now()
			tor.kill()
			untilLost(t, n)
			noticed := time.Since(began)
			began = time.Now()
			tor.run()
			<-published
			back := time.Since(began)
			reach(t, caller, l)
			t.Logf("death noticed after %v; started again: published after %.1f s, reached after %.1f s", noticed, back.Seconds(), time.Since(began).Seconds())
			if noticed > time.Second {
				t.Errorf("its death was noticed after %v", noticed)
			}
			stop()
			if err := <-end; err != nil {
				t.Error(err)
			}
			end <- nil
			select {
			case <-tor.gone:
				t.Error("a tor that is not ours went with us")
			default:
			}
		})
	}
}

// untilLost returns when the node has noticed that its tor is gone.
func untilLost(t *testing.T, n *onion.Node) {
	t.Helper()
	for {
		if _, err := n.RendezvousCircuits(t.Context()); err != nil {
			return
		}
	}
}

// cuttable is the operating system's Wire, with a hand on control connections.
type cuttable struct {
	mu      sync.Mutex
	control net.Conn
}

func (c *cuttable) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil && strings.HasSuffix(address, "/control") {
		c.mu.Lock()
		c.control = conn
		c.mu.Unlock()
	}
	return conn, err
}

func (c *cuttable) Listen(network, address string) (net.Listener, error) {
	return net.Listen(network, address)
}

// Our own tor is replaced when the control connection is cut, or when it hangs.
func TestOwnTorIsReplaced(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(pid int, wire *cuttable) error
		most  time.Duration // until it is noticed
	}{
		"control connection cut": {func(_ int, wire *cuttable) error { return wire.control.Close() }, time.Second},
		"SIGSTOP":                {func(pid int, _ *cuttable) error { return syscall.Kill(pid, syscall.SIGSTOP) }, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, wire := t.TempDir(), &cuttable{}
			lost := make(chan onion.Bootstrap, 2)
			n := start(t, onion.Config{Dir: dir, Wire: wire, Progress: func(b onion.Bootstrap) {
				if b.Tag == "lost" {
					lost <- b
				}
			}})
			published := make(chan struct{}, 2)
			l := echoing(t, n, newKey(t), onion.Service{Published: func() { published <- struct{}{} }})
			<-published
			before := torIn(dir)
			if len(before) != 1 {
				t.Fatalf("tors %v", before)
			}
			began := time.Now()
			if err := test.fault(before[0], wire); err != nil {
				t.Fatal(err)
			}
			why := <-lost
			noticed := time.Since(began)
			<-published
			back := time.Since(began)
			reach(t, caller, l)
			t.Logf("replaced after %.1f s (%s), published again after %.1f s, reached after %.1f s", noticed.Seconds(), why.Warning, back.Seconds(), time.Since(began).Seconds())
			if noticed > test.most+3*time.Second { // tor has 2 s to go
				t.Errorf("replaced after %v", noticed)
			}
			if after := torIn(dir); len(after) != 1 || after[0] == before[0] {
				t.Errorf("tors before %v, after %v", before, after)
			}
		})
	}
}

// torIn lists the tors that run in a folder.
func torIn(dir string) (pids []int) {
	for pid, arguments := range children("tor") {
		if strings.Contains(arguments, dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}
