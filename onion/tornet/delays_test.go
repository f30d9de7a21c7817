package tornet

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

const ms = time.Millisecond

// delayed is a delayed stream to a peer, in a bubble of its own clock, which
// fails the test if a goroutine is left.
func delayed(t *testing.T, there, back Delay, test func(d *Delays, caller, peer net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := NewDelays(func() (Delay, Delay) { return there, back })
		ours, peer := net.Pipe()
		caller := d.Wrap(ours)
		test(d, caller, peer)
		caller.Close()
		peer.Close()
		d.CloseAll()
	})
}

func always(delay time.Duration) Delay { return func(time.Duration) time.Duration { return delay } }

// stallAt delays by nothing but for a stall, as traces have it.
func stallAt(from, to time.Duration) Delay {
	return func(sent time.Duration) time.Duration {
		if sent < from || sent > to {
			return 0
		}
		return to - sent
	}
}

// wants reads what is expected, and when.
func wants(t *testing.T, conn net.Conn, began time.Time, text string, at time.Duration) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
		t.Errorf("%q, %v, want %q", got, err, text)
	}
	if took := time.Since(began); took != at {
		t.Errorf("%q arrives at %v, want %v", text, took, at)
	}
}

func says(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if n, err := conn.Write([]byte(text)); err != nil || n != len(text) {
		t.Errorf("writing %q: %d, %v", text, n, err)
	}
}

func TestBothWaysAreLateByTheirOwn(t *testing.T) {
	delayed(t, always(100*ms), always(30*ms), func(d *Delays, caller, peer net.Conn) {
		began := time.Now()
		says(t, caller, "hello")
		says(t, caller, " there") // a write does not wait for its arrival
		wants(t, peer, began, "hello there", 100*ms)
		says(t, peer, "hello back")
		wants(t, caller, began, "hello", 130*ms)
		wants(t, caller, began, " back", 130*ms)
	})
}

func TestNothingOvertakes(t *testing.T) {
	delayed(t, stallAt(10*ms, 500*ms), always(0), func(d *Delays, caller, peer net.Conn) {
		began := time.Now()
		says(t, caller, "a")
		wants(t, peer, began, "a", 0)
		<-time.After(10 * ms)
		says(t, caller, "b")
		<-time.After(300 * ms)
		says(t, caller, "c")
		wants(t, peer, began, "bc", 500*ms)
	})
	// Delays that fall faster than time goes by.
	falling := func(sent time.Duration) time.Duration { return max(0, 300*ms-2*sent) }
	delayed(t, falling, always(0), func(d *Delays, caller, peer net.Conn) {
		began := time.Now()
		says(t, caller, "a")
		<-time.After(100 * ms)
		says(t, caller, "b")
		wants(t, peer, began, "ab", 300*ms)
	})
}

func TestBaseAndSharedPartAreAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		draws := 0
		d := NewDelays(func() (Delay, Delay) {
			draws++
			if draws == 1 { // the shared one
				return stallAt(1000*ms, 2000*ms), always(40 * ms)
			}
			return always(time.Duration(draws) * ms), always(0)
		})
		d.Base, d.Shared = 100*ms, 0.5
		began := time.Now()
		wrap := func() (conn, peer net.Conn) {
			ours, peer := net.Pipe()
			return d.Wrap(ours), peer
		}
		first, peer1 := wrap()
		says(t, first, "a")
		wants(t, peer1, began, "a", 100*ms+2*ms)
		says(t, peer1, "b")
		wants(t, first, began, "b", 102*ms+100*ms+20*ms)
		// The shared stall is on everybody's clock, also for one who comes in its middle.
		<-time.After(time.Until(began.Add(1400 * ms)))
		second, peer2 := wrap()
		says(t, first, "c")
		says(t, second, "d")
		wants(t, peer1, began, "c", 1400*ms+300*ms+100*ms+2*ms)
		wants(t, peer2, began, "d", 1400*ms+300*ms+100*ms+3*ms)
		if draws != 3 {
			t.Errorf("%d circuits drawn", draws)
		}
		d.CloseAll()
		peer1.Close()
		peer2.Close()
	})
}

func TestAStalledStreamBlocksItsWriter(t *testing.T) {
	delayed(t, stallAt(0, 1000*ms), always(0), func(d *Delays, caller, peer net.Conn) {
		began := time.Now()
		text := make([]byte, 3*window)
		rand.NewChaCha8([32]byte{}).Read(text)
		caller.SetWriteDeadline(began.Add(400 * ms))
		n, err := caller.Write(text)
		if n != window || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != 400*ms {
			t.Fatalf("%d bytes are taken, %v, after %v", n, err, time.Since(began))
		}
		caller.SetWriteDeadline(time.Time{})
		wrote := make(chan error, 1)
		go func() {
			_, err := caller.Write(text[n:])
			wrote <- errors.Join(err, caller.Close())
		}()
		got, err := io.ReadAll(peer)
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%d bytes arrive, %v", len(got), err)
		}
		if err := <-wrote; err != nil || time.Since(began) != 1000*ms {
			t.Errorf("written at %v, %v", time.Since(began), err)
		}
	})
}

// A peer who is not read from is held up, too.
func TestAnUnreadStreamBlocksItsPeer(t *testing.T) {
	delayed(t, always(0), always(50*ms), func(d *Delays, caller, peer net.Conn) {
		peer.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := peer.Write(make([]byte, 3*window))
		if !errors.Is(err, os.ErrDeadlineExceeded) || n < window || n > 3*window/2 {
			t.Errorf("%d bytes are taken, %v", n, err)
		}
		peer.Close()
		if got, err := io.Copy(io.Discard, caller); got != int64(n) || err != nil {
			t.Errorf("%d of %d bytes arrive, %v", got, n, err)
		}
	})
}

func TestTheEndComesAfterTheBytes(t *testing.T) {
	delayed(t, always(0), always(250*ms), func(d *Delays, caller, peer net.Conn) {
		began := time.Now()
		says(t, peer, "bye")
		peer.Close()
		wants(t, caller, began, "bye", 250*ms)
		for range 2 {
			if _, err := caller.Read(make([]byte, 1)); err != io.EOF || time.Since(began) != 250*ms {
				t.Errorf("%v at %v", err, time.Since(began))
			}
		}
	})
	delayed(t, always(250*ms), always(0), func(d *Delays, caller, peer net.Conn) {
		began := time.Now()
		says(t, caller, "bye")
		caller.Close()
		if took := time.Since(began); took != 0 {
			t.Errorf("Close took %v", took)
		}
		wants(t, peer, began, "bye", 250*ms)
		if _, err := peer.Read(make([]byte, 1)); err != io.EOF || time.Since(began) != 250*ms {
			t.Errorf("%v at %v", err, time.Since(began))
		}
	})
}

// What a closed stream still carries is given up after 30 s, and when the peer
// does not take it.
func TestAClosedStreamDoesNotLingerForever(t *testing.T) {
	for name, there := range map[string]Delay{"a long delay": always(time.Hour), "a peer that does not read": always(0)} {
		delayed(t, there, always(0), func(d *Delays, caller, peer net.Conn) {
			says(t, caller, "bye")
			caller.Close()
			<-time.After(linger - ms)
			synctest.Wait()
			if err := d.Stall(0, 0); err != nil {
				t.Errorf("%s: gone too early: %v", name, err)
			}
			<-time.After(ms)
			synctest.Wait()
			if err := d.Stall(0, 0); err == nil {
				t.Errorf("%s: still there", name)
			}
			if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func TestCloseAndDeadlinesWakeWhoWaits(t *testing.T) {
	delayed(t, always(time.Hour), always(0), func(d *Delays, caller, peer net.Conn) {
		began := time.Now()
		full := make([]byte, window)
		if _, err := caller.Write(full); err != nil {
			t.Fatal(err)
		}
		both := func(want error) {
			t.Helper()
			ends := make(chan error, 2)
			go func() { _, err := caller.Read(full); ends <- err }()
			go func() { _, err := caller.Write(full[:1]); ends <- err }()
			for range 2 {
				if err := <-ends; !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
			}
		}
		caller.SetDeadline(began.Add(100 * ms))
		both(os.ErrDeadlineExceeded)
		if took := time.Since(began); took != 100*ms {
			t.Errorf("deadlines took %v", took)
		}
		both(os.ErrDeadlineExceeded)

		caller.SetDeadline(time.Time{})
		go func() {
			synctest.Wait() // until both wait
			caller.SetDeadline(time.Unix(1, 0))
		}()
		both(os.ErrDeadlineExceeded)

		caller.SetDeadline(time.Time{})
		go func() {
			synctest.Wait()
			caller.Close()
		}()
		both(net.ErrClosed)
		both(net.ErrClosed)
		if took := time.Since(began); took != 100*ms {
			t.Errorf("waited until %v", took)
		}
	})
}

// A stream that broke gives what had arrived, then the reason.
func TestABrokenStreamSaysSo(t *testing.T) {
	delayed(t, always(0), always(100*ms), func(d *Delays, caller, peer net.Conn) {
		began := time.Now()
		says(t, peer, "last words")
		peer.Close()
		says(t, caller, "into the void")
		synctest.Wait()
		if _, err := caller.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("a write: %v", err)
		}
		wants(t, caller, began, "last words", 100*ms)
	})
}

func TestCloseAllBreaksAll(t *testing.T) {
	delayed(t, always(100*ms), always(100*ms), func(d *Delays, caller, peer net.Conn) {
		says(t, caller, "lost")
		ours, peer2 := net.Pipe()
		second := d.Wrap(ours)
		d.CloseAll()
		for _, conn := range []net.Conn{caller, second, peer, peer2} {
			if n, err := conn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("%d, %v", n, err)
			}
			if _, err := conn.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
				t.Error(err)
			}
		}
		// Streams that come after are as good as any.
		ours, peer3 := net.Pipe()
		third := d.Wrap(ours)
		began := time.Now()
		says(t, third, "again")
		wants(t, peer3, began, "again", 100*ms)
	})
}

func TestStallHoldsOneStream(t *testing.T) {
	delayed(t, always(10*ms), always(10*ms), func(d *Delays, caller, peer net.Conn) {
		ours, peer2 := net.Pipe()
		second := d.Wrap(ours)
		began := time.Now()
		if err := d.Stall(1, 700*ms); err != nil {
			t.Fatal(err)
		}
		if d.Stall(2, ms) == nil || d.Stall(-1, ms) == nil {
			t.Error("a stream was stalled that is not there")
		}
		says(t, caller, "free")
		says(t, second, "held")
		says(t, peer2, "held back")
		wants(t, peer, began, "free", 10*ms)
		wants(t, second, began, "held back", 700*ms)
		wants(t, peer2, began, "held", 700*ms)
		says(t, second, "free again")
		wants(t, peer2, began, "free again", 710*ms)
	})
}
