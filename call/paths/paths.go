// Package paths makes one carrier of many circuits: which path carries the
// record of this tick, and what is told to the other side about those that
// came.
//
// A path is one stream over one circuit of Tor: ordered, reliable, 200 to
// 1,500 ms long, standing still for 0.3 to 3 s now and then. Three plain values
// share the work, fed with events and times (durations since the call's
// start), without a goroutine, a clock or I/O:
//
//	[Scheduler]  sending: Open, Close, Report, Tick ──▶ the path to send on
//	[Receiver]   receiving: Got ──▶ lateness of each path ──▶ Reports, in turn
//	[Keeper]     the caller's: Tick ──▶ open one more path, close one, or neither
//
// A path may have Cap records on its way that were not yet reported as got;
// past that it is passed over, and with all paths at their cap the tick is
// skipped: records that wait in tor's buffers would only come too late.
//
// Each tick goes on the path where it costs least, all of it in milliseconds:
//
//	cost =  2 × mean lateness of the last 2 s or so        (a record counts as at most 300)
//	      + 1/3 × last lateness reported
//	      + 2/3 × how long it has been standing still while others have not
//	      + 4 for each record on its way there
//	      + 600, 150, 25, 10 if used 1, 2, 3, 4 ticks ago
//	      - 1 for each tick beyond these, unless a record is on its way there
//
// So the best paths, three or so, take turns, because one stall must not hold
// all the records that carry a frame; a stalled path is stepped over as soon as
// that can be known; one out of use is tried now and then, in place of another
// record. Lateness is against the best path. A path has been standing still for
// at least the other side's time when it last said what it had, less the time
// at which what it lacks was sent: late feedback alone is no stall. Why these
// terms and numbers: docs/paths.md.
package paths

import "time"

// Limits of version 1.
const (
	Most = 64 // paths of one call, over its whole life
	Cap  = 64 // records on their way on one path
)

// ID is a path's number, as in the key schedule; path 0 carried the handshake.
type ID uint8

// Tick is the time between two records.
const Tick = 20 * time.Millisecond
