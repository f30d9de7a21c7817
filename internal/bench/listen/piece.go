package listen

import (
	"math"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// piece is a stretch of output on the trace's clock: samples of it, from at on,
// stand for received samples media to media+of. of is 0 where it was concealed,
// and never more than twice or less than half of samples.
type piece struct{ at, samples, media, of int64 }

// delay is how many samples later than it could have been the i-th is heard.
func (p piece) delay(i int64) float64 {
	return float64(p.at+i-p.media) - float64(i)*float64(p.of)/float64(p.samples)
}

// pieces lays the runs out in time, up to an end, and holds them to the
// definitions: what was played before is concealment, as is what is slowed
// beyond half speed; what is squeezed beyond double speed is cut. total is how
// many samples were sent.
func (h *Heard) pieces(end, total int64) []piece {
	end = min(end, h.End)
	var out []piece
	at, reach := h.Start, int64(0)
	for _, r := range h.Runs {
		n := min(int64(r.Samples), end-at)
		if n <= 0 {
			continue
		}
		from := max(r.Media, reach)
		of := min(r.Media+int64(r.Of), total) - from
		if n < int64(r.Samples) {
			of = of * n / int64(r.Samples) // the end is in its midst
		}
		of = max(0, min(of, 2*n))
		made := min(n, 2*of)
		if made > 0 {
			out = append(out, piece{at, made, from, of})
			reach = from + of
		}
		if made < n {
			out = append(out, piece{at: at + made, samples: n - made})
		}
		at += n
	}
	return out
}

// reach is how far the sound was played: the end of the last sample.
func reach(pieces []piece) int64 {
	for i := len(pieces) - 1; i >= 0; i-- {
		if p := pieces[i]; p.of > 0 {
			return p.media + p.of
		}
	}
	return 0
}

// between is how long it took from the last output before received sample from
// to the first of sample to or after, and how many of the samples between were
// rendered in it. both is false if it did not play on both sides.
func between(pieces []piece, from, to int64) (heard, rendered int64, both bool) {
	left := int64(-1)
	for _, p := range pieces {
		if p.of == 0 {
			continue
		}
		if p.media < from {
			left = p.at + p.passes(from)
		}
		rendered += max(0, min(p.media+p.of, to)-max(p.media, from))
		if p.media+p.of > to {
			return p.at + p.passes(to) - left, rendered, left >= 0
		}
	}
	return 0, 0, false
}

// passes is after how many samples of output m is played, at most all of them.
func (p piece) passes(m int64) int64 {
	return min(p.samples, max(0, m-p.media)*p.samples/p.of)
}

// timeline is the playout delay at each millisecond of the trace's clock, in
// ms; NaN where nothing or what was concealed is heard.
func timeline(pieces []piece) []float64 {
	const step = voice.SampleRate / 1000
	var out []float64
	for _, p := range pieces {
		for t := (p.at + step - 1) / step; t*step < p.at+p.samples; t++ {
			for int64(len(out)) < t {
				out = append(out, math.NaN())
			}
			d := math.NaN()
			if p.of > 0 {
				d = p.delay(t*step-p.at) / step
			}
			out = append(out, d)
		}
	}
	return out
}

// recovery gives for each stall the ms until the delay is back; nil where it
// never was, or nothing was heard in the second before.
func recovery(line []float64, a *Arrivals) []*float64 {
	out := []*float64{}
	order := a.order()
	for i := 1; i < len(order); i++ {
		from, to := a.At[order[i-1]], a.At[order[i]]
		if to-from < stall+voice.FrameTime {
			continue
		}
		var back *float64
		before := mean(within(line, from-time.Second, from))
		for t, d := range within(line, to, math.MaxInt64) {
			if d <= before+recovered { // never so when either is NaN
				ms := float64(t)
				back = &ms
				break
			}
		}
		out = append(out, back)
	}
	return out
}

// within is the part of a line from one time until before another.
func within(line []float64, from, to time.Duration) []float64 {
	at := func(d time.Duration) int {
		return int(min(max(0, (d+time.Millisecond-1)/time.Millisecond), time.Duration(len(line))))
	}
	if to == math.MaxInt64 {
		return line[at(from):]
	}
	return line[at(from):at(to)]
}

// mean of the numbers among xs.
func mean(xs []float64) float64 {
	var sum, n float64
	for _, x := range xs {
		if !math.IsNaN(x) {
			sum += x
			n++
		}
	}
	return sum / n
}
