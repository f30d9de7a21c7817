package portaudio

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestSleepersLie wants the slack to have been there before the runtime's threads.
func TestSleepersLie(t *testing.T) {
	ns, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil || ns != 400_000 {
		t.Errorf("slack of %d ns, error %v", ns, err)
	}
}
