package paths_test

import (
	"testing"
	"time"

	"github.com/sottovoce/sotto/call/paths"
)

func always(paths.ID) bool { return true }

func TestPathsAreUsedInTurn(t *testing.T) {
	var s paths.Scheduler
	if _, ok := s.Tick(0, always); ok {
		t.Fatal("sent with no path")
	}
	for _, p := range []paths.ID{0, 3, 7} {
		s.Open(p)
	}
	s.Open(200) // a hostile number
	var got []paths.ID
	for i := range 7 {
		p, ok := s.Tick(time.Duration(i)*paths.Tick, always)
		if !ok {
			t.Fatal("skipped")
		}
		got = append(got, p)
		if i == 4 {
			s.Close(7)
		}
	}
	for i, want := range []paths.ID{0, 3, 7, 0, 3, 0, 3} {
		if got[i] != want {
			t.Fatalf("went on %v", got)
		}
	}
}

func TestAPathAtItsCapIsPassedOver(t *testing.T) {
	var s paths.Scheduler
	s.Open(0)
	sent := 0
	for i := range 200 {
		if _, ok := s.Tick(time.Duration(i)*paths.Tick, always); ok {
			sent++
		}
	}
	if sent != paths.Cap {
		t.Fatalf("%d records went out unreported", sent)
	}
	s.Report(time.Second*5, 0, paths.Report{Number: 1000}) // never sent
	if _, ok := s.Tick(0, always); ok {
		t.Fatal("a report of a record never sent made room")
	}
	s.Report(time.Second*5, 0, paths.Report{Number: 9})
	s.Report(time.Second*5, 0, paths.Report{Number: 3}) // old
	for range 10 {
		if _, ok := s.Tick(0, always); !ok {
			t.Fatal("a report made too little room")
		}
	}
	if _, ok := s.Tick(0, always); ok {
		t.Fatal("a report made too much room")
	}
	if trip := s.RoundTrip(); trip != 5*time.Second-9*paths.Tick {
		t.Fatalf("round trip %v", trip)
	}
}

func TestABusyPathIsPassedOver(t *testing.T) {
	var s paths.Scheduler
	s.Open(0)
	s.Open(1)
	for range 5 {
		if p, ok := s.Tick(0, func(p paths.ID) bool { return p == 1 }); !ok || p != 1 {
			t.Fatal("a path that could not take a record was chosen")
		}
	}
}

func TestLatenessIsAgainstTheBest(t *testing.T) {
	var r paths.Receiver
	var out [4]paths.Heard
	if r.Reports(out[:]) != 0 {
		t.Fatal("reports of nothing")
	}
	for _, p := range []paths.ID{0, 1, 2, 3, 9, 63} {
		r.Open(p)
	}
	late := map[paths.ID]time.Duration{0: 30, 1: 0, 2: 500, 3: 80, 9: 10}
	for p, ms := range late {
		for tick := range uint32(3) {
			r.Got(time.Second+time.Duration(tick)*paths.Tick+ms*time.Millisecond, p, tick)
		}
	}
	seen := map[paths.ID]int{}
	for range 5 {
		n := r.Reports(out[:])
		for _, h := range out[:n] {
			seen[h.Path]++
			if h.Number != 2 || h.Lateness != late[h.Path]*time.Millisecond {
				t.Errorf("%+v", h)
			}
		}
	}
	for p := range late {
		if seen[p] != 4 {
			t.Errorf("path %d reported %d times in 20, with five in turn", p, seen[p])
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	var s paths.Scheduler
	var r paths.Receiver
	s.Open(0)
	r.Open(0)
	var out [4]paths.Heard
	now := time.Duration(0)
	n := uint32(0)
	if allocs := testing.AllocsPerRun(1000, func() {
		now += paths.Tick
		s.Tick(now, always)
		r.Got(now, 0, n)
		r.Reports(out[:])
		s.Report(now, 0, paths.Report{Number: n})
		n++
	}); allocs != 0 {
		t.Errorf("%v allocations a tick", allocs)
	}
}
