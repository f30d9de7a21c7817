package portaudio

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/sottovoce/sotto/voice"
)

// shared is the memory that a device's process has in common with the call:
// sound, at the card's rate, and what callbacks tell. Nobody is woken by it.
// Times are of the machine's monotonic clock, which both have.
type shared struct {
	ring    voice.Ring
	calls   atomic.Uint64 // callbacks so far
	called  atomic.Int64  // when the last was; before the first, when the device was started
	zero    atomic.Int64  // when the first sample came, or was taken, counted back from the last
	largest atomic.Int64  // samples of a callback at most, since the call last looked

	taken   atomic.Uint64 // of the ring, by a loudspeaker, samples
	missing atomic.Int64  // that its callbacks wanted and the ring did not have, since the call last looked
}

// sharedFile is the number of the file that it is in the device's process.
const sharedFile = 3

const sharedSize = int(unsafe.Sizeof(shared{}))

// memoryFile makes memory that can be handed to another process.
func memoryFile() (*os.File, error) {
	f, err := unnamed()
	if err == nil {
		err = f.Truncate(int64(sharedSize))
	}
	if err != nil {
		f.Close() // if there is one
		return nil, fmt.Errorf("making memory for sound: %w", err)
	}
	return f, nil
}

// mapShared gives the memory that a file is. It stays until unmap is called.
func mapShared(f *os.File) (s *shared, unmap func(), err error) {
	memory, err := unix.Mmap(int(f.Fd()), 0, sharedSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("sharing memory with a process for sound: %w", err)
	}
	return (*shared)(unsafe.Pointer(&memory[0])), func() { _ = unix.Munmap(memory) }, nil
}

// lost reports whether the device has not called for too long.
func (s *shared) lost() bool {
	wait := lostAfter
	if s.calls.Load() < firstCalls {
		wait = firstTime
	}
	return monotonic()-time.Duration(s.called.Load()) > wait
}

// long is how long n samples sound at a rate.
func long(n uint64, rate int) time.Duration {
	return time.Duration(float64(n) / float64(rate) * float64(time.Second))
}
