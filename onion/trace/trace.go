// Package trace is how late a Tor circuit delivers: measured on real circuits
// and read from files, or made by a model; and replayed.
//
// A Tor circuit is one ordered stream. It has a delay that it never goes under
// (its length), and on top of that one that changes from moment to moment: the
// queues of its relays, the bursts in which they let cells go, and stalls, in
// which nothing arrives for 0.3 to 3 s and then everything at once. A [Trace]
// is that second part, for one direction of one circuit:
//
//	sent      ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·     every 20 ms
//	           ╲  ╲  ╲ └──┴──┴──┴──┐ ╲  ╲  ╲      a stall, then a burst
//	arrived      ·  ·  ·           ⁞  ·  ·  ·
//
// A file is CSV with a header; a row is a frame of a call, in milliseconds:
//
//	sent_ms,arrived_ms
//	0,18
//	20,123         123 - 20 = 103 ms above the circuit's own minimum
//	60,123         a missing row counts as arrived with the next one
//
// sent_ms is on the 20 ms grid, arrived_ms never falls. All is relative to the
// fastest frame of the file, so a base delay is the replayer's to choose. Files
// NAME-in.csv and NAME-out.csv are the two directions of one recording. They
// are strongly correlated: never take both as two circuits.
//
// Everything here is a plain value: no clock, no goroutine; only [Load] and
// [Open] touch the disk.
package trace

import (
	"strings"
	"time"
)

// Step is the time between two rows.
const Step = 20 * time.Millisecond

// Trace is the delay of one direction of one circuit over time. The zero value
// never delays.
type Trace struct {
	Name string // without .csv: "lond-03-in"

	arrived []time.Duration // of what was sent at each multiple of Step; never falls
}

// Length is the time after which the trace repeats itself.
func (t Trace) Length() time.Duration { return time.Duration(len(t.arrived)) * Step }

// Delay is how much later than the circuit's minimum something arrives that is
// sent at a time after the trace's beginning; a time before counts as 0. What
// is sent later never arrives earlier. After [Trace.Length] the trace begins
// anew, behind what its end still holds up.
func (t Trace) Delay(sent time.Duration) time.Duration {
	if len(t.arrived) == 0 {
		return 0
	}
	sent = max(0, sent)
	length := t.Length()
	last := t.arrived[len(t.arrived)-1]
	round, at := sent/length*length, sent%length
	i := int(at / Step)
	// Between two rows the delay is that of the row before, but nothing
	// overtakes the row after: a stall keeps its whole length.
	next := max(last, length+t.arrived[0])
	if i+1 < len(t.arrived) {
		next = t.arrived[i+1]
	}
	arrives := min(at+t.arrived[i]-time.Duration(i)*Step, next)
	if round > 0 {
		arrives = max(arrives, last-length)
	}
	return arrives - at
}

// Recording is the name of what t is one direction of: its name without -in or
// -out.
func (t Trace) Recording() string {
	name, way, _ := cutLast(t.Name, "-")
	if way == "in" || way == "out" {
		return name
	}
	return t.Name
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// Partner finds the other direction of the recording of traces[i]: its index,
// or false if there is none.
func Partner(traces []Trace, i int) (int, bool) {
	for j := range traces {
		if j != i && traces[j].Recording() == traces[i].Recording() {
			return j, true
		}
	}
	return 0, false
}

// fromArrivals makes a trace of arrivals at each Step, and takes the circuit's
// minimum off.
func fromArrivals(name string, arrived []time.Duration) Trace {
	if len(arrived) == 0 {
		return Trace{Name: name}
	}
	least := arrived[0]
	for i, a := range arrived {
		least = min(least, a-time.Duration(i)*Step)
	}
	for i := range arrived {
		arrived[i] -= least
	}
	return Trace{Name: name, arrived: arrived}
}
