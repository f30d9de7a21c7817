package trace

import (
	"math/rand/v2"
	"time"
)

// Deck gives circuits to those who replay them, in an order that a seed
// decides. One recording is one circuit, never two: all recordings are drawn
// once before any is drawn again. It is not safe for concurrent use.
type Deck struct {
	rand       *rand.Rand
	traces     []Trace
	recordings [][]int // indices into traces: one or two directions each
	rest       []int   // indices into recordings
}

// NewDeck is a deck of traces. Without any, its circuits do not delay.
func NewDeck(traces []Trace, seed uint64) *Deck {
	d := &Deck{rand: rand.New(rand.NewPCG(seed, 0)), traces: traces}
	at := map[string]int{}
	for i, t := range traces {
		name := t.Recording()
		r, known := at[name]
		if !known {
			r = len(d.recordings)
			at[name] = r
			d.recordings = append(d.recordings, nil)
		}
		d.recordings[r] = append(d.recordings[r], i)
	}
	return d
}

// Draw draws a circuit: a recording either way round. One that has a single
// direction takes the other from the next recording, which then is used too.
func (d *Deck) Draw() (there, back Trace) {
	if len(d.traces) == 0 {
		return Trace{}, Trace{}
	}
	first := d.recording()
	if len(first) == 1 {
		first = append(first, d.recording()[0])
	}
	return d.traces[first[0]], d.traces[first[1]]
}

// recording is the next one, its directions shuffled, in a slice of its own.
func (d *Deck) recording() []int {
	if len(d.rest) == 0 {
		d.rest = d.rand.Perm(len(d.recordings))
	}
	r := append([]int(nil), d.recordings[d.rest[0]]...)
	d.rest = d.rest[1:]
	d.rand.Shuffle(len(r), func(i, j int) { r[i], r[j] = r[j], r[i] })
	return r
}

// Delays draws a circuit for one who wants to know its delays alone.
func (d *Deck) Delays() (there, back func(sent time.Duration) time.Duration) {
	t, b := d.Draw()
	return t.Delay, b.Delay
}
