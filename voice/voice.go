// Package voice is sound: frames, where they come from and where they go.
//
// One unit holds throughout the program: the [Frame], 20 ms of sound, 960
// samples at 48 kHz, one channel, 32-bit floating point, full scale ±1.
//
//	microphone, file, tone ── Source ──▶ Frame ──▶ call ──▶ Frame ──▶ Sink ── speaker, file
//
// Two clocks meet here. A [Source] is asked on the wire's clock and never
// blocks. A [Sink] owns the ear's clock: it pulls whenever its device wants sound.
//
// Codec, sound card and cleaning live in leaf packages below (opus, portaudio, clean),
// which alone use cgo; this package is plain Go.
package voice

import (
	"context"
	"time"
)

// The unit of sound.
const (
	SampleRate   = 48000
	FrameSamples = 960 // samples in a Frame
	FrameTime    = 20 * time.Millisecond
)

// PullTime is how much a [Sink] pulls at a time, unless its device wants it
// otherwise: what comes after a pull is late for all of it.
const (
	PullTime    = 10 * time.Millisecond
	PullSamples = FrameSamples / 2
)

// Frame is 20 ms of sound: 48 kHz, mono, full scale ±1.
type Frame [FrameSamples]float32

// Source gives captured sound.
type Source interface {
	// Read fills f with the next whole frame and reports true, or reports
	// false when none is whole yet. It never blocks and never allocates. An
	// error (a lost device, the end of a file is not one) is given once; the
	// call goes on in silence.
	Read(f *Frame) (bool, error)
}

// Sink plays sound.
type Sink interface {
	// Run calls pull for all that it is about to play, as shortly before as it
	// can, on the device's own clock, until ctx ends (then it returns nil) or the
	// device fails. What is played without a pause is pulled at once, however
	// much it is, not in several calls. pull fills out; it never waits for I/O
	// and never allocates.
	Run(ctx context.Context, pull func(out []float32)) error
}
