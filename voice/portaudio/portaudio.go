// Package portaudio is the sound card: it lists devices, and makes a
// [voice.Source] of a microphone and a [voice.Sink] of a loudspeaker.
//
//	this process                             │  a process of its own for each device
//	Source.Read ◀── voice.Bridge ◀── read ── │ ── voice.Ring ◀── callback   microphone
//	pull ── when it is about to be taken ──▶ │ ── voice.Ring ──▶ callback   loudspeaker
//	                                memory that both have
//
// A callback, in the card's own thread, copies to or from a lock-free ring and notes
// how much had come or been taken, and when; it wakes nobody. A microphone is read
// when a frame is due. A loudspeaker is given what it will take shortly before it
// does (see feed), so that playout runs on the card's clock and no other. Every
// device is opened at 48 kHz, if it can; one that refuses (JACK knows a single rate,
// bare ALSA cards often as well) is opened at its own rate and resampled here.
//
// Why processes: PortAudio lists devices once, when it starts, so what is plugged
// in later is not there; when a sound server dies, stopping a stream of it hangs
// for ever, and now and then libjack or libpulse ends the whole program; and they
// and ALSA write to file 2, which would wreck a terminal's screen. Here that
// process is killed and another begun: every second, with the device that was
// asked for and then with the default one, until there is sound again. Meanwhile
// a Source has nothing, and a Sink pulls by the monotonic clock for nobody. A
// device that has not called for 0.4 s is taken for lost, since PortAudio
// tells nobody when one goes away; and by way of PulseAudio it sticks for a second
// or for good when a busy machine was some 50 ms late. It is then opened with more
// delay.
//
// A program that uses this package calls [Main] first of all.
//
// This package uses cgo: PortAudio by way of github.com/gordonklaus/portaudio, and the
// callbacks (card.c).
package portaudio

import (
	"errors"
	"time"
)

// ErrNoDevice says that there is no device as asked for. The error names those
// that there are.
var ErrNoDevice = errors.New("no such sound device")

const (
	lostAfter  = 400 * time.Millisecond // without a callback
	standsFor  = 100 * time.Millisecond // without one, after which nobody takes what is played
	lookEvery  = 5 * time.Second        // for a device that another stands in for
	retryEvery = time.Second            // while a device is lost
	startTime  = 10 * time.Second       // for a process to open its device: sound servers may be started by it
	firstTime  = 4 * time.Second        // without a callback among the first ones: PulseAudio can take two seconds
	firstCalls = 10
	stopTime   = time.Second           // for one to close it
	latency    = 20 * time.Millisecond // asked of a device, if it can be so quick,
	mostAsked  = 80 * time.Millisecond // and of one that has stood still, twice as much each time, up to this
)
