package handshake_test

import (
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call/handshake"
)

// sides runs one handshake and says how long each side took over it.
func sides(t testing.TB, whole func(caller bool, work func())) {
	alice, bob := newKey(t), newKey(t)
	var caller *handshake.Caller
	var callee *handshake.Callee
	var m1, m2, m3 []byte
	var err error
	check := func() {
		if err != nil {
			t.Fatal(err)
		}
	}
	whole(true, func() {
		caller, err = handshake.NewCaller(alice, bob.Address(), everything, nil)
		check()
		m1, err = caller.M1()
	})
	check()
	whole(false, func() {
		callee, err = handshake.NewCallee(bob, everything, nil)
		check()
		err = callee.M1(m1)
		check()
		m2, _, err = callee.M2()
	})
	check()
	whole(true, func() {
		_, err = caller.M2(m2)
		check()
		m3, _, err = caller.M3(handshake.Wishes{})
	})
	check()
	whole(false, func() { _, _, _, err = callee.M3(m3) })
	check()
}

// A handshake costs each side less than 2 ms. The least of many counts: other
// work on the machine only adds. The race detector makes all of it several
// times slower.
func TestAHandshakeIsCheap(t *testing.T) {
	limit := 2 * time.Millisecond
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		limit *= 10
	}
	least := map[bool]time.Duration{true: time.Hour, false: time.Hour}
	for range 50 {
		took := map[bool]time.Duration{}
		sides(t, func(caller bool, work func()) {
			began := time.Now()
			work()
			took[caller] += time.Since(began)
		})
		for side, d := range took {
			least[side] = min(least[side], d)
		}
	}
	t.Logf("the caller %v, the callee %v", least[true], least[false])
	for side, d := range least {
		if d > limit {
			t.Errorf("caller %v: %v", side, d)
		}
	}
}

func BenchmarkCaller(b *testing.B) { benchmark(b, true) }
func BenchmarkCallee(b *testing.B) { benchmark(b, false) }

func benchmark(b *testing.B, side bool) {
	b.ReportAllocs()
	for range b.N {
		b.StopTimer()
		sides(b, func(caller bool, work func()) {
			if caller == side {
				b.StartTimer()
				defer b.StopTimer()
			}
			work()
		})
	}
}
