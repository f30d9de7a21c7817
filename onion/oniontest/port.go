package oniontest

import (
	"fmt"
	"net"
	"sync"
	"syscall"
)

// port is where a Node takes its callers from its tor.
type port struct {
	tor     *Tor
	address string
	calls   chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

// backlog is how many callers wait for Accept.
const backlog = 16

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

// Listen opens a port for the tor to bring callers to.
func (t *Tor) Listen(network, at string) (net.Listener, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, taken := t.ports[at]; taken {
		return nil, fmt.Errorf("listen %s %s: %w", network, at, syscall.EADDRINUSE)
	}
	p := &port{tor: t, address: at, calls: make(chan net.Conn, backlog), closed: make(chan struct{})}
	t.ports[at] = p
	return p, nil
}

func (p *port) Accept() (net.Conn, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *port) Close() error {
	p.once.Do(func() {
		close(p.closed)
		p.tor.mu.Lock()
		defer p.tor.mu.Unlock()
		delete(p.tor.ports, p.address)
		for {
			select {
			case c := <-p.calls:
				c.Close()
			default:
				return
			}
		}
	})
	return nil
}

func (p *port) Addr() net.Addr { return address(p.address) }
