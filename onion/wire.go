package onion

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"path/filepath"
)

// Wire is how a Node and its tor reach each other: connections to tor's control
// and SOCKS sockets, and sockets on which tor brings callers. Networks are
// "unix" and "tcp". The one of package oniontest is all in memory.
type Wire interface {
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	Listen(network, address string) (net.Listener, error)
}

// sockets is the operating system's Wire.
type sockets struct{ net.Dialer }

func (s sockets) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return s.DialContext(ctx, network, address)
}

func (sockets) Listen(network, address string) (net.Listener, error) {
	return net.Listen(network, address)
}

// reachSocks connects to tor's SOCKS socket.
func (n *Node) reachSocks(ctx context.Context) (net.Conn, error) {
	n.mu.Lock()
	at, link := place{"unix", n.layout.socks()}, n.link
	n.mu.Unlock()
	if n.cfg.Running.Control == "" {
		return n.cfg.Wire.Dial(ctx, at.network, at.address)
	}
	if link == nil {
		return nil, errLinkClosed
	}
	at = link.running.socks
	conn, err := n.cfg.Wire.Dial(ctx, at.network, at.address)
	if err != nil {
		return nil, err
	}
	if err := checkPeer(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// listenForTor opens a socket on which tor can bring one service's callers.
func (n *Node) listenForTor() (net.Listener, error) {
	if n.cfg.Running.Control != "" {
		return n.listenOnPort()
	}
	return n.cfg.Wire.Listen("unix", filepath.Join(n.layout.sockets, rand.Text()))
}

// targetOf is how ADD_ONION names such a socket.
func (n *Node) targetOf(socket net.Listener) string {
	if n.cfg.Running.Control != "" {
		return n.cfg.Running.portTarget(socket.Addr())
	}
	return fmt.Sprintf("unix:%s", socket.Addr())
}
