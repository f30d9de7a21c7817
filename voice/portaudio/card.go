package portaudio

// #cgo pkg-config: portaudio-2.0
// #cgo CFLAGS: -O2 -Wall -Wextra
// #include <stdlib.h>
// #include "card.h"
import "C"

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	pa "github.com/gordonklaus/portaudio"

	"github.com/sottovoce/sotto/voice"
)

// card is an open device, in its process. Its callbacks are C: called from the
// card's own thread, Go would have to wake its scheduler and the thread that
// watches it each time, twice the work of the callback and all that PortAudio
// and JACK do, and might wait there. The binding knows callbacks in Go only.
type card struct {
	*shared
	device         Device
	input          bool
	rate, channels int
	c              *C.struct_card // nil: not open
}

// Go and C mean the same memory.
var (
	_ [C.RING_SIZE]byte                                = [voice.RingSize]byte{}
	_ [unsafe.Offsetof(C.struct_shared{}.calls)]byte   = [unsafe.Offsetof(shared{}.calls)]byte{}
	_ [unsafe.Offsetof(C.struct_shared{}.called)]byte  = [unsafe.Offsetof(shared{}.called)]byte{}
	_ [unsafe.Offsetof(C.struct_shared{}.zero)]byte    = [unsafe.Offsetof(shared{}.zero)]byte{}
	_ [unsafe.Offsetof(C.struct_shared{}.largest)]byte = [unsafe.Offsetof(shared{}.largest)]byte{}
	_ [unsafe.Offsetof(C.struct_shared{}.taken)]byte   = [unsafe.Offsetof(shared{}.taken)]byte{}
	_ [unsafe.Offsetof(C.struct_shared{}.missing)]byte = [unsafe.Offsetof(shared{}.missing)]byte{}
	_ [C.sizeof_struct_shared]byte                     = [sharedSize]byte{}
)

// open opens the device in the first form that it takes, 48 kHz and mono being
// the best: some cards know a single rate, some nothing but stereo. As little delay
// is asked for as the device can give, but not less than latency, and buffers of
// the size it likes best.
func (c *card) open(latency time.Duration) error {
	low, input := c.device.info.DefaultLowOutputLatency, C.int(0)
	if c.input {
		low, input = c.device.info.DefaultLowInputLatency, 1
	}
	c.c = (*C.struct_card)(C.calloc(1, C.sizeof_struct_card))
	c.c.shared = (*C.struct_shared)(unsafe.Pointer(c.shared))
	var code C.PaError
	for _, rate := range []int{voice.SampleRate, int(c.device.info.DefaultSampleRate)} {
		for _, channels := range []int{1, 2} {
			c.rate, c.channels = rate, channels
			c.c.rate, c.c.channels = C.int(rate), C.int(channels)
			code = C.card_open(c.c, C.int(c.device.Number), input, C.double(max(latency, low).Seconds()))
			if code == C.paNoError {
				return nil
			}
		}
	}
	return fmt.Errorf("opening %v: %w", c.device, failure(code))
}

// start lets the callbacks begin.
func (c *card) start() error {
	if code := C.Pa_StartStream(c.c.stream); code != C.paNoError {
		return fmt.Errorf("starting %v: %w", c.device, failure(code))
	}
	return nil
}

// latency is how long sound takes between the callback and the air, by the
// device's own account.
func (c *card) latency() time.Duration {
	info := C.Pa_GetStreamInfo(c.c.stream)
	if info == nil {
		return 0
	}
	t := info.outputLatency
	if c.input {
		t = info.inputLatency
	}
	return time.Duration(float64(t) * float64(time.Second))
}

// close ends the callbacks. The library may hang.
func (c *card) close() error {
	return errors.Join(failure(C.Pa_AbortStream(c.c.stream)), failure(C.Pa_CloseStream(c.c.stream)))
}

// failure is what PortAudio says of a code.
func failure(code C.PaError) error {
	switch code {
	case C.paNoError:
		return nil
	case C.paUnanticipatedHostError:
		return errors.New(C.GoString(C.Pa_GetLastHostErrorInfo().errorText))
	}
	return pa.Error(code)
}

// heard and played are what the callbacks do, for the tests: C is not to be called
// from them.
func (c *card) heard(in []float32) {
	C.heard((*C.struct_shared)(unsafe.Pointer(c.shared)), (*C.float)(&in[0]), C.uint64_t(len(in)/c.channels), C.int(c.channels), C.int(c.rate))
}

func (c *card) played(out []float32) {
	C.played((*C.struct_shared)(unsafe.Pointer(c.shared)), (*C.float)(&out[0]), C.uint64_t(len(out)/c.channels), C.int(c.channels), C.int(c.rate))
}
