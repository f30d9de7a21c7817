// Package playout turns frames that came, in any order, into sound that goes
// out without a gap: it asks jitter when, and the decoder what.
//
//	record ──Push──▶ jitter.Buffer ──Decision──▶ Decoder ──▶ voice.Stretch ──Pull──▶ Sink
//
// Push runs on the path that brought the record, Pull on the loudspeaker's
// clock. They share one short lock, under which nothing blocks: no I/O, no
// allocation, about 10 µs of decoding.
package playout

import (
	"sync"
	"time"

	"github.com/sottovoce/sotto/jitter"
	"github.com/sottovoce/sotto/voice"
)

// Decoder makes sound of packets. It remembers what it decoded, and is for one
// goroutine at a time.
type Decoder interface {
	// Decode fills f from a packet. An error (a packet that is no sound)
	// leaves the decoder as it was.
	Decode(f *voice.Frame, packet []byte) error
	// Conceal fills f with sound that could have followed.
	Conceal(f *voice.Frame) error
}

// Stats of the listening so far.
type Stats struct {
	Heard         time.Duration // sound handed to the sink since the first was played
	Concealed     time.Duration // of it, made up
	Target, Delay time.Duration // what the delay is to be, and was last, above the fastest frame
	Level         time.Duration // sound that waits
	Skipped       uint64        // frames passed over that never came
	Late          uint64        // frames that came after they had been given up
	Refused       uint64        // packets that were no sound
}

// ConcealedPercent is the share of what was heard that was made up.
func (s Stats) ConcealedPercent() float64 {
	if s.Heard == 0 {
		return 0
	}
	return 100 * float64(s.Concealed) / float64(s.Heard)
}

// leastMade is the least that is made up at a time: 2 ms.
const leastMade = voice.SampleRate * 2 / 1000

// Ear listens to one call.
type Ear struct {
	// Set before use, for measurements; both must be quick.
	Playing func(seq uint32, in time.Duration) // received frame seq begins to sound so long after the time of this Pull
	Heard   func(voice.Run)                    // how the sound was made, in the order of the output; frame seq is samples 960·seq on

	mu               sync.Mutex
	buffer           *jitter.Buffer
	decoder          Decoder
	stretch          voice.Stretch
	frame            voice.Frame
	made             []float32 // what is left of the codec's last concealment
	last             int64     // the last frame's number, not wrapped
	started          bool
	refused          uint64
	heard, concealed int // samples
}

// New makes an ear. The decoder is the ear's alone from now on.
func New(c jitter.Config, d Decoder) *Ear {
	return &Ear{buffer: jitter.New(c), decoder: d}
}

// Push takes frame seq's packet, which came at now (since any fixed moment).
func (e *Ear) Push(now time.Duration, seq uint32, packet []byte) {
	e.mu.Lock()
	e.buffer.Push(now, seq, packet)
	e.mu.Unlock()
}

// Learn takes note of the record of a tick that came at now, before there is
// anything to hear: so the first frame waits as long as the network wants it to.
// frames is how many the record would have brought.
func (e *Ear) Learn(now time.Duration, tick uint32, frames int) {
	e.mu.Lock()
	for i := frames - 1; i >= 0; i-- {
		e.buffer.Learn(now, tick-uint32(i))
	}
	e.mu.Unlock()
}

// Pull fills out with what sounds from now on, without a gap. now is on Push's
// clock. Of a long out each 10 ms are decided on as if they were pulled when they
// sound, so that what a card takes at once does not look like sound that was
// quicker.
func (e *Ear) Pull(now time.Duration, out []float32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stretch.Heard = e.Heard
	for at := 0; at < len(out); at += voice.PullSamples {
		e.pull(now, samples(at), out[at:min(len(out), at+voice.PullSamples)])
	}
}

// pull fills out with what sounds from ahead after now on.
func (e *Ear) pull(now, ahead time.Duration, out []float32) {
	for e.stretch.Ready() < len(out) {
		d := e.buffer.Pop(now+ahead, samples(e.stretch.Ready()+e.stretch.Held()))
		switch {
		case d.Action == jitter.Play && e.play(&d, ahead):
		case d.Action == jitter.Wait && !e.started:
			n := len(out) // until it begins, to the sample
			if d.Surplus < 0 {
				n = min(n, int((-d.Surplus*voice.SampleRate+time.Second-1)/time.Second))
			}
			clear(out[:n])
			ahead, out = ahead+samples(n), out[n:]
		case d.Action == jitter.Conceal, d.Action == jitter.Play:
			e.stretch.Flush() // what is made up comes after it
			e.conceal(voice.FrameSamples)
		case e.stretch.Held() > 0:
			e.stretch.Flush()
		default: // no more than is wanted now: the next may come any time
			e.conceal(max(len(out)-e.stretch.Ready(), leastMade))
		}
	}
	e.heard += len(out)
	e.stretch.Read(out)
}

// play decodes what is to be heard next, of a pull that is ahead by so much, and
// reports whether it was sound.
func (e *Ear) play(d *jitter.Decision, ahead time.Duration) bool {
	e.made = nil
	if err := e.decoder.Decode(&e.frame, d.Packet); err != nil {
		e.refused++
		return false
	}
	if !e.started {
		e.started, e.last = true, int64(d.Seq)
	}
	e.last += int64(int32(d.Seq - uint32(e.last)))
	if e.Playing != nil {
		e.Playing(d.Seq, ahead+samples(e.stretch.Ready()+e.stretch.Held()))
	}
	e.stretch.Play(&e.frame, e.last*voice.FrameSamples, d.Speed, d.Surplus)
	return true
}

// conceal makes n samples up. The codec makes whole frames; what is over is
// heard when more is wanted.
func (e *Ear) conceal(n int) {
	e.concealed += n
	for n > 0 {
		if len(e.made) == 0 {
			if e.decoder.Conceal(&e.frame) != nil {
				e.stretch.Noise(n)
				return
			}
			e.made = e.frame[:]
		}
		k := min(n, len(e.made))
		e.stretch.Conceal(e.made[:k])
		e.made, n = e.made[k:], n-k
	}
}

// samples is how long n samples sound.
func samples(n int) time.Duration { return time.Duration(n) * time.Second / voice.SampleRate }

// Stats so far.
func (e *Ear) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := e.buffer.Stats()
	return Stats{
		Heard: samples(e.heard), Concealed: samples(e.concealed),
		Target: b.Target, Delay: b.Delay, Level: time.Duration(max(b.Level, 0)) * jitter.FrameTime,
		Skipped: b.Skipped, Late: b.Late, Refused: e.refused,
	}
}
