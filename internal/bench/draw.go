package bench

import (
	"math/rand/v2"
	"time"

	"github.com/sottovoce/sotto/onion/trace"
)

// recording is both directions of one recorded call; one of them may be
// missing.
type recording []trace.Trace

// pair puts the directions of each recording together, in the order of traces.
func pair(traces []trace.Trace) []recording {
	var all []recording
	at := map[string]int{}
	for _, t := range traces {
		name := t.Recording()
		i, ok := at[name]
		if !ok {
			i = len(all)
			at[name] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], t)
	}
	return all
}

// draw is one call: its circuits both ways, those of the largest scheme; a
// smaller one takes the first of them.
type draw struct{ out, back way }

// drawCall draws the i-th call. Every circuit is of another recording, and so
// is what they have in common; only where a recording has no other direction is
// that drawn from those left over.
func drawCall(c *Config, all []recording, i int) draw {
	r := rand.New(rand.NewPCG(c.Seed, uint64(i)))
	order := r.Perm(len(all))
	n := min(max(c.Circuits, c.Audition, donarLinks), len(all)-1)
	spare := order[n:]
	directions := func(k int) (out, back trace.Trace) {
		rec := all[k]
		d := r.IntN(len(rec))
		if len(rec) > 1 {
			return rec[d], rec[1-d]
		}
		other := all[spare[r.IntN(len(spare))]]
		return rec[d], other[r.IntN(len(other))]
	}
	length := time.Duration(1<<63 - 1)
	var outs, backs []trace.Trace
	for _, k := range append(order[:n:n], spare[0]) { // the last is what they have in common
		out, back := directions(k)
		outs, backs = append(outs, out), append(backs, back)
		length = min(length, out.Length(), back.Length())
	}
	extra := make([]time.Duration, n)
	for k := range extra {
		extra[k] = time.Duration(r.Float64() * float64(c.Spread))
	}
	ticks := int(length / trace.Step)
	return draw{c.lay(outs, extra, ticks), c.lay(backs, extra, ticks)}
}

// lay is a way of these traces, the last of which is common to the others.
func (c *Config) lay(traces []trace.Trace, extra []time.Duration, ticks int) way {
	delays := make([][]time.Duration, len(traces))
	for k, t := range traces {
		delays[k] = make([]time.Duration, ticks)
		for n := range ticks {
			delays[k][n] = t.Delay(sentAt(n))
		}
	}
	last := len(delays) - 1
	for n, d := range delays[last] {
		delays[last][n] = time.Duration(c.Correlated * float64(d))
	}
	return lay(c.Base, delays[:last], extra, delays[last])
}
