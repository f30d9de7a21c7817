package paths_test

import (
	"testing"
	"time"

	"github.com/sottovoce/sotto/call/paths"
)

// link is a pair of ends joined by paths whose delay a test sets, tick by tick.
// What b hears it tells a after back.
type link struct {
	a        paths.Scheduler
	b        paths.Receiver
	delay    func(p paths.ID, tick int) time.Duration
	back     time.Duration
	ahead    uint32 // b's ticks before a's began
	sent     []paths.ID
	arrivals map[paths.ID][]arrival
	told     []told
}

type arrival struct {
	at   time.Duration
	tick int
}

type told struct {
	at    time.Duration
	heard [4]paths.Heard
	n     int
	said  uint32
}

// run sends ticks records.
func (l *link) run(ticks int) {
	l.arrivals = map[paths.ID][]arrival{}
	for tick := range ticks {
		now := time.Duration(tick) * paths.Tick
		for p, way := range l.arrivals {
			for len(way) > 0 && way[0].at <= now {
				l.b.Got(way[0].at, p, uint32(way[0].tick))
				way = way[1:]
			}
			l.arrivals[p] = way
		}
		t := told{at: now + l.back, said: uint32(tick) + l.ahead}
		t.n = l.b.Reports(t.heard[:])
		l.told = append(l.told, t)
		for len(l.told) > 0 && l.told[0].at <= now {
			for _, h := range l.told[0].heard[:l.told[0].n] {
				l.a.Report(now, h.Path, paths.Report{Number: h.Number, Lateness: h.Lateness, Said: l.told[0].said})
			}
			l.told = l.told[1:]
		}
		p, ok := l.a.Tick(now, always)
		if !ok {
			p = paths.Most
		}
		l.sent = append(l.sent, p)
		at := now + l.delay(p, tick)
		if way := l.arrivals[p]; len(way) > 0 {
			at = max(at, way[len(way)-1].at)
		}
		l.arrivals[p] = append(l.arrivals[p], arrival{at, tick})
	}
}

// share is which share of the records from tick from to tick to went on p.
func (l *link) share(p paths.ID, from, to int) float64 {
	n := 0.0
	for _, q := range l.sent[from:to] {
		if q == p {
			n++
		}
	}
	return n / float64(to-from)
}

func open(n int) *link {
	l := &link{back: 150 * time.Millisecond}
	for p := range paths.ID(n) {
		l.a.Open(p)
		l.b.Open(p)
	}
	return l
}

func TestAStalledPathIsLeftAndComesBack(t *testing.T) {
	l := open(4)
	// Path 2 stands still from the 10th second to the 12th.
	l.delay = func(p paths.ID, tick int) time.Duration {
		d := 150 * time.Millisecond
		if end := 600; p == 2 && tick >= 500 && tick < end {
			d += time.Duration(end-tick) * paths.Tick
		}
		return d
	}
	l.run(1000)
	if s := l.share(2, 300, 500); s < 0.2 {
		t.Errorf("before the stall %.2f of the records went on it", s)
	}
	// Nothing can be known of it for 300 ms.
	if s := l.share(2, 530, 610); s > 0 {
		t.Errorf("%.2f of the records went on a path that stood still", s)
	}
	if s := l.share(2, 800, 1000); s < 0.15 {
		t.Errorf("4 s after the stall only %.2f of the records went on it", s)
	}
}

func TestALatePathIsLeftButTriedNowAndThen(t *testing.T) {
	l := open(4)
	l.delay = func(p paths.ID, _ int) time.Duration {
		if p == 1 {
			return 500 * time.Millisecond
		}
		return 150 * time.Millisecond
	}
	l.run(3000)
	if s := l.share(1, 500, 3000); s == 0 || s > 0.05 {
		t.Errorf("%.3f of the records went on a path 350 ms late", s)
	}
	for i := 500; i < 2999; i++ {
		if l.sent[i] == l.sent[i+1] {
			t.Fatalf("path %d twice in a row", l.sent[i])
		}
	}
}

// Feedback that is slow itself must not look like a stall, nor must the other
// side's clock matter.
func TestSlowFeedbackIsNoStall(t *testing.T) {
	var sent [2][]paths.ID
	for i, ahead := range []uint32{0, 1_000_000} {
		l := open(3)
		l.back, l.ahead = 700*time.Millisecond, ahead
		l.delay = func(paths.ID, int) time.Duration { return 150 * time.Millisecond }
		l.run(1000)
		for p := range paths.ID(3) {
			if s := l.share(p, 0, 1000); s < 0.33 || s > 0.34 {
				t.Errorf("%.3f of the records went on path %d of three alike", s, p)
			}
		}
		sent[i] = l.sent
	}
	for i := range sent[0] {
		if sent[0][i] != sent[1][i] {
			t.Fatal("the other side's clock was taken for a delay")
		}
	}
}

func TestNewsIsReportedFirst(t *testing.T) {
	var r paths.Receiver
	for p := range paths.ID(12) {
		r.Open(p)
		r.Got(0, p, 0)
	}
	var out [4]paths.Heard
	for range 3 {
		r.Reports(out[:])
	}
	seen := map[paths.ID]int{}
	for i := range 44 {
		news := paths.ID(i * 5 % 12)
		r.Got(time.Second, news, 1)
		if n := r.Reports(out[:]); n != 4 || out[0].Path != news {
			t.Fatalf("%d reports %v where path %d had news", n, out, news)
		}
		for _, h := range out[1:] {
			seen[h.Path]++
		}
	}
	for p := range paths.ID(12) {
		if seen[p] < 8 {
			t.Errorf("path %d had %d reports without news in 44 records", p, seen[p])
		}
	}
}

func BenchmarkTick(b *testing.B) {
	var s paths.Scheduler
	var r paths.Receiver
	for p := range paths.ID(4) {
		s.Open(p)
		r.Open(p)
	}
	var out [4]paths.Heard
	ready := func(paths.ID) bool { return true }
	b.ReportAllocs()
	for i := range b.N {
		now := time.Duration(i) * paths.Tick
		p, _ := s.Tick(now, ready)
		r.Got(now, p, uint32(i))
		n := r.Reports(out[:])
		for _, h := range out[:n] {
			s.Report(now, h.Path, paths.Report{Number: h.Number, Lateness: h.Lateness, Said: uint32(i)})
		}
	}
}
