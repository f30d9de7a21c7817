package bench

import (
	"math"
	"time"

	"github.com/sottovoce/sotto/call/paths"
)

// frames is how many 20 ms frames a record holds: sotto's profile 24k, and
// what fits a cell of Donar's.
const frames = 6

// never is the delay of a frame that no record brought.
const never = time.Duration(math.MaxInt64)

// way is one direction of a call: when a record sent on a circuit at a tick
// arrives.
type way struct {
	arrives [][]time.Duration // [circuit][tick], never falling along the ticks
	common  []time.Duration   // [tick] what every circuit has in common above the base
	base    time.Duration
}

// lay works out a way from the delays of its circuits above their minimum, each
// circuit's extra base, and what is common to all; every one of these is as long
// as the call.
func lay(base time.Duration, delays [][]time.Duration, extra, common []time.Duration) way {
	w := way{base: base, common: make([]time.Duration, len(common)), arrives: make([][]time.Duration, len(delays))}
	least := extra[0]
	for _, e := range extra {
		least = min(least, e)
	}
	for n := range common {
		w.common[n] = least + common[n]
	}
	for c, d := range delays {
		w.arrives[c] = make([]time.Duration, len(common))
		last := time.Duration(0)
		for n := range common {
			last = max(last, sentAt(n)+base+extra[c]+d[n]+common[n]) // a stream keeps its order
			w.arrives[c][n] = last
		}
	}
	return w
}

func sentAt(tick int) time.Duration { return time.Duration(tick) * paths.Tick }

// shipment is one record put on a circuit: its newest frame has its tick's
// number.
type shipment struct{ tick, circuit int }

// heard gives for each frame that counts the time from its capture to its
// first arrival, less the base.
func (w *way) heard(sent []shipment) []time.Duration {
	out := make([]time.Duration, len(w.common))
	for n := range out {
		out[n] = never
	}
	for _, s := range sent {
		at := w.arrives[s.circuit][s.tick] - w.base
		for n := max(0, s.tick-frames+1); n <= s.tick; n++ {
			out[n] = min(out[n], at-sentAt(n))
		}
	}
	return out[:max(0, len(out)-frames+1)]
}
