//go:build unix && !linux

package portaudio

import (
	"errors"
	"fmt"
	"os"
)

// memoryFile makes memory that can be handed to another process: a file without a
// name. Unlike on Linux the system may write it to a disk.
func memoryFile() (*os.File, error) {
	f, err := os.CreateTemp("", "sound")
	if err != nil {
		return nil, fmt.Errorf("making memory for sound: %w", err)
	}
	if err := errors.Join(os.Remove(f.Name()), f.Truncate(int64(sharedSize))); err != nil {
		f.Close()
		return nil, fmt.Errorf("making memory for sound: %w", err)
	}
	return f, nil
}
