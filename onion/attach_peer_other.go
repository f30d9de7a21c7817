//go:build !linux

package onion

import "net"

// checkPeer: who listens at a port is not asked here.
func checkPeer(net.Conn) error { return nil }
