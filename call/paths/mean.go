package paths

import "time"

const (
	memory = 2 * time.Second        // what is further back counts little
	worst  = 300 * time.Millisecond // a later record counts as this
)

// mean is a path's mean lateness. It forgets by time and not by records, so
// that a path seldom used is soon seen anew. Its zero value has seen nothing.
type mean struct {
	late time.Duration
	at   time.Duration // when the last record in it was sent
	any  bool
}

// add takes in a record's lateness; records come in the order they were sent.
func (m *mean) add(sent, late time.Duration) {
	since := 3 * Tick
	if m.any {
		since = max(0, min(sent-m.at, memory))
	}
	m.late += (min(late, worst) - m.late) * since / (since + memory)
	m.at, m.any = sent, true
}
