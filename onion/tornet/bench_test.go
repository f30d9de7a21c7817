package tornet_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/tornet"
)

// BenchmarkFirstConnect measures, in seconds since Start was called, when a
// network is usable (up_s), when two fresh clients are (ready_s), when an
// address is published (published_s) and when the first stream to it is open
// (connect_s). Run it with -benchtime=10x; each round takes some 15 s.
func BenchmarkFirstConnect(b *testing.B) {
	var up, ready, published, connected []time.Duration
	for b.Loop() {
		began := time.Now()
		network, err := tornet.Start(b.Context(), tornet.Config{})
		if err != nil {
			b.Fatal(err)
		}
		up = append(up, time.Since(began))
		ctx, cancel := context.WithCancel(b.Context())
		callee, caller := newClient(b, network), newClient(b, network)
		ends := make(chan error, 2)
		for _, n := range []*onion.Node{callee, caller} {
			go func() { ends <- n.Run(ctx) }()
		}
		for _, n := range []*onion.Node{callee, caller} {
			if err := n.Ready(ctx); err != nil {
				b.Fatal(err)
			}
		}
		ready = append(ready, time.Since(began))
		key, err := identity.NewKey(nil)
		if err != nil {
			b.Fatal(err)
		}
		l, err := callee.Listen(ctx, key, onion.Service{})
		if err != nil {
			b.Fatal(err)
		}
		published = append(published, time.Since(began))
		conn, err := caller.Dial(ctx, key.Address(), onion.NewIsolation())
		if err != nil {
			b.Fatal(err)
		}
		connected = append(connected, time.Since(began))
		conn.Close()
		l.Close()
		cancel()
		for range 2 {
			if err := <-ends; err != nil {
				b.Fatal(err)
			}
		}
		if err := network.Close(); err != nil {
			b.Fatal(err)
		}
		b.Logf("up %.1f s, ready %.1f s, published %.1f s, connected %.1f s", up[len(up)-1].Seconds(),
			ready[len(ready)-1].Seconds(), published[len(published)-1].Seconds(), connected[len(connected)-1].Seconds())
	}
	for name, took := range map[string][]time.Duration{"up": up, "ready": ready, "published": published, "connect": connected} {
		slices.Sort(took)
		b.ReportMetric(took[len(took)/2].Seconds(), name+"_p50_s")
		b.ReportMetric(took[len(took)-1].Seconds(), name+"_max_s")
	}
}

func newClient(tb testing.TB, network *tornet.Network) *onion.Node {
	tb.Helper()
	n, err := onion.New(onion.Config{Dir: tb.TempDir(), Torrc: network.ClientTorrc()})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}
