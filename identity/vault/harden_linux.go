package vault

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Harden keeps this process's memory to itself, from now on: no core dumps, and
// no other process of the same person may read it. A program calls it before
// it opens a vault. A process that is being traced from its start is left
// readable, as whoever traces it reads it anyway.
func Harden() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbidding core dumps: %w", err)
	}
	if status, err := os.ReadFile("/proc/self/status"); err == nil && !bytes.Contains(status, []byte("\nTracerPid:\t0\n")) {
		return nil
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("forbidding core dumps: %w", err)
	}
	return nil
}

func keepFromDumps(page []byte) { _ = unix.Madvise(page, unix.MADV_DONTDUMP) }
