package voice

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Bridge carries sound from a sound card's clock to the monotonic one. The
// card's callback writes what it has; the reader gets a frame every 20 ms of
// the monotonic clock, exactly, however fast the card's clock goes.
//
//	callback ── Write ──▶ lock-free ring ──▶ windowed sinc at a rate near 1 ──▶ Read
//	            when it came ──▶ the card's clock ──▶ rate
//
// Sound is read a fixed time after it came: the kernel, what comes at once, as
// much as callbacks have been late of late, and 2 ms. When it came is reckoned by
// the card's own clock (see steady), so that neither late callbacks nor a late
// reader show in it. The rate follows by at most 1,000 millionths and 5 a frame (a
// tenth of a cent): nobody hears that. Only after a stall, when the level is 40 ms
// wrong, is sound left out, or waited for as in the beginning.
//
// One goroutine writes and one reads. Neither waits, locks or allocates. Times
// are since any fixed moment. The zero value is ready for use.
type Bridge struct {
	ring  Ring
	zero  atomic.Int64 // when sample 0 would have come, had all come as steadily as the last
	stamp atomic.Int64 // when the last Write was
	chunk atomic.Int64 // the most samples at once since the reader looked

	// The reader's:
	open         bool          // sound is being read
	began        time.Duration // half a frame before the first was read
	given        int64         // frames read
	at           uint64        // sample of the ring at or just before the next to be read
	frac         float64       // and how far beyond it that is
	chunks, late float64       // the most samples that come at once, and by how many samples' time one came late
	last         time.Duration // stamp seen last,
	since        float64       // and samples' time that it was old
	came         time.Duration // when the first sample of the last frame came
	card         steady        // the card's clock
	rate         float64       // samples taken for one given
	slips        int
	missed       int64   // the last tick for which nothing had come
	inRow        int     // so many in a row
	end          float32 // the last sample given
	filled       bool    // it was silence
	apart        float64 // Beside: seconds that it is behind the other bridge,
	spare        float64 // and samples that it may yet fall back
	in           [FrameSamples + 2*bridgeTaps + 8 + besideGlide]float32
}

const (
	bridgeTaps   = 16 // samples on each side that the kernel reaches
	bridgePhases = 2048
	bridgeKaiser = 8.0 // 80 dB

	bridgeMargin = SampleRate * 2 / 1000
	bridgeWrong  = SampleRate * 40 / 1000 // from which it jumps
	bridgeStall  = SampleRate * 60 / 1000 // after which a card that does not call is not counted on
	bridgeLost   = 10                     // ticks in a row for which sound came too late: some was lost
	bridgeFade   = SampleRate / 400       // samples
	bridgeForget = 0.9997                 // of how late callbacks come, a look: half in 46 s
	bridgeCloses = 5.0                    // seconds in which what is off becomes a third

	mostDrift = 1e-3
	mostStep  = 5e-6 // of the rate, a frame
)

// bridgeKernel is a sinc under a Kaiser window, at each phase one after another: a
// row has what the samples around a place that far beyond one count. Of the rows
// every eighth is reckoned and those between are on a line. What is wrong is 92 dB
// below a tone of 1 kHz and 77 below one of 8, where a codec's own errors begin at 20.
var bridgeKernel = sync.OnceValue(func() *[bridgePhases + 1][2 * bridgeTaps]float32 {
	const each = 8
	var table [bridgePhases + 1][2 * bridgeTaps]float32
	for phase := 0; phase <= bridgePhases; phase += each {
		for i := range table[phase] {
			t := float64(phase)/bridgePhases - float64(i-bridgeTaps+1)
			if u := math.Abs(t) / bridgeTaps; u < 1 {
				table[phase][i] = float32(sinc(t) * bessel0(bridgeKaiser*math.Sqrt(1-u*u)) / bessel0(bridgeKaiser))
			}
			for k := 1; k < each && phase > 0; k++ {
				part := float32(k) / each
				table[phase-each+k][i] = (1-part)*table[phase-each][i] + part*table[phase][i]
			}
		}
	}
	return &table
})

// Write adds what the card has brought at now.
func (b *Bridge) Write(now time.Duration, samples []float32) {
	b.AtOnce(len(samples))
	b.Put(samples)
	b.Mark(now, b.ring.Written())
}

// AtOnce says that the card brings n samples at once.
func (b *Bridge) AtOnce(n int) {
	if int64(n) > b.chunk.Load() {
		b.chunk.Store(int64(n))
	}
}

// Put adds sound whose time [Bridge.Mark] tells: what a loudspeaker has been
// given, and has yet to take.
func (b *Bridge) Put(samples []float32) { b.ring.Write(samples) }

// Written is how many samples were put so far.
func (b *Bridge) Written() uint64 { return b.ring.Written() }

// Mark says that at now the first n samples had come, just so. What the reader
// reckons with is one number: of two, it might see a new and an old one, and take
// the level for a whole callback wrong.
func (b *Bridge) Mark(now time.Duration, n uint64) {
	b.zero.Store(int64(now - samplesTime(n)))
	b.stamp.Store(int64(now))
}

// samplesTime is how long n samples sound.
func samplesTime(n uint64) time.Duration {
	const per, of = time.Second / 16000, SampleRate / 16000 // whole numbers
	return time.Duration(n) * per / of
}

// Read fills f and reports true if a frame is due at now and has come. Frames
// that the reader was too late for, or the card, come together. Sound that the
// card has lost is replaced by silence, so that there are as many frames as there
// were 20 ms: else all that follows would be late for good.
func (b *Bridge) Read(now time.Duration, f *Frame) bool {
	if !b.look(now) || !b.due(now) {
		return false
	}
	if b.take(f) {
		b.smooth(f)
		return true
	}
	if tick := int64((now - b.began) / FrameTime); tick != b.missed {
		if b.inRow++; tick != b.missed+1 {
			b.inRow = 1
		}
		b.missed = tick
	}
	if b.inRow < bridgeLost || b.since > bridgeStall {
		return false
	}
	b.inRow = 0
	b.given++
	b.came += FrameTime
	b.fill(f)
	return true
}

// fill is silence in place of sound that was lost.
func (b *Bridge) fill(f *Frame) {
	clear(f[:])
	for i := range bridgeFade {
		f[i] = b.end * float32(bridgeFade-1-i) / bridgeFade
	}
	b.end, b.filled = 0, true
}

// smooth lets sound begin softly after silence.
func (b *Bridge) smooth(f *Frame) {
	for i := range bridgeFade {
		if b.filled {
			f[i] *= float32(i) / bridgeFade
		}
	}
	b.end, b.filled = f[len(f)-1], false
}

// Take fills f with the next frame, due or not, and with silence for what of it
// is missing.
func (b *Bridge) Take(now time.Duration, f *Frame) {
	if b.look(now) && !b.take(f) {
		clear(f[:])
		b.advance()
	} else if !b.open {
		clear(f[:])
	}
}

// Came is when the first sample of the frame last read came, had no callback
// been late.
func (b *Bridge) Came() time.Duration { return b.came }

// Slips is how often sound had to be left out or waited for. It is for the
// reader.
func (b *Bridge) Slips() int { return b.slips }

func (b *Bridge) due(now time.Duration) bool {
	return b.given <= int64((now-b.began)/FrameTime)
}

// look follows the level, and reports whether reading has begun.
func (b *Bridge) look(now time.Duration) bool {
	b.watch(now)
	if !b.open {
		return b.begin(now)
	}
	due := b.began + FrameTime/2 + time.Duration(b.given)*FrameTime
	off := b.card.came(due.Seconds()) - max(0, b.since-bridgeStall) - b.place() - b.want()
	switch {
	case off < -bridgeWrong: // wait for as much as there was in the beginning
		b.open = false
		b.slips++
		return false
	case off > bridgeWrong:
		b.move(b.place() + off)
		b.slips++
		return true
	}
	b.steer(off)
	return true
}

// watch follows the card's clock, and reports whether it was heard of just now.
func (b *Bridge) watch(now time.Duration) (news bool) {
	stamp, zero := time.Duration(b.stamp.Load()), time.Duration(b.zero.Load())
	news = stamp != b.last
	b.chunks = max(b.chunks*bridgeForget, float64(b.chunk.Swap(0)))
	b.late *= bridgeForget
	if news && b.open {
		late, anew := b.card.look(now, zero)
		if b.since < bridgeStall { // a card that was away is as good as before
			b.late = max(b.late, min(late*SampleRate, bridgeStall))
		}
		if anew {
			b.late = 0
		}
	}
	b.last, b.since = stamp, max(0, (now-stamp).Seconds()*SampleRate)
	return news
}

// begin begins to read, once there is enough.
func (b *Bridge) begin(now time.Duration) bool {
	written := float64(b.ring.Written())
	if written == 0 || written-float64(b.at) < b.want()+bridgeTaps {
		return false
	}
	b.card.begin(now, time.Duration(b.zero.Load()))
	b.open, b.began, b.given, b.rate = true, now-FrameTime/2, 0, 1+b.card.drift()
	b.move(b.card.came(now.Seconds()) - b.want())
	return true
}

// want is how many samples are to be there of those that would have come, had no
// callback been late.
func (b *Bridge) want() float64 {
	return FrameSamples + bridgeTaps + bridgeMargin + b.chunks + b.late
}

// place is which sample the next frame begins with.
func (b *Bridge) place() float64 { return float64(b.at) + b.frac }

// steer sets the rate by how many samples there are too many.
func (b *Bridge) steer(off float64) {
	want := 1 + b.card.drift() + off/(bridgeCloses*SampleRate)
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
	b.came = seconds(b.card.when(b.place()))
	b.move(b.place() + FrameSamples*b.rate)
	b.given++
}

// take makes a frame, if all of it is there.
func (b *Bridge) take(f *Frame) bool {
	n := int(b.frac+FrameSamples*b.rate) + 2*bridgeTaps + 1
	if !b.ring.Copy(b.in[:n], b.at-bridgeTaps+1) {
		return false
	}
	// Places are whole numbers of 2⁻³² samples: the nearest row is their upper bits'.
	const one, row = 1 << 32, 1 << 32 / bridgePhases
	kernel, x, step := bridgeKernel(), uint64(b.frac*one)+row/2, uint64(b.rate*one)
	for i := range f {
		f[i] = weigh(b.in[x/one:][:2*bridgeTaps], kernel[x%one/row][:])
		x += step
	}
	b.advance()
	return true
}
