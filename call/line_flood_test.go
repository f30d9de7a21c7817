package call_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/call/handshake"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
)

const (
	hostile = 10_000 // streams of strangers
	crowd   = 128    // of them at a time, so that the test's own side stays small
)

// troubles are what strangers' streams say, all kinds of it.
func troubles(t *testing.T, callee identity.Address) map[string]func(net.Conn) {
	t.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := handshake.NewCaller(key, callee, handshake.Offer{Versions: 1, Profiles: 7, Paces: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m1, err := h.M1() // replayed by many: to the callee as good as a fresh one
	if err != nil {
		t.Fatal(err)
	}
	junk := bytes.Repeat([]byte("hello?"), 1000)
	says := func(parts ...[]byte) func(net.Conn) {
		return func(c net.Conn) { c.Write(slices.Concat(parts...)) }
	}
	return map[string]func(net.Conn){
		"silent":            func(net.Conn) {},
		"gone at once":      func(c net.Conn) { c.Close() },
		"wrong first bytes": says(junk[:record.TagSize]),
		"a join of no call": says(junk[:record.Size]),
		"not an m1":         says(junk[:handshake.M1Size]),
		"half an m1, gone":  func(c net.Conn) { c.Write(m1[:700]); c.Close() },
		"m1, then half":     says(m1, junk[:200]),
		"m1, then garbage":  says(slices.Repeat([][]byte{m1}, 20)...),
		"flooding": func(c net.Conn) {
			for {
				if _, err := c.Write(junk); err != nil {
					return
				}
			}
		},
		"slow": func(c net.Conn) {
			for i := range m1 {
				if _, err := c.Write(m1[i : i+1]); err != nil {
					return
				}
				pass(50 * time.Millisecond)
			}
		},
	}
}

// besiege sends all strangers, one every gap; wait waits until each has been
// sent away. Those who said a true m1 may have been told m2, nobody anything
// else. each is called now and then.
func besiege(t *testing.T, callee identity.Address, connect func() (net.Conn, error), gap time.Duration, each func()) (wait func()) {
	kinds := troubles(t, callee)
	names := slices.Sorted(maps.Keys(kinds))
	var group sync.WaitGroup
	var answered atomic.Int32
	room := make(chan struct{}, crowd)
	for i := range hostile {
		name := names[i%len(names)]
		room <- struct{}{}
		group.Go(func() {
			defer func() { <-room }()
			conn, err := connect()
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			var talk sync.WaitGroup
			talk.Go(func() { kinds[name](conn) })
			n, _ := io.Copy(io.Discard, conn)
			conn.Close()
			talk.Wait()
			if n == handshake.M2Size && name[:2] == "m1" {
				answered.Add(1)
			} else if n != 0 {
				t.Errorf("%s: told %d bytes", name, n)
			}
		})
		if gap > 0 {
			pass(gap)
		}
		if i%1000 == 999 {
			each()
		}
	}
	return func() {
		group.Wait()
		if t.Logf("%d of the strangers got an m2", answered.Load()); answered.Load() == 0 {
			t.Error("none was as good as a caller")
		}
	}
}

// phone is somebody's line, who answers to one caller alone and does not pick
// up for others.
func phone(ctx context.Context, w *world, l net.Listener) (served chan error) {
	served = make(chan error, 1)
	welcome := w.caller.key.Address()
	line := call.Line{Config: w.callee.config(), Handle: func(ctx context.Context, c *call.Call) {
		c.OnPhase = func(p call.Phase) {
			if p == call.Ringing && c.Peer == welcome {
				go c.Answer()
			}
		}
		c.Run(ctx)
	}}
	go func() { served <- line.Serve(ctx, l) }()
	return served
}

// reach calls until it is answered, as a person would, and hangs up. It says how
// long it took to get through, and how often it had to try. Who was sent away
// after the second message does not know it, but hears nothing.
func reach(t *testing.T, w *world, connect func() (net.Conn, error)) (took time.Duration, tries int) {
	config := w.caller.config()
	config.Paths = 1
	config.Dial = func(context.Context, identity.Address) (net.Conn, error) { return connect() }
	for began := time.Now(); took < time.Minute; tries++ {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		c, err := call.Dial(ctx, config, w.callee.key.Address())
		if err == nil {
			c.OnPhase = func(p call.Phase) {
				if p == call.Talking {
					took = time.Since(began)
					go c.HangUp()
				}
			}
			err = c.Run(ctx)
		}
		cancel()
		if err == nil {
			return took, tries + 1
		}
		took = time.Since(began)
	}
	t.Error("no way through")
	return took, tries
}

// call after call, until stop is closed.
func reachAll(t *testing.T, w *world, connect func() (net.Conn, error), stop chan struct{}) {
	var worst time.Duration
	calls, tries := 0, 0
	for ; ; pass(500 * time.Millisecond) {
		took, n := reach(t, w, connect)
		calls, tries, worst = calls+1, tries+n, max(worst, took)
		select {
		case <-stop:
			t.Logf("%d calls came through in %d tries, the slowest after %v", calls, tries, worst)
			if worst > 10*time.Second {
				t.Errorf("one who is welcome waited for %v", worst)
			}
			return
		default:
		}
	}
}

// memory is what is in use, of heap and stacks.
func memory() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// grown is a check of memory against what it is now, to be called again and
// again.
func grown(t *testing.T) (check func()) {
	before, most := memory(), 0
	t.Cleanup(func() { t.Logf("memory grew by %d KiB at most", most>>10) })
	return func() {
		if most = max(most, memory()-before); most > 32<<20 {
			t.Errorf("memory grew by %d MiB", most>>20)
		}
	}
}

// doorway is a listener whose streams are handed in.
type doorway struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (d *doorway) Accept() (net.Conn, error) {
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.done:
		return nil, net.ErrClosed
	}
}
func (d *doorway) Close() error   { d.once.Do(func() { close(d.done) }); return nil }
func (d *doorway) Addr() net.Addr { return &net.UnixAddr{Name: "onion"} }

// Ten thousand strangers, fifty a second, each for as long as they are let. One
// who is welcome comes from far away, half a second there and back, and gets
// through all the while.
func TestTenThousandStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		l := &doorway{conns: make(chan net.Conn), done: make(chan struct{})}
		check, goroutines := grown(t), runtime.NumGoroutine()
		served := phone(ctx, w, l)
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			reachAll(t, w, func() (net.Conn, error) {
				there, back := newPipe(250*time.Millisecond), newPipe(250*time.Millisecond)
				l.conns <- &wire{in: there, out: back, began: w.net.began}
				return &wire{in: back, out: there, began: w.net.began}, nil
			}, stop)
		}()
		besiege(t, w.callee.key.Address(), func() (net.Conn, error) {
			near, far := net.Pipe()
			l.conns <- far
			return near, nil
		}, 20*time.Millisecond, check)()
		close(stop)
		<-done
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > goroutines {
			t.Errorf("%d goroutines are left of %d", n, goroutines)
		}
		check()
	})
}

// What an unfinished handshake costs here, our own side of the test included.
func TestAHalfOpenHandshakeCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		l := &doorway{conns: make(chan net.Conn), done: make(chan struct{})}
		served := phone(ctx, w, l)
		say := troubles(t, w.callee.key.Address())["m1, then half"]
		const many = 48 // as many first messages may come at once
		m2 := make([]byte, handshake.M2Size)
		before := memory()
		var talk sync.WaitGroup
		for range many {
			near, far := net.Pipe()
			l.conns <- far
			talk.Go(func() { say(near) })
			if _, err := io.ReadFull(near, m2); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		each := (memory() - before) / many
		if t.Logf("%d bytes", each); each > 64<<10 {
			t.Errorf("each costs %d bytes", each)
		}
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		talk.Wait()
	})
}

// Ten thousand on real sockets, as fast as they come.
func TestTenThousandStrangersOnSockets(t *testing.T) {
	w := newWorld(t)
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	descriptors, goroutines, check := open(t), runtime.NumGoroutine(), grown(t)
	ctx, cancel := context.WithCancel(t.Context())
	served := phone(ctx, w, l)
	connect := func() (net.Conn, error) { return net.Dial("unix", socket) }
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); reachAll(t, w, connect, stop) }()
	began, most := time.Now(), 0
	wait := besiege(t, w.callee.key.Address(), connect, 0, func() { check(); most = max(most, open(t)) })
	t.Logf("they came within %v", time.Since(began))
	close(stop)
	<-done
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	wait()
	check()
	if most > descriptors+2*crowd {
		t.Errorf("%d descriptors were open", most)
	}
	if n := open(t); n > descriptors-1 { // the listener is closed
		t.Errorf("%d descriptors are left of %d", n, descriptors)
	}
	for began := time.Now(); runtime.NumGoroutine() > goroutines && time.Since(began) < time.Second; {
		runtime.Gosched() // those that have ended are still about to go
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines are left of %d", n, goroutines)
	}
}

// open is how many descriptors are.
func open(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}
