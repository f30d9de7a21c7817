package listen

import (
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/sottovoce/sotto/call/playout"
	"github.com/sottovoce/sotto/jitter"
	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/opus"
)

// Cost is what listening takes, in the mean over all traces: the best of some
// rounds, as other programs run, less what looking at the clock takes.
type Cost struct {
	Push float64 `json:"push_ns"` // into the jitter buffer alone
	Pop  float64 `json:"pop_ns"`  // out of it
	Tick float64 `json:"tick_ns"` // 20 ms pulled from the whole ear, but with sound that needs no decoding
	P99  float64 `json:"tick_p99_ns"`
	// Allocations of the slowest trace's pushes, pops and ticks.
	Allocations uint64 `json:"allocations"`
}

const rounds = 3

// cost measures on one goroutine.
func cost(c jitter.Config, all []Arrivals, s *speech) (Cost, error) {
	sound, err := s.decode()
	if err != nil {
		return Cost{}, err
	}
	clock := clockTakes()
	best := Cost{Push: math.Inf(1), Pop: math.Inf(1), Tick: math.Inf(1), P99: math.Inf(1), Allocations: math.MaxUint64}
	for range rounds {
		var push, pop, tick stopwatch
		most := uint64(0)
		for i := range all {
			push.laps, pop.laps, tick.laps = slices.Grow(push.laps, len(all[i].At)), slices.Grow(pop.laps, 4*len(all[i].At)), slices.Grow(tick.laps, 2*len(all[i].At))
			b, e := jitter.New(c), playout.New(c, sound)
			order := all[i].order()
			before := allocations()
			decide(b, &all[i], order, s, &push, &pop)
			hear(e, &all[i], order, sound.names, &tick)
			most = max(most, allocations()-before)
		}
		best.Push = min(best.Push, push.mean(clock))
		best.Pop = min(best.Pop, pop.mean(clock))
		best.Tick = min(best.Tick, tick.mean(clock))
		best.P99 = min(best.P99, tick.p99())
		best.Allocations = min(best.Allocations, most)
	}
	return best, nil
}

// decide replays a trace through a jitter buffer alone. Each frame that is
// played is taken as heard at the speed decided.
func decide(b *jitter.Buffer, a *Arrivals, order []int, s *speech, push, pop *stopwatch) {
	queued := time.Duration(0)
	for now, end := phase, a.last(); now <= end; now += voice.FrameTime {
		for len(order) > 0 && a.At[order[0]] <= now {
			k := order[0]
			order = order[1:]
			began := time.Now()
			b.Push(a.At[k], uint32(k), s.packets[k])
			push.lap(time.Since(began))
		}
		for queued < voice.FrameTime {
			began := time.Now()
			d := b.Pop(now, queued)
			pop.lap(time.Since(began))
			length := voice.FrameTime
			if d.Action == jitter.Play && d.Speed > 0 {
				length = time.Duration(float64(length) / float64(min(2, max(0.5, d.Speed))))
			}
			queued += length
		}
		queued -= voice.FrameTime
	}
}

// hear replays a trace through an ear.
func hear(e *playout.Ear, a *Arrivals, order []int, packets [][]byte, tick *stopwatch) {
	var f [voice.PullSamples]float32
	for now, end := phase, a.last(); now <= end; now += voice.PullTime {
		for len(order) > 0 && a.At[order[0]] <= now {
			e.Push(a.At[order[0]], uint32(order[0]), packets[order[0]])
			order = order[1:]
		}
		began := time.Now()
		e.Pull(now, f[:])
		tick.lap(time.Since(began))
	}
}

// decoded is a decoder that has done its work: a packet is the number of its
// frame.
type decoded struct {
	frames []voice.Frame
	names  [][]byte
}

func (s *speech) decode() (*decoded, error) {
	dec, err := opus.NewDecoder(opus.Profile24k)
	if err != nil {
		return nil, err
	}
	d := &decoded{make([]voice.Frame, len(s.packets)), make([][]byte, len(s.packets))}
	for k, p := range s.packets {
		d.names[k] = []byte{byte(k), byte(k >> 8), byte(k >> 16)}
		if err := dec.Decode(&d.frames[k], p); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *decoded) Decode(f *voice.Frame, packet []byte) error {
	*f = d.frames[int(packet[0])|int(packet[1])<<8|int(packet[2])<<16]
	return nil
}

func (d *decoded) Conceal(f *voice.Frame) error {
	*f = d.frames[0]
	return nil
}

// stopwatch keeps every lap, in ns.
type stopwatch struct{ laps []int32 }

func (w *stopwatch) lap(d time.Duration) { w.laps = append(w.laps, int32(min(d, math.MaxInt32))) }

func (w *stopwatch) mean(clock float64) float64 {
	if len(w.laps) == 0 {
		return 0
	}
	sum := 0.0
	for _, l := range w.laps {
		sum += float64(l)
	}
	return round(max(0, sum/float64(len(w.laps))-clock))
}

func (w *stopwatch) p99() float64 {
	slices.Sort(w.laps)
	if len(w.laps) == 0 {
		return 0
	}
	return float64(w.laps[len(w.laps)*99/100])
}

// clockTakes is the ns that measuring nothing measures.
func clockTakes() float64 {
	var took [101]time.Duration
	for i := range took {
		for range 100 {
			began := time.Now()
			took[i] += time.Since(began)
		}
	}
	slices.Sort(took[:])
	return float64(took[len(took)/2]) / 100
}

func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
