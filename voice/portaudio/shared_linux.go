package portaudio

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// unnamed makes a file that is on no disk.
func unnamed() (*os.File, error) {
	fd, err := unix.MemfdCreate("sound", unix.MFD_CLOEXEC)
	return os.NewFile(uintptr(fd), "sound"), err
}

// monotonic is the machine's monotonic clock, which is time.Now's as well.
func monotonic() time.Duration { return sinceBoot + time.Since(begin) }

// begin is a moment, and sinceBoot what the machine's monotonic clock showed then:
// the runtime reads it without a system call. Of five tries the one in which the
// least came between counts.
var begin, sinceBoot = func() (begin time.Time, sinceBoot time.Duration) {
	var t unix.Timespec
	for best, n := time.Hour, 0; n < 5; n++ {
		now := time.Now()
		_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // every kernel has it
		if between := time.Since(now); between < best {
			best, begin, sinceBoot = between, now, time.Duration(t.Nano())
		}
	}
	return begin, sinceBoot
}()

// when is the moment at which the monotonic clock shows t.
func when(t time.Duration) time.Time { return begin.Add(t - sinceBoot) }
