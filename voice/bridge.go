package voice

import (
	"math"
	"sync/atomic"
	"time"
)

// Bridge carries sound from a sound card's clock to the monotonic one. The
// card's callback writes what it has; the reader gets a frame every 20 ms of
// the monotonic clock, exactly, however fast the card's clock goes.
//
//	callback ── Write ──▶ lock-free ring ──▶ windowed sinc at a rate near 1 ──▶ Read
//	                        level ──▶ loop, 10 s ──▶ rate
//
// Sound is read a fixed time after it came: the kernel, the longest time that
// there was between callbacks, and 2 ms. Between callbacks the level is taken to
// grow steadily, and a late reader's lateness is taken off, so that neither shows
// in it. The rate follows by at most 1,000 millionths and 5 a frame (a tenth of a
// cent): nobody hears that. Only after a stall, when the level is 40 ms wrong, is
// sound left out, or waited for as in the beginning.
//
// One goroutine writes and one reads. Neither waits, locks or allocates. Times
// are since any fixed moment. The zero value is ready for use.
type Bridge struct {
	ring  Ring
	stamp atomic.Int64 // when the last Write was
	chunk atomic.Int64 // the largest Write since the reader looked

	// The reader's:
	open  bool          // sound is being read
	began time.Duration // half a frame before the first was read
	given int64         // frames read
	at    uint64        // sample of the ring at or just before the next to be read
	frac  float64       // and how far beyond it that is
	gap   float64       // samples that come at once, or in the time between callbacks
	last  time.Duration // stamp seen last,
	since float64       // and samples' time that it was old
	off   float64       // samples that there are too many, smoothed
	drift float64       // of the rate from 1, learnt
	rate  float64       // samples taken for one given
	slips int
	in    [FrameSamples + 2*bridgeTaps + 8]float32
}

const (
	bridgeTaps   = 16 // samples on each side that the kernel reaches
	bridgePhases = 256
	bridgeKaiser = 8.0 // 80 dB

	bridgeMargin = SampleRate * 2 / 1000
	bridgeWrong  = SampleRate * 40 / 1000 // from which it jumps
	bridgeStall  = SampleRate * 60 / 1000 // after which a card that does not call is not counted on
	bridgeForget = 0.9997                 // of gap, a frame: half in 46 s
	bridgeSmooth = 0.02                   // of the level, a frame: 1 s

	loopSpeed = 0.1 // a second: the loop's natural frequency, critically damped
	mostDrift = 1e-3
	mostStep  = 5e-6 // of the rate, a frame
)

// bridgeKernel is the right half of a sinc under a Kaiser window.
var bridgeKernel = func() (table [bridgeTaps*bridgePhases + 2]float32) {
	for i := range table {
		if t := float64(i) / bridgePhases; t < bridgeTaps {
			u := t / bridgeTaps
			table[i] = float32(sinc(t) * bessel0(bridgeKaiser*math.Sqrt(1-u*u)) / bessel0(bridgeKaiser))
		}
	}
	return table
}()

// Write adds what the card has brought at now.
func (b *Bridge) Write(now time.Duration, samples []float32) {
	if int64(len(samples)) > b.chunk.Load() {
		b.chunk.Store(int64(len(samples)))
	}
	b.stamp.Store(int64(now))
	b.ring.Write(samples)
}

// Read fills f and reports true if a frame is due at now and has come. Frames
// that the reader was too late for, or the card, come together.
func (b *Bridge) Read(now time.Duration, f *Frame) bool {
	return b.look(now) && b.due(now) && b.take(f)
}

// Take fills f with the next frame, due or not, and with silence for what of it
// is missing: for sound that has to stay beside that of another bridge, frame
// by frame.
func (b *Bridge) Take(now time.Duration, f *Frame) {
	if b.look(now) && !b.take(f) {
		clear(f[:])
		b.advance()
	} else if !b.open {
		clear(f[:])
	}
}

// Slips is how often sound had to be left out or waited for. It is for the
// reader.
func (b *Bridge) Slips() int { return b.slips }

func (b *Bridge) due(now time.Duration) bool {
	return b.given <= int64((now-b.began)/FrameTime)
}

// look follows the level, and reports whether reading has begun.
func (b *Bridge) look(now time.Duration) bool {
	written, stamp := b.ring.Written(), time.Duration(b.stamp.Load())
	if written == 0 {
		return false
	}
	if stamp != b.last && b.since < bridgeStall { // a card that was away is as good as before
		b.gap = max(b.gap, b.since)
	}
	since := min(max(0, (now-stamp).Seconds()*SampleRate), bridgeStall)
	b.last, b.since = stamp, since
	b.gap = max(b.gap*bridgeForget, float64(b.chunk.Swap(0)))
	want := FrameSamples + bridgeTaps + bridgeMargin + b.gap
	if !b.open {
		if float64(written)-float64(b.at) < want+bridgeTaps {
			return false
		}
		b.open, b.began, b.given, b.rate = true, now-FrameTime/2, 0, 1+b.drift
		b.move(float64(written) + since - want)
		return true
	}
	late := (now - b.began - FrameTime/2 - time.Duration(b.given)*FrameTime).Seconds() * SampleRate
	off := float64(written) - float64(b.at) - b.frac + since - late - want
	switch {
	case off < -bridgeWrong: // wait for as much as there was in the beginning
		b.open, b.off = false, 0
		b.slips++
		return false
	case off > bridgeWrong:
		b.move(float64(b.at) + b.frac + off)
		b.off = 0
		b.slips++
		return true
	}
	b.steer(off)
	return true
}

// steer sets the rate by how many samples there are too many.
func (b *Bridge) steer(off float64) {
	const frame = float64(FrameSamples) / SampleRate // s
	b.off += bridgeSmooth * (off - b.off)
	b.drift += loopSpeed * loopSpeed * b.off * frame / SampleRate
	b.drift = max(-mostDrift, min(mostDrift, b.drift))
	want := 1 + b.drift + 2*loopSpeed*b.off/SampleRate
	b.rate += max(-mostStep, min(mostStep, want-b.rate))
	b.rate = max(1-mostDrift, min(1+mostDrift, b.rate))
}

// move goes to a place in the ring.
func (b *Bridge) move(to float64) {
	to = max(bridgeTaps, to)
	b.at = uint64(to)
	b.frac = to - float64(b.at)
}

// advance goes on by a frame.
func (b *Bridge) advance() {
	b.move(float64(b.at) + b.frac + FrameSamples*b.rate)
	b.given++
}

// take makes a frame, if all of it is there.
func (b *Bridge) take(f *Frame) bool {
	n := int(b.frac+FrameSamples*b.rate) + 2*bridgeTaps + 1
	if !b.ring.Copy(b.in[:n], b.at-bridgeTaps+1) {
		return false
	}
	x := b.frac
	for i := range f {
		whole := int(x)
		f[i] = b.weigh(whole, x-float64(whole))
		x += b.rate
	}
	b.advance()
	return true
}

// weigh is the sound between two samples, the first being in[i+bridgeTaps−1].
func (b *Bridge) weigh(i int, part float64) float32 {
	position := part * bridgePhases
	k := int(position)
	p := float32(position - float64(k))
	before, after := b.in[i:i+bridgeTaps], b.in[i+bridgeTaps:i+2*bridgeTaps]
	var sum float32
	for t := range bridgeTaps {
		j := k + t*bridgePhases
		w := bridgeKernel[j] + p*(bridgeKernel[j+1]-bridgeKernel[j])
		sum += before[bridgeTaps-1-t] * w
		j = (t+1)*bridgePhases - k
		w = bridgeKernel[j] - p*(bridgeKernel[j]-bridgeKernel[j-1])
		sum += after[t] * w
	}
	return sum
}
