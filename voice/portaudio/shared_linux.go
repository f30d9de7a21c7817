package portaudio

import (
	"os"

	"golang.org/x/sys/unix"
)

// unnamed makes a file that is on no disk.
func unnamed() (*os.File, error) {
	fd, err := unix.MemfdCreate("sound", unix.MFD_CLOEXEC)
	return os.NewFile(uintptr(fd), "sound"), err
}
