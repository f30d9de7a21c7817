package paths

import "time"

// Report is what the other side says of one path.
type Report struct {
	Number   uint32        // the last record it got there, from 0
	Lateness time.Duration // that record's, against the path that was best
	Said     uint32        // the other side's tick when it said so
}

// What a record on a path is expected to cost; see cost.
const (
	slack = Tick                 // a report waits this long for the tick that carries it
	probe = time.Millisecond     // what each tick out of use takes off
	queue = 4 * time.Millisecond // what each record on its way adds
)

// near is what a path costs more for having carried a record 1, 2, … ticks ago:
// a frame rides in several records in a row, and one stall must not hold them
// all.
var near = [...]time.Duration{600 * time.Millisecond, 150 * time.Millisecond, 25 * time.Millisecond, 10 * time.Millisecond}

type lane struct {
	open     bool
	sent     uint32 // records sent
	got      uint32 // records reported as got: Number + 1
	at       [Cap]time.Duration
	trip     time.Duration // newest round trip, 0 until one is known
	lateness time.Duration // of the last record reported
	mean     mean          // of each record's lateness
	said     uint32        // the other side's tick at its newest report
	common   time.Duration // how long nothing had come on any path by then
	used     int           // s.ticks when it last carried a record
}

// Scheduler decides which path carries each record. Its zero value has no
// path.
type Scheduler struct {
	lanes [Most]lane
	ids   [Most]ID // the open ones, as they were opened
	count int
	ticks int
	clock offset
	last  time.Duration // when the newest record that was reported, on any path, was sent
	usual time.Duration // how long it takes until that is known, smoothed
}

// Open says that path p can carry records.
func (s *Scheduler) Open(p ID) {
	if p >= Most {
		return
	}
	s.Close(p)
	s.lanes[p] = lane{open: true, used: s.ticks - len(near)}
	s.ids[s.count] = p
	s.count++
}

// Close says that path p is gone.
func (s *Scheduler) Close(p ID) {
	if p >= Most || !s.lanes[p].open {
		return
	}
	s.lanes[p].open = false
	for i, q := range s.ids[:s.count] {
		if q == p {
			copy(s.ids[i:s.count], s.ids[i+1:s.count])
		}
	}
	s.count--
}

// Report takes what the other side says of path p. A number never sent, or an
// old one, is passed over.
func (s *Scheduler) Report(now time.Duration, p ID, r Report) {
	if p >= Most {
		return
	}
	l := &s.lanes[p]
	if !l.open || r.Number+1 < l.got || r.Number >= l.sent {
		return
	}
	if r.Number >= l.got {
		sent := l.at[r.Number%Cap]
		s.clock.take(time.Duration(r.Said)*Tick-sent-r.Lateness, s.ticks)
		l.trip = now - sent
		l.lateness = r.Lateness
		s.learn(l, r.Number)
		l.got = r.Number + 1
		s.arrived(sent, now-sent)
	}
	if r.Said >= l.said {
		l.said = r.Said
		l.common = max(0, s.clock.lateness(r.Said, s.last+Tick)-slack)
	}
}

// arrived notes that a record has, and how long ago it was sent.
func (s *Scheduler) arrived(sent, ago time.Duration) {
	if sent <= s.last {
		return
	}
	s.last = sent
	if s.usual == 0 {
		s.usual = ago
	}
	s.usual += (ago - s.usual) / 16
}

// Arrived is when the newest record that the other side is known to have got was
// sent, on any path, and how long it usually takes until that is known: 0 before
// anything is.
func (s *Scheduler) Arrived() (sent, usual time.Duration) { return s.last, s.usual }

// learn counts the records newly got, up to number, into the mean. Only the
// last one's lateness was reported. One before it came no later than that one,
// and later than the report before, which did not have it: it is taken to have
// come between.
func (s *Scheduler) learn(l *lane, number uint32) {
	last := l.at[number%Cap]
	for i := l.got; i <= number; i++ {
		sent := l.at[i%Cap]
		most := l.lateness + last - sent
		least := min(most, max(l.lateness, s.clock.lateness(l.said, sent)))
		l.mean.add(sent, (most+least)/2)
	}
}

// Mean is how late the records on path p came of late, as far as is known.
func (s *Scheduler) Mean(p ID) time.Duration {
	if p >= Most {
		return 0
	}
	return s.lanes[p].mean.late
}

// Tick gives the path for the record of this tick, and takes it as sent: the
// one where it costs least. ready says whether a path's last record has left
// us. With no path free it reports false and the tick is skipped.
func (s *Scheduler) Tick(now time.Duration, ready func(ID) bool) (ID, bool) {
	s.ticks++
	var best *lane
	var chosen ID
	var least time.Duration
	for _, p := range s.ids[:s.count] {
		l := &s.lanes[p]
		if l.sent-l.got >= Cap || !ready(p) {
			continue
		}
		if c := s.cost(l); best == nil || c < least {
			best, chosen, least = l, p, c
		}
	}
	if best == nil {
		return 0, false
	}
	best.at[best.sent%Cap] = now
	best.sent++
	best.used = s.ticks
	return chosen, true
}

// cost is how late a record on l is expected to be, weighed: how late it has
// run lately, how late it was last, how much is on its way, and above all how
// long it has been standing still while others have not; more if it was used
// just now; less and less the longer it has not been, unless a record is on its
// way there that will tell all the same.
func (s *Scheduler) cost(l *lane) time.Duration {
	idle := s.ticks - l.used
	c := 2*l.mean.late + min(l.lateness, worst)/3
	if waiting := l.sent - l.got; waiting > 0 {
		still := s.clock.lateness(l.said, l.at[l.got%Cap]) - slack - l.common
		c += max(0, still)*2/3 + time.Duration(waiting)*queue
	} else {
		c -= time.Duration(max(0, idle-len(near))) * probe
	}
	if idle <= len(near) {
		c += near[idle-1]
	}
	return c
}

// RoundTrip is the newest known time from sending a record on the best path to
// hearing that it was got, the other side's wait for its next tick included;
// 0 when none is known.
func (s *Scheduler) RoundTrip() time.Duration {
	best := time.Duration(0)
	for _, p := range s.ids[:s.count] {
		if l := &s.lanes[p]; l.trip > 0 && (best == 0 || l.trip < best) {
			best = l.trip
		}
	}
	return best
}

// Paths is how many are open.
func (s *Scheduler) Paths() int { return s.count }
