package tornet_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/tornet"
	"github.com/sottovoce/sotto/onion/trace"
)

// On a real network: a stream stalls as its trace does and loses nothing, and a
// relay that is killed takes neither the network nor later streams with it.
func TestFaults(t *testing.T) {
	t.Parallel()
	network, err := tornet.Start(t.Context(), tornet.Config{Relays: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx, stop := context.WithCancel(t.Context())
	callee, caller := newClient(t, network), newClient(t, network)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	for _, n := range []*onion.Node{callee, caller} {
		running.Go(func() {
			if err := n.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	address := echo(t, ctx, callee, &running)
	dial := func() net.Conn {
		t.Helper()
		conn, err := caller.Reach(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}

	delays := tornet.NewDelays(trace.NewDeck([]trace.Trace{stalling(t)}, 1).Delays)
	defer delays.CloseAll()
	conn := delays.Wrap(dial())
	stall(t, conn)
	conn.Close()

	if err := network.KillRelay("relay4"); err != nil {
		t.Fatal(err)
	}
	if left := torsIn(filepath.Join(network.Dir(), "relay4")); len(left) > 0 {
		t.Errorf("relay4 runs: %v", left)
	}
	if err := network.KillRelay("relay4"); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("killed again: %v", err)
	}
	if err := network.KillRelay("relay5"); err == nil || !strings.Contains(err.Error(), "relay5") {
		t.Errorf("a relay that there is not: %v", err)
	}
	conn = dial()
	defer conn.Close()
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(io.LimitReader(conn, 5)); string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
	select {
	case <-network.Done():
		t.Errorf("the network ended: %v", network.Err())
	default:
	}
}

// echo publishes an address that echoes, until ctx ends.
func echo(t *testing.T, ctx context.Context, n *onion.Node, running *sync.WaitGroup) identity.Address {
	t.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := n.Listen(ctx, key, onion.Service{})
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() {
		<-ctx.Done()
		l.Close()
	})
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer context.AfterFunc(ctx, func() { conn.Close() })()
				defer conn.Close()
				io.Copy(conn, conn)
			})
		}
	})
	return key.Address()
}

// stalling is 6 s long and lets nothing pass from 1 s to 2.5 s.
func stalling(t *testing.T) trace.Trace {
	t.Helper()
	var rows strings.Builder
	rows.WriteString("sent_ms,arrived_ms\n")
	for sent := 0; sent < 6000; sent += 20 {
		arrived := sent
		if sent >= 1000 && sent < 2500 {
			arrived = 2500
		}
		fmt.Fprintf(&rows, "%d,%d\n", sent, arrived)
	}
	tr, err := trace.Read("stalling", strings.NewReader(rows.String()))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// stall sends a record each 20 ms for 3 s, over a stream that has just been
// wrapped, and wants each back, late if it met the stall.
func stall(t *testing.T, conn net.Conn) {
	t.Helper()
	const size, records = 468, 150
	record := func(i int) []byte {
		return bytes.Repeat(binary.BigEndian.AppendUint32(nil, uint32(i)), size/4)
	}
	sent := make([]time.Time, records)
	began := time.Now()
	var sending sync.WaitGroup
	defer sending.Wait()
	var mu sync.Mutex
	sending.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := range records {
			mu.Lock()
			sent[i] = time.Now()
			mu.Unlock()
			if _, err := conn.Write(record(i)); err != nil {
				t.Error(err)
				return
			}
			<-tick.C
		}
	})
	conn.SetReadDeadline(began.Add(30 * time.Second))
	late, met := time.Duration(0), 0
	got := make([]byte, size)
	for i := range records {
		if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, record(i)) {
			t.Fatalf("record %d: %v, begins with % x", i, err, got[:8])
		}
		arrived := time.Since(began)
		mu.Lock()
		left := sent[i].Sub(began)
		mu.Unlock()
		late = max(late, arrived-left)
		if left > 1050*time.Millisecond && left < 2450*time.Millisecond {
			met++
			if arrived < 2500*time.Millisecond {
				t.Errorf("record %d, sent at %v, came through the stall at %v", i, left, arrived)
			}
		}
	}
	if met < 40 || late < 1400*time.Millisecond {
		t.Errorf("%d records met the stall, at most %v late", met, late)
	}
}
