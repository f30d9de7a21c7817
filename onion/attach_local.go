package onion

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// findSocks asks for the SOCKS socket, and otherwise takes it to be where it
// usually is.
func (l *link) findSocks(control place) (place, error) {
	host := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	beside := map[uint16]uint16{9151: 9150}
	at, err := netip.ParseAddrPort(control.address)
	if err == nil {
		host = at.Addr()
	}
	r, err := l.ask("GETINFO net/listeners/socks")
	switch {
	case err == nil && len(r.Data) > 0:
		_, listeners, _ := strings.Cut(r.Data[0], "=")
		for _, listener := range fields(listeners) {
			if socks, ok := believe(listener, host); ok {
				return socks, nil
			}
		}
	case err != nil && refusalOf(err) == nil:
		return place{}, err
	}
	if path := os.Getenv("TOR_SOCKS_IPC_PATH"); path != "" {
		return place{"unix", path}, nil
	}
	if port := os.Getenv("TOR_SOCKS_PORT"); port != "" {
		if name := os.Getenv("TOR_SOCKS_HOST"); name != "" {
			return parsePlace(net.JoinHostPort(name, port))
		}
		return parsePlace(net.JoinHostPort(host.String(), port))
	}
	port, ok := beside[at.Port()]
	if !ok {
		port = 9050
	}
	return place{"tcp", netip.AddrPortFrom(host, port).String()}, nil
}

// believe takes a listener that tor names if it can be reached from here: one
// on the loopback of another machine cannot.
func believe(listener string, host netip.Addr) (place, bool) {
	p, err := parsePlace(listener)
	if at, bad := netip.ParseAddrPort(listener); bad == nil && at.Addr().IsUnspecified() {
		return place{"tcp", netip.AddrPortFrom(host, at.Port()).String()}, true
	} else if err != nil || p.network == "unix" && !host.IsLoopback() {
		return place{}, false
	} else if bad == nil && at.Addr().IsLoopback() && !host.IsLoopback() {
		return place{}, false
	}
	if p.network == "unix" {
		if f, err := os.Stat(p.address); err != nil || f.Mode()&os.ModeSocket == 0 {
			return place{}, false
		}
	}
	return p, true
}

// listenOnPort opens a port at which a running tor brings callers. It runs as
// another user, who cannot reach a unix socket in our own folder.
func (n *Node) listenOnPort() (net.Listener, error) {
	n.mu.Lock()
	link := n.link
	n.mu.Unlock()
	host := "127.0.0.1"
	switch {
	case n.cfg.Running.Listen != "":
		host = n.cfg.Running.Listen
	case link != nil && link.running.local.IsValid():
		host = link.running.local.String()
	}
	for port := firstPort; ; port++ {
		l, err := n.cfg.Wire.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err == nil {
			return l, nil
		}
		if port == lastPort {
			return nil, fmt.Errorf("no port from %d to %d can be had at %s for tor to bring callers to: %w", firstPort, lastPort, host, err)
		}
	}
}

// portTarget is how ADD_ONION names such a port.
func (r Running) portTarget(socket net.Addr) string {
	at, err := netip.ParseAddrPort(socket.String())
	if err != nil {
		return socket.String()
	}
	host := at.Addr().Unmap()
	if r.Target != "" {
		host = netip.MustParseAddr(r.Target) // checked by New
	} else if host.IsUnspecified() {
		host = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.AddrPortFrom(host, at.Port()).String()
}
