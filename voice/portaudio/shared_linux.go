package portaudio

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// memoryFile makes memory that can be handed to another process: a file that is on
// no disk.
func memoryFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("sound", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making memory for sound: %w", err)
	}
	f := os.NewFile(uintptr(fd), "sound")
	if err := f.Truncate(int64(sharedSize)); err != nil {
		f.Close()
		return nil, fmt.Errorf("making memory for sound: %w", err)
	}
	return f, nil
}
