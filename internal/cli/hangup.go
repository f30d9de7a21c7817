package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// outlive keeps what a window that closes does besides its first SIGHUP from
// ending this process before its calls are hung up: more of these come, from the
// terminal, its shell and what drew the window, and what still is written to a
// program that has ended with it would be fatal. end gives that up.
func outlive() (end func()) {
	nothing := make(chan os.Signal, 1) // a channel that is full is passed over
	signal.Notify(nothing, syscall.SIGHUP, syscall.SIGPIPE)
	return func() { signal.Stop(nothing) }
}
