package tornet

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// New connections are looked for this often, at first and later.
const (
	hurryFirst = time.Second / 2
	hurryLater = 3 * time.Second
	hurryLong  = 30 // of the first
)

// hurry keeps Nagle's algorithm off all connections to the given ports until ctx
// ends. tor leaves it on: a cell waits until the one before it is acknowledged,
// which takes up to 40 ms where nothing goes the other way. Relays of the real
// network have always something to send, while here a call is alone: what would be
// measured is mostly that. A socket of another process is had by pidfd_getfd, which
// takes a process that may be debugged; where the kernel refuses, all stays as it is.
func hurry(ctx context.Context, ports map[int]bool) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	tors, sockets := map[string]bool{}, map[string]bool{}
	for looks := 0; ; looks++ {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		tors = allTors(tors)
		sockets = hurryTors(tors, sockets, ports)
		timer.Reset(hurryFirst)
		if looks > hurryLong {
			timer.Reset(hurryLater)
		}
	}
}

// allTors lists the processes that are tors. Those known are not asked.
func allTors(known map[string]bool) map[string]bool {
	seen := map[string]bool{}
	processes, _ := os.ReadDir("/proc")
	for _, p := range processes {
		if _, err := strconv.Atoi(p.Name()); err != nil {
			continue
		}
		if !known[p.Name()] {
			comm, _ := os.ReadFile(filepath.Join("/proc", p.Name(), "comm"))
			if string(comm) != "tor\n" {
				continue
			}
		}
		seen[p.Name()] = true
	}
	return seen
}

// hurryTors looks at the sockets of all tors but those known, and returns all.
func hurryTors(tors, known map[string]bool, ports map[int]bool) map[string]bool {
	seen := map[string]bool{}
	for process := range tors {
		dir := filepath.Join("/proc", process, "fd")
		files, _ := os.ReadDir(dir)
		for _, file := range files {
			target, _ := os.Readlink(filepath.Join(dir, file.Name()))
			if !strings.HasPrefix(target, "socket:") {
				continue
			}
			if seen[target] = true; !known[target] {
				hurrySocket(process, file.Name(), ports)
			}
		}
	}
	return seen
}

func hurrySocket(process, file string, ports map[int]bool) {
	pid, _ := strconv.Atoi(process)
	fd, _ := strconv.Atoi(file)
	p, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(p)
	s, err := unix.PidfdGetfd(p, fd, 0)
	if err != nil {
		return
	}
	defer unix.Close(s)
	port := func(a unix.Sockaddr, err error) int {
		if in, ok := a.(*unix.SockaddrInet4); ok && err == nil && in.Addr == [4]byte{127, 0, 0, 1} {
			return in.Port
		}
		return 0 // no port of ours
	}
	// What a listener accepts has its options.
	if ports[port(unix.Getsockname(s))] || ports[port(unix.Getpeername(s))] {
		_ = unix.SetsockoptInt(s, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
}
