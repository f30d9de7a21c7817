package paths

import "time"

// offsetTicks is how long a least offset is believed, at least: clocks drift,
// and machines sleep.
const offsetTicks = 500

// offset is how far the other side's ticks are ahead of our clock plus the time
// that a record takes on the best path: the two cannot be told apart, and need
// not be. It is the least seen in the last offsetTicks to twice that. Its zero
// value knows nothing.
type offset struct {
	least [2]time.Duration // in this window, and in the one before
	seen  [2]bool
	ends  int // tick at which this window ends
}

// take learns from a record that the other side had by its tick, less our time
// when it was sent and its lateness there.
func (o *offset) take(d time.Duration, tick int) {
	if tick >= o.ends {
		o.least[1], o.seen[1], o.seen[0] = o.least[0], o.seen[0], false
		o.ends = tick + offsetTicks
	}
	if !o.seen[0] || d < o.least[0] {
		o.least[0], o.seen[0] = d, true
	}
}

// lateness is how late, against the best path, a record sent at sent would be
// had it come at the other side's tick. For one that had not come by then it is
// the least it can be. That the reports are late themselves does not matter:
// only the other side's time counts.
func (o *offset) lateness(tick uint32, sent time.Duration) time.Duration {
	if !o.seen[0] {
		return 0
	}
	d := o.least[0]
	if o.seen[1] {
		d = min(d, o.least[1])
	}
	return time.Duration(tick)*Tick - sent - d
}
