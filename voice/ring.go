package voice

import (
	"math"
	"sync/atomic"
)

// Ring holds the newest 341 ms of samples, between a sound card's callback and
// a goroutine: one writes, the other reads; neither waits, locks or allocates.
//
//	claimed ─ what the writer has begun to write, up to here
//	written ─ what it has finished
//
// The writer overwrites without asking. The reader copies, then looks at
// claimed: where the writer came round meanwhile, it has nothing.
type Ring struct {
	samples          [RingSize]atomic.Uint32 // bits of a float32
	claimed, written atomic.Uint64
}

// RingSize is how many samples a Ring holds.
const RingSize = 1 << 14

// Write adds samples.
func (r *Ring) Write(samples []float32) {
	samples = samples[max(0, len(samples)-RingSize/2):]
	at := r.written.Load()
	r.claimed.Store(at + uint64(len(samples)))
	for i, s := range samples {
		r.samples[(at+uint64(i))%RingSize].Store(math.Float32bits(s))
	}
	r.written.Store(at + uint64(len(samples)))
}

// Written is how many samples were written so far.
func (r *Ring) Written() uint64 { return r.written.Load() }

// Copy fills out with the samples from number at on. It reports false when they
// have not all come yet; those overwritten already are silence.
func (r *Ring) Copy(out []float32, at uint64) bool {
	if r.written.Load() < at+uint64(len(out)) {
		return false
	}
	for i := range out {
		out[i] = math.Float32frombits(r.samples[(at+uint64(i))%RingSize].Load())
	}
	if oldest := max(r.claimed.Load(), RingSize) - RingSize; at < oldest {
		clear(out[:min(uint64(len(out)), oldest-at)])
	}
	return true
}
