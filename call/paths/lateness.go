package paths

import "time"

// Lateness is what path p is worth to whoever may replace it: how late its
// records came of late, or how long one has been standing still while others
// came. ok says that the path is open.
func (s *Scheduler) Lateness(p ID) (late time.Duration, ok bool) {
	if p >= Most || !s.lanes[p].open {
		return 0, false
	}
	l := &s.lanes[p]
	late = l.mean.late
	if l.sent > l.got {
		late = max(late, s.clock.lateness(l.said, l.at[l.got%Cap])-slack-l.common)
	}
	return late, true
}

// Used says whether path p has carried a record in the last second.
func (s *Scheduler) Used(p ID) bool {
	return p < Most && s.lanes[p].open && s.lanes[p].sent > 0 && s.ticks-s.lanes[p].used < int(time.Second/Tick)
}
