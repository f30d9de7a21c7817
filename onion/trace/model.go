package trace

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Model makes traces of circuits that do not exist.
//
// Circuits differ far more from one another than one does from itself over
// half a minute, so it first draws a circuit, then lets it run:
//
//		sent ─► level ─► stalls ─► gates ─► arrived
//
//	  - Level: the queues on the way. A circuit has its own, and wanders about it.
//	  - Stalls: nothing passes for a while (a lost TCP segment between two relays,
//	    a relay busy with others), then what waited comes out at some pace.
//	    Most stop both directions. Some circuits have many, most one or none.
//	  - Gates: relays let cells go in bursts, when a TCP window or the scheduler
//	    (KIST) has room. What is through a stall waits for the next gate.
//
// Each [Lot] is a log-normal distribution. Both directions of a circuit are
// drawn together; a number "Alike" is the correlation of their logarithms.
type Model struct {
	Level        Lot     // a circuit's queueing, ms
	LevelAlike   float64 // of the two directions' levels
	Wander       Lot     // how far the level's logarithm strays (standard deviation), by circuit
	WanderMemory float64 // correlation of the level's logarithm with itself 1 s before
	WanderAlike  float64 // of the two directions' wandering

	Gate      Lot     // mean time between gates, by circuit, ms; at least 1
	GateAlike float64 // of the two directions' gates
	GateShape Lot     // gaps are gamma distributed with about this shape, by circuit: 1 is a Poisson process, 20 nearly a clock
	GateClock float64 // correlation of the logarithms of gate and shape: a full window opens once a round trip, the longer the more regular

	Stalls      Lot     // a minute, by circuit
	Stall       Lot     // length, ms; at most 20 s
	StallShared float64 // share of stalls that stop both directions
	Drain       Lot     // after a stall, time a frame takes to come out, in frame times; at most 0.9
}

// Lot is a log-normal distribution: half of what is drawn is below Median, and
// two thirds between Median/exp(Spread) and Median·exp(Spread).
type Lot struct{ Median, Spread float64 }

// at is the value whose logarithm is z standard deviations above the median's.
func (l Lot) at(z float64) float64 { return l.Median * math.Exp(float64(l.Spread*z)) }

const (
	longestStall = 20 * time.Second
	slowestDrain = 0.9
	mostShape    = 50
	knot         = time.Second // between draws of the wandering level
)

// way is one direction of a drawn circuit.
type way struct {
	level  []time.Duration // at each knot
	stalls []stall
	gate   time.Duration // mean gap
	shape  int
}

type stall struct{ from, to, pace time.Duration }

// Generate makes both directions of one circuit for a time of d, rounded up to
// 20 ms. A seed gives the same on every machine.
func (m Model) Generate(seed uint64, d time.Duration) (there, back Trace) {
	r := rand.New(rand.NewPCG(seed, 0x736f74746f)) // "sotto"
	d = (d + Step - 1) / Step * Step
	ways := m.draw(r, d)
	return ways[0].run(r, "out", d), ways[1].run(r, "in", d)
}

// Generate makes both directions of one circuit by [TorModel].
func Generate(seed uint64, d time.Duration) (there, back Trace) {
	return TorModel().Generate(seed, d)
}

// Recordings makes n circuits as files of 30 s are: NAME-in and NAME-out.
func (m Model) Recordings(seed uint64, n int) []Trace {
	r := rand.New(rand.NewPCG(seed, 0))
	var traces []Trace
	for i := range n {
		there, back := m.Generate(r.Uint64(), 30*time.Second)
		there.Name = fmt.Sprintf("model-%d-%03d-out", seed, i)
		back.Name = fmt.Sprintf("model-%d-%03d-in", seed, i)
		traces = append(traces, back, there)
	}
	return traces
}

// draw draws a circuit. Every draw is rounded to a microsecond at once, so that
// the last bit of some processor's exponential changes nothing; from there on
// all is whole numbers.
func (m Model) draw(r *rand.Rand, d time.Duration) (ways [2]way) {
	knots := int(d/knot) + 2
	level := pair(r, m.LevelAlike)
	gate := pair(r, m.GateAlike)
	wander := [2]float64{}
	for i, z := range pair(r, m.LevelAlike) {
		wander[i] = m.Wander.at(z)
	}
	for i := range ways {
		ways[i].gate = max(time.Millisecond, micro(m.Gate.at(gate[i])))
		shape := float64(m.GateClock*gate[i]) + float64(math.Sqrt(1-float64(m.GateClock*m.GateClock))*r.NormFloat64())
		ways[i].shape = int(min(max(1, math.Round(m.GateShape.at(shape))), mostShape))
	}
	at := pair(r, m.WanderAlike)
	fresh := math.Sqrt(1 - float64(m.WanderMemory*m.WanderMemory))
	for range knots {
		step := pair(r, m.WanderAlike)
		for i := range ways {
			ways[i].level = append(ways[i].level, micro(m.Level.at(level[i])*math.Exp(float64(wander[i]*at[i]))))
			at[i] = float64(m.WanderMemory*at[i]) + float64(fresh*step[i])
		}
	}
	pause := 60_000 / m.Stalls.at(r.NormFloat64())
	for t := micro(pause * r.ExpFloat64()); t < d; t += micro(pause * r.ExpFloat64()) {
		s := stall{from: t, to: t + min(longestStall, micro(m.Stall.at(r.NormFloat64())))}
		s.pace = micro(min(slowestDrain, m.Drain.at(r.NormFloat64())) * float64(Step.Milliseconds()))
		one := r.IntN(2)
		both := r.Float64() < m.StallShared
		for i := range ways {
			if both || i == one {
				ways[i].stalls = append(ways[i].stalls, s)
			}
		}
	}
	return ways
}

// pair draws two standard normal numbers with a correlation.
func pair(r *rand.Rand, alike float64) [2]float64 {
	a, b := r.NormFloat64(), r.NormFloat64()
	return [2]float64{a, float64(alike*a) + float64(math.Sqrt(1-float64(alike*alike))*b)}
}

func micro(ms float64) time.Duration {
	return time.Duration(math.Round(min(ms, 3_600_000)*1000)) * time.Microsecond
}

// run sends a frame each Step through the way.
func (w way) run(r *rand.Rand, name string, d time.Duration) Trace {
	slices.SortFunc(w.stalls, func(a, b stall) int { return cmp.Compare(a.from, b.from) })
	var arrived []time.Duration
	var left, gate, pace time.Duration // when the last frame left the queue; the next gate
	for sent := time.Duration(0); sent < d; sent += Step {
		leaves := sent + w.levelAt(sent)
		if left+pace > leaves {
			leaves = left + pace // in order, and after a stall at its pace
		} else {
			pace = 0 // nothing waits any more
		}
		for len(w.stalls) > 0 && leaves >= w.stalls[0].from {
			if s := w.stalls[0]; s.to > leaves {
				leaves, pace = s.to, s.pace
			}
			w.stalls = w.stalls[1:]
		}
		left = leaves
		for gate < left {
			gate += w.gap(r)
		}
		arrived = append(arrived, gate.Truncate(time.Millisecond))
	}
	return fromArrivals(name, arrived)
}

// levelAt is the wandering level between two knots.
func (w way) levelAt(t time.Duration) time.Duration {
	i, rest := int(t/knot), t%knot
	return w.level[i] + (w.level[i+1]-w.level[i])*(rest/time.Microsecond)/(knot/time.Microsecond)
}

// gap draws a time between two gates.
func (w way) gap(r *rand.Rand) time.Duration {
	sum := 0.0
	for range w.shape {
		sum += r.ExpFloat64()
	}
	return micro(sum / float64(w.shape) * float64(w.gate.Microseconds()) / 1000)
}
