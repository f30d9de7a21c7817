package api

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// samePeer says whether the other end belongs to this user.
func samePeer(conn *net.UnixConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	same := false
	err = raw.Control(func(fd uintptr) {
		who, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		same = err == nil && int(who.Uid) == os.Geteuid()
	})
	return err == nil && same
}

// through names a file by its folder's open descriptor, which is short.
func through(folder, name string, use func(string) error) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	return use(fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), name))
}
