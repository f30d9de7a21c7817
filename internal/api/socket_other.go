//go:build !linux

package api

import (
	"fmt"
	"net"
)

// samePeer: the socket's folder keeps others out.
func samePeer(*net.UnixConn) bool { return true }

func through(folder, name string, _ func(string) error) error {
	return fmt.Errorf("%s/%s is too long for a socket: take a shorter --home", folder, name)
}
