//go:build unix && !linux

package portaudio

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// unnamed makes a file without a name, which unlike on Linux the system may write
// to a disk.
func unnamed() (*os.File, error) {
	f, err := os.CreateTemp("", "sound")
	if err == nil {
		err = os.Remove(f.Name())
	}
	return f, err
}

// monotonic is the machine's monotonic clock, which here need not be time.Now's: that
// may stand still while the machine sleeps.
func monotonic() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // every kernel has it
	return time.Duration(t.Nano())
}

// when is the moment at which the monotonic clock shows t, which is near.
func when(t time.Duration) time.Time { return time.Now().Add(t - monotonic()) }
