package portaudio

import (
	"sync/atomic"
	"time"

	pa "github.com/gordonklaus/portaudio"

	"github.com/sottovoce/sotto/voice"
)

// card is an open device, in its process.
type card struct {
	device         Device
	input          bool
	rate, channels int
	stream         *pa.Stream
	ring           voice.Ring    // at the card's rate
	bell           chan struct{} // one who does what callbacks must not waits for it
	began          time.Time
	mono           [voice.FrameSamples]float32 // the callback's

	zero atomic.Int64 // since began: when the first sample came, or was taken, counted back from the last

	// Loudspeaker:
	taken   atomic.Uint64 // of the ring, samples
	largest atomic.Int64  // callback
	missing atomic.Int64  // samples that callbacks wanted and the ring did not have
	asked   atomic.Int64  // samples at 48 kHz that are to come
	most    float64       // samples that the ring is to hold, of ask alone
}

// wake wakes who waits, unless they are about to look anyway.
func (c *card) wake() {
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

// heard is what the card's thread calls with what the microphone has heard.
func (c *card) heard(in []float32) {
	for len(in) >= c.channels {
		n := min(len(c.mono), len(in)/c.channels)
		for i := range n {
			var sum float32
			for _, v := range in[i*c.channels : (i+1)*c.channels] {
				sum += v
			}
			c.mono[i] = sum / float32(c.channels)
		}
		in = in[n*c.channels:]
		c.ring.Write(c.mono[:n])
	}
	c.counted(c.ring.Written())
	c.wake()
}

// counted says that n samples have come, or been taken, by now. It is one number
// that says so, lest somebody sees one half of two.
func (c *card) counted(n uint64) {
	c.zero.Store(int64(time.Since(c.began) - c.long(n)))
}

// long is how long n of the card's samples sound.
func (c *card) long(n uint64) time.Duration {
	return time.Duration(float64(n) / float64(c.rate) * float64(time.Second))
}

// age is how long ago it was that n samples had come, or been taken.
func (c *card) age(n uint64) time.Duration {
	return time.Since(c.began) - time.Duration(c.zero.Load()) - c.long(n)
}

// played is what the card's thread calls for what it is to play.
func (c *card) played(out []float32) {
	n := len(out) / c.channels
	if int64(n) > c.largest.Load() {
		c.largest.Store(int64(n))
	}
	for n > 0 {
		at := c.taken.Load()
		k := min(len(c.mono), n, int(c.ring.Written()-at))
		if k == 0 {
			clear(out)
			c.missing.Add(int64(n))
			break
		}
		c.ring.Copy(c.mono[:k], at)
		c.taken.Store(at + uint64(k))
		for i, v := range c.mono[:k] {
			for ch := range c.channels {
				out[i*c.channels+ch] = v
			}
		}
		out = out[k*c.channels:]
		n -= k
	}
	c.counted(c.taken.Load())
	c.wake()
}

const (
	leastHeld = 10 * time.Millisecond // of sound in the ring after a callback, once asked for
	mostMore  = 40 * time.Millisecond // when a busy machine, or a card that takes much at once, wants more
	forget    = 0.9998                // of what was missing, a callback
	spare     = 8                     // a part of what is needed is held beyond what was missing
)

// short is how many samples at 48 kHz are to be asked for, so that the ring
// holds what the card takes at once, and 10 ms at least. What it was short of is
// held from then on, for a while.
func (c *card) short() int {
	rate := float64(c.rate)
	need := max(float64(c.largest.Load()), rate*leastHeld.Seconds())
	if missing := float64(c.missing.Swap(0)); missing > 0 && c.taken.Load() > 0 {
		c.most = min(max(need, c.most)+missing+need/spare, need+rate*mostMore.Seconds())
	}
	c.most = max(need, c.most*forget)
	held := float64(c.ring.Written() - c.taken.Load())
	want := (c.most-held)*voice.SampleRate/rate - float64(c.asked.Load())
	n := min(int(want), mostPiece)
	if n > 0 {
		c.asked.Add(int64(n))
	}
	return n
}
