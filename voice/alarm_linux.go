package voice

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// NewAlarm is an alarm by a timer of the kernel's, which is 0.04 ms late in the mean.
// Where the kernel has none it is [NewTimer]'s.
//
// The runtime waits in whole milliseconds, and sets off a second thread for each
// timer and for each first system call after a rest, to watch it. So its timers take
// 52 µs of the processor each; this, whose calls it does not notice, 22. But while
// there is more to do than it has processors for, the runtime looks at its timers
// each time and at files now and then, and who waits for one comes last: up to 0.2 s
// later. So where this was late, the runtime's timer alone wakes for a while, each
// time for longer.
func NewAlarm() Alarm {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return NewTimer()
	}
	a := &alarm{fd: uintptr(fd), file: os.NewFile(uintptr(fd), "timer"), wary: -1, next: waryLong}
	a.read = a.rang
	a.conn, err = a.file.SyscallConn()
	if err != nil || a.file.SetReadDeadline(time.Time{}) != nil { // it cannot be waited for
		a.file.Close()
		return NewTimer()
	}
	return a
}

const (
	tooLate     = 10 * time.Millisecond // less is the machine's doing, and would be so with any timer
	waryLong    = 250                   // waits, some seconds, at first
	waryLongest = 16 * waryLong
)

type alarm struct {
	fd   uintptr
	file *os.File
	conn syscall.RawConn
	read func(uintptr) bool // rang
	rung [8]byte            // how often
	wary int                // waits for which a timer of the runtime's wakes in its place; below 0: there is none
	next int                // how many it is to be when this is late again: twice as many, less one for each wait that it was not
}

func (a *alarm) Wait(until time.Time) {
	d := time.Until(until)
	if d <= 0 {
		return
	}
	var at unix.ItimerSpec // zero: it does not ring
	ours := a.wary <= 0
	if ours {
		at.Value = unix.NsecToTimespec(int64(d))
	}
	if _, _, failed := unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, a.fd, 0, uintptr(unsafe.Pointer(&at)), 0, 0, 0); failed != 0 {
		time.Sleep(d)
		return
	}
	switch { // it can have deadlines: see NewAlarm
	case a.wary > 0:
		_ = a.file.SetReadDeadline(until)
		a.wary--
	case a.wary == 0:
		_ = a.file.SetReadDeadline(time.Time{})
		a.wary--
	}
	err := a.conn.Read(a.read)
	switch late := time.Since(until); {
	case late < 0 && err != nil:
		time.Sleep(-late)
	case ours && late > tooLate:
		a.wary, a.next = a.next, min(2*a.next, waryLongest)
	case ours:
		a.next = max(waryLong, a.next-1)
	}
}

// rang reports whether the time is up.
func (a *alarm) rang(fd uintptr) bool {
	n, _, _ := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&a.rung)), unsafe.Sizeof(a.rung))
	return n == unsafe.Sizeof(a.rung)
}

func (a *alarm) Close() { a.file.Close() }
