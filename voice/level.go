package voice

import (
	"math"
	"sync/atomic"
)

// Level is a meter. It rises at once and falls [levelFall] dB a second. One
// goroutine adds sound, any may look; neither waits nor allocates. The zero
// value shows [Quiet].
type Level struct {
	rms, peak atomic.Uint32 // linear, bits of a float32
}

const (
	// Quiet is the bottom of the meter, dBFS.
	Quiet = -96.0

	levelFall = 24.0 // dB/s
)

// Add takes sound into account, one frame or pull at a time.
func (l *Level) Add(sound []float32) {
	if len(sound) == 0 {
		return
	}
	var sum, peak float32
	for _, s := range sound {
		sum += s * s
		if s < 0 {
			s = -s
		}
		if s > peak { // max, which minds NaN, takes ten times as long
			peak = s
		}
	}
	rms := float32(math.Sqrt(float64(sum) / float64(len(sound))))
	left := float32(math.Pow(10, -levelFall/20*float64(len(sound))/SampleRate))
	follow(&l.rms, rms, left)
	follow(&l.peak, peak, left)
}

// follow keeps now, or what is left of the level before.
func follow(held *atomic.Uint32, now, left float32) {
	if now != now { // a NaN would stay for ever
		return
	}
	before := math.Float32frombits(held.Load())
	held.Store(math.Float32bits(max(now, before*left)))
}

// RMS is the root mean square in dBFS: 0 for a square wave of full scale, -3
// for a sine.
func (l *Level) RMS() float64 { return decibels(&l.rms) }

// Peak is the largest sample in dBFS: 0 when it clips.
func (l *Level) Peak() float64 { return decibels(&l.peak) }

func decibels(held *atomic.Uint32) float64 {
	return max(Quiet, 20*math.Log10(float64(math.Float32frombits(held.Load()))))
}
