package portaudio

import (
	pa "github.com/gordonklaus/portaudio"

	"github.com/sottovoce/sotto/voice"
)

// card is an open device, in its process.
type card struct {
	*shared
	device         Device
	input          bool
	rate, channels int
	stream         *pa.Stream
	mono           [voice.FrameSamples]float32 // the callback's
}

// heard is what the card's thread calls with what the microphone has heard.
func (c *card) heard(in []float32) {
	c.atMost(len(in) / c.channels)
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
	c.told(c.ring.Written(), c.rate)
}

// played is what the card's thread calls for what it is to play.
func (c *card) played(out []float32) {
	n := len(out) / c.channels
	c.atMost(n)
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
	c.told(c.taken.Load(), c.rate)
}
