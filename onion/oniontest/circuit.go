package oniontest

import (
	"net"
	"sync"
	"time"
)

const (
	cell   = 498 // bytes of a stream in one cell
	window = 512 // cells on their way in one direction of a stream; then writing blocks
)

// Circuit is a way from a caller's tor to a service's.
type Circuit struct {
	net      *Network
	from, to *Tor
	name     string // the caller's isolation and the address

	mu      sync.Mutex
	until   time.Time // nothing arrives before
	streams int
	ends    []net.Conn
	closed  bool
}

// Stall lets nothing through for d, in either direction.
func (c *Circuit) Stall(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = time.Now().Add(d)
}

// Close loses the circuit: its streams end at both sides.
func (c *Circuit) Close() {
	c.mu.Lock()
	ends := c.ends
	c.ends, c.closed = nil, true
	c.mu.Unlock()
	c.net.mu.Lock()
	delete(c.net.circuits, c)
	c.net.mu.Unlock()
	c.from.mu.Lock()
	if c.from.circuits[c.name] == c {
		delete(c.from.circuits, c.name)
	}
	c.from.mu.Unlock()
	for _, end := range ends {
		end.Close()
	}
}

// join carries a stream between two connections until one of them ends.
func (c *Circuit) join(a, b net.Conn) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		a.Close()
		b.Close()
		return
	}
	c.ends = append(c.ends, a, b)
	c.streams++
	c.mu.Unlock()
	var ways sync.WaitGroup
	ways.Add(2)
	c.carry(a, b, &ways)
	c.carry(b, a, &ways)
	c.net.work.Go(func() {
		ways.Wait()
		c.mu.Lock()
		c.streams--
		last := c.streams == 0
		c.mu.Unlock()
		if last {
			c.Close()
		}
	})
}

type piece struct {
	due  time.Time
	data []byte // none: the end
}

// carry takes what one end says to the other, late.
func (c *Circuit) carry(from, to net.Conn, ways *sync.WaitGroup) {
	way := make(chan piece, window)
	c.net.work.Go(func() {
		defer close(way)
		for {
			b := make([]byte, cell)
			n, err := from.Read(b)
			c.net.mu.Lock()
			due := time.Now().Add(c.net.delay)
			c.net.mu.Unlock()
			way <- piece{due, b[:n]}
			if err != nil {
				return
			}
		}
	})
	c.net.work.Go(func() {
		defer ways.Done()
		broken := false
		for p := range way {
			if broken || !c.net.wait(time.Until(c.arrival(p.due))) {
				continue // whoever sends must not wait for room
			}
			if len(p.data) == 0 {
				continue
			}
			if _, err := to.Write(p.data); err != nil {
				broken = true
				from.Close()
			}
		}
		to.Close()
	})
}

// arrival is when something due then comes out.
func (c *Circuit) arrival(due time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until.After(due) {
		return c.until
	}
	return due
}
