package onion

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// checkPeer refuses a socket of this machine behind which another person's
// program waits: any user can open port 9051, and would be given our key. Root,
// system accounts and whoever we are may.
func checkPeer(conn net.Conn) error {
	uid, err := peerUser(conn)
	if err != nil {
		return err
	}
	return trustedPeer(uid)
}

func trustedPeer(uid int) error {
	switch {
	case uid < 0, uid == 0, uid == os.Geteuid(), uid < firstPerson, uid >= firstDynamic && uid <= lastDynamic:
		return nil
	}
	return fmt.Errorf("the program that listens there runs as user %d, who is neither you nor root nor a system account: it could be a trap", uid)
}

const (
	firstPerson               = 1000         // Debian Policy 9.2.2: below it, accounts of the system
	firstDynamic, lastDynamic = 61184, 65519 // systemd's DynamicUser
	nobody                    = 65534        // also: a user of another namespace
)

// peerUser is the user behind the other end, -1 if that cannot be known.
func peerUser(conn net.Conn) (int, error) {
	switch c := conn.(type) {
	case *net.UnixConn:
		raw, err := c.SyscallConn()
		if err != nil {
			return -1, err
		}
		var cred *syscall.Ucred
		var bad error
		err = raw.Control(func(fd uintptr) {
			cred, bad = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
		})
		if err = errors.Join(err, bad); err != nil {
			return -1, fmt.Errorf("who listens there: %w", err)
		}
		if cred.Uid == nobody {
			return -1, nil
		}
		return int(cred.Uid), nil
	case *net.TCPConn:
		at, err := netip.ParseAddrPort(c.RemoteAddr().String())
		if err != nil || !at.Addr().Unmap().IsLoopback() {
			return -1, nil
		}
		return listener(at.Port()), nil
	}
	return -1, nil
}

// listener is the user who listens on a loopback port. When several do, on
// different addresses, it is the one who is trusted least.
func listener(port uint16) int {
	user := -1
	for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		user = max(user, listenerIn(f, port))
		f.Close()
	}
	return user
}

// listenerIn reads the kernel's table of sockets, one a line:
//
//	sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid …
//	0: 0100007F:235B 00000000:0000 0A 00000000:00000000 00:00000000 00000000 105 …
func listenerIn(table io.Reader, port uint16) int {
	const listening = "0A"
	user := -1
	want := fmt.Sprintf(":%04X", port)
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		w := strings.Fields(lines.Text())
		if len(w) < 8 || w[3] != listening || !strings.HasSuffix(w[1], want) {
			continue
		}
		if uid, err := strconv.Atoi(w[7]); err == nil && uid != nobody {
			user = max(user, uid)
		}
	}
	return user
}
