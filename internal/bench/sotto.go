package bench

import (
	"cmp"
	"slices"
	"time"

	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/call/record"
)

// end is one end of a sotto call.
type end struct {
	schedule paths.Scheduler
	received paths.Receiver
	sent     []shipment
	letters  []letter // [tick] what its record says
	way      [][]int  // [circuit] ticks whose records are on their way, oldest first
}

// letter is the feedback in a record.
type letter struct {
	heard [record.ReportCount]paths.Heard
	n     int
}

func newEnd(circuits, ticks int) *end {
	return &end{letters: make([]letter, ticks), way: make([][]int, circuits)}
}

func (e *end) open(circuit int) {
	e.schedule.Open(paths.ID(circuit))
	e.received.Open(paths.ID(circuit))
}

// tick sends the record of a tick.
func (e *end) tick(tick int) {
	p, ok := e.schedule.Tick(sentAt(tick), func(paths.ID) bool { return true })
	if !ok {
		return
	}
	l := &e.letters[tick]
	l.n = e.received.Reports(l.heard[:])
	const unit = record.LatenessUnit * time.Millisecond
	for i := range l.heard[:l.n] {
		l.heard[i].Lateness = min(l.heard[i].Lateness/unit, 1<<16-1) * unit
	}
	e.sent = append(e.sent, shipment{tick, int(p)})
	e.way[p] = append(e.way[p], tick)
}

// take gives e all that from has sent it and that came by now, in the order in
// which it came.
func (e *end) take(from *end, w *way, now time.Duration) {
	for {
		circuit, at := -1, now+1
		for c, ticks := range from.way {
			if len(ticks) > 0 && w.arrives[c][ticks[0]] < at {
				circuit, at = c, w.arrives[c][ticks[0]]
			}
		}
		if circuit < 0 {
			return
		}
		tick := from.way[circuit][0]
		from.way[circuit] = from.way[circuit][1:]
		e.received.Got(at, paths.ID(circuit), uint32(tick))
		l := &from.letters[tick]
		for _, h := range l.heard[:l.n] {
			e.schedule.Report(at, h.Path, paths.Report{Number: h.Number, Lateness: h.Lateness, Said: uint32(tick)})
		}
	}
}

// runSotto runs both ends and gives what a sends. With an audition that many
// circuits join a second apart while it rings, and a then keeps the best.
func runSotto(d *draw, circuits, audition int) []shipment {
	tried := max(circuits, audition)
	ticks := len(d.out.common)
	a, b := newEnd(tried, ticks), newEnd(tried, ticks)
	for tick := range ticks {
		now := sentAt(tick)
		for c := range tried {
			if audition == 0 && tick == 0 || audition > 0 && now == time.Duration(c)*paths.JoinSpacing {
				a.open(c)
				b.open(c)
			}
		}
		if audition > 0 && now == ringing {
			a.keep(circuits, tried, b)
		}
		a.take(b, &d.back, now)
		b.take(a, &d.out, now)
		a.tick(tick)
		b.tick(tick)
	}
	return a.sent
}

// keep closes all circuits but the best, by the worse of their two directions.
func (e *end) keep(best, of int, other *end) {
	order := make([]paths.ID, of)
	for c := range order {
		order[c] = paths.ID(c)
	}
	late := func(p paths.ID) time.Duration { return max(e.schedule.Mean(p), e.received.Mean(p)) }
	slices.SortStableFunc(order, func(p, q paths.ID) int { return cmp.Compare(late(p), late(q)) })
	for _, p := range order[best:] {
		for _, end := range []*end{e, other} {
			end.schedule.Close(p)
			end.received.Close(p)
		}
	}
}
