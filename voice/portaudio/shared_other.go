//go:build unix && !linux

package portaudio

import "os"

// unnamed makes a file without a name, which unlike on Linux the system may write
// to a disk.
func unnamed() (*os.File, error) {
	f, err := os.CreateTemp("", "sound")
	if err == nil {
		err = os.Remove(f.Name())
	}
	return f, err
}
