package onion

import "syscall"

// dieWithParent has the kernel kill the program when the thread that forked it
// ends. Its own process group keeps a terminal's Ctrl-C away from it: a call
// hangs up first and stops tor after.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
