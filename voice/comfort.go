package voice

import "math"

// comfort makes noise like the background's (RFC 3389 has the name): pieces of
// 20 ms from anywhere in the last quarter second of pauses, laid over each other
// by half. It has the background's spectrum and level, and no rhythm; before any
// pause has been heard, and where pauses are digital silence, it is silence.
type comfort struct {
	heard [25 * pieceSize]float32 // a ring
	next  int                     // where the next piece goes
	full  int                     // samples of it that are filled

	made [pieceSize]float32 // noise, of which left samples are not used
	tail [pieceSize]float32 // second half of the last piece, as it fades
	left int
	seed uint32
}

// rise is the first quarter of a sine: squares of it and of its reverse add to 1.
var rise = func() (w [pieceSize]float32) {
	for i := range w {
		w[i] = float32(math.Sin(math.Pi / 2 * (float64(i) + 0.5) / pieceSize))
	}
	return w
}()

// learn takes 10 ms of a pause.
func (c *comfort) learn(piece []float32) {
	copy(c.heard[c.next:], piece[:pieceSize])
	c.next = (c.next + pieceSize) % len(c.heard)
	c.full = min(c.full+pieceSize, len(c.heard))
}

// read fills out with noise.
func (c *comfort) read(out []float32) {
	for len(out) > 0 {
		if c.left == 0 {
			c.more()
		}
		n := copy(out, c.made[pieceSize-c.left:])
		out = out[n:]
		c.left -= n
	}
}

func (c *comfort) more() {
	c.left = pieceSize
	c.made = c.tail
	clear(c.tail[:])
	if c.full < 2*pieceSize {
		return
	}
	at := c.random(c.full - 2*pieceSize + 1) // from the oldest, so that no piece goes over the seam
	if c.full == len(c.heard) {
		at += c.next
	}
	for i := range 2 * pieceSize {
		x := c.heard[(at+i)%len(c.heard)]
		if i < pieceSize {
			c.made[i] += x * rise[i]
		} else {
			c.tail[i-pieceSize] = x * rise[2*pieceSize-1-i]
		}
	}
}

// random is below n, and the same every time.
func (c *comfort) random(n int) int {
	c.seed = c.seed*1664525 + 1013904223
	return int(uint64(c.seed) * uint64(n) >> 32)
}
