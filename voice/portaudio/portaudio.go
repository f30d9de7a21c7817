// Package portaudio is the sound card: it lists devices, and makes a
// [voice.Source] of a microphone and a [voice.Sink] of a loudspeaker.
//
//	this process                       │  a process of its own for each device
//	Source.Read ◀── voice.Bridge ◀── pipe ◀── voice.Ring ◀── callback   microphone
//	pull, asked for n samples  ◀──── pipe ◀── how much has been taken
//	                           ────▶ pipe ──▶ voice.Ring ──▶ callback   loudspeaker
//
// A callback, in the card's own thread, copies to or from a lock-free ring and
// rings a bell; all else is done by others. What the card takes is what makes the
// loudspeaker's process ask for more, so that playout runs on the card's clock
// and no other; asked is for what the card takes at once, and never less than 10
// ms, so that as long stays to answer in. Every device is opened at 48 kHz, if it
// can; one that refuses (JACK knows a single rate, bare ALSA cards often as well)
// is opened at its own rate and resampled in its process.
//
// Why processes: PortAudio lists devices once, when it starts, so what is plugged
// in later is not there; when a sound server dies, stopping a stream of it hangs
// for ever, and now and then libjack or libpulse ends the whole program; and they
// and ALSA write to file 2, which would wreck a terminal's screen. Here that
// process is killed and another begun: every second, with the device that was
// asked for and then with the default one, until there is sound again. Meanwhile
// a Source has nothing, and a Sink pulls by the monotonic clock for nobody. A
// device that has not called for a second is taken for lost, since PortAudio
// tells nobody when one goes away.
//
// A program that uses this package calls [Main] first of all.
//
// This package uses cgo (PortAudio by way of github.com/gordonklaus/portaudio).
package portaudio

import (
	"errors"
	"time"
)

// ErrNoDevice says that there is no device as asked for. The error names those
// that there are.
var ErrNoDevice = errors.New("no such sound device")

// ErrLost says that a device has stopped giving or taking sound.
var ErrLost = errors.New("the sound device has gone")

const (
	lostAfter  = time.Second      // without a callback
	retryEvery = time.Second      // while a device is lost
	startTime  = 10 * time.Second // for a process to open its device: sound servers may be started by it
	firstTime  = 4 * time.Second  // without a callback among the first ones: PulseAudio can take two seconds
	firstCalls = 10
	stopTime   = time.Second           // for one to close it
	latency    = 20 * time.Millisecond // asked of a device, if it can be so quick
)
