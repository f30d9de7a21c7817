// Package oniontest is an onion network in memory, with tors that speak the
// control protocol and SOCKS5, so that what is built on package onion can be
// tested in milliseconds, inside of testing/synctest, with no socket and no tor:
//
//	net := oniontest.New()
//	defer net.Close()
//	tor := net.Tor(oniontest.Script{})
//	node, err := onion.New(onion.Config{Dir: dir, Wire: tor,
//		Running: onion.Running{Control: oniontest.Control}})
//
// A [Tor] is a running tor that an onion.Node attaches to; it is also the Node's
// onion.Wire. All tors of a [Network] reach each other's services:
//
//	Node ── control ──► Tor ─┐                 ┌─ Tor ◄── control ── Node
//	Dial ── SOCKS5 ───► Tor ─┴─ Circuit, late ─┴─ Tor ──► port ────► Accept
//
// What can go wrong on the way is up to the test: a [Script] refuses commands,
// keeps events back, is slow or talks nonsense; [Tor.Say] says anything unasked;
// [Tor.Cut], [Tor.Hang], [Tor.Swallow] and [Tor.Kill] break what is there; [Network.Delay],
// [Circuit.Stall] and [Circuit.Close] break the way between.
//
// What it is not: a model of Tor. A circuit keeps order and delays; there are no
// cells, windows, relays or descriptors beyond "uploaded" and "gone". For the
// real thing there is package tornet.
//
// Sources: control-spec (ADD_ONION, HS_DESC, ONION_CLIENT_AUTH_ADD, AUTHCHALLENGE,
// asynchronous events), RFC 1928, socks-extensions.
package oniontest

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// Where every tor of this package has its sockets.
const (
	Control = "127.0.0.1:9051"
	Socks   = "127.0.0.1:9050"
)

// Network is an onion network. Its methods may be called from any goroutine.
type Network struct {
	work sync.WaitGroup
	done chan struct{}

	mu       sync.Mutex
	delay    time.Duration
	services map[string]*service // by address without ".onion"; stays when it is gone
	circuits map[*Circuit]struct{}
	tors     []*Tor
}

// New is a network without delay. [Network.Close] must end it.
func New() *Network {
	return &Network{done: make(chan struct{}), services: map[string]*service{}, circuits: map[*Circuit]struct{}{}}
}

// Delay has every circuit take d from end to end, each way, from now on.
func (n *Network) Delay(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.delay = d
}

// Circuits lists those that streams are on.
func (n *Network) Circuits() []*Circuit {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []*Circuit
	for c := range n.circuits {
		all = append(all, c)
	}
	return all
}

// Close kills all tors and waits until nothing of the network runs.
func (n *Network) Close() {
	close(n.done)
	n.mu.Lock()
	tors := n.tors
	n.mu.Unlock()
	for _, t := range tors {
		t.Kill()
	}
	n.work.Wait()
}

// wait is a pause that the network's end cuts short.
func (n *Network) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	select {
	case <-n.done:
		return false
	case <-time.After(d):
		return true
	}
}

// Script says how a tor behaves. Its zero value behaves well.
type Script struct {
	Version            string   // "": 0.4.9.11
	Auth               []string // offered: NULL, SAFECOOKIE, COOKIE, HASHEDPASSWORD; nil: NULL
	CookieFile         string   // where the cookie is said to be
	Cookie             []byte   // what it is, 32 bytes
	Password           string
	Phase              string        // of GETINFO status/bootstrap-phase; "": done
	Upload             time.Duration // from ADD_ONION to the upload of a descriptor
	Answer             time.Duration // to each command
	Extended           bool          // SOCKS replies for onion services are tor's own, as with ExtendedErrors
	NoDescriptorEvents bool          // HS_DESC can be subscribed to and never comes
	// Reply may answer a command before the tor does: its lines, each with its
	// end, and true. "" and true is no answer at all.
	Reply func(command string) (lines string, answered bool)
}

// Tor is a tor on the network, and the Wire of the Node that uses it.
type Tor struct {
	net    *Network
	script Script

	mu       sync.Mutex
	down     bool
	hung     chan struct{} // closed when it goes on; nil: it does
	sessions map[*session]struct{}
	ports    map[string]*port  // where the Node listens
	keys     map[string][]byte // for closed services, by address: our private key
	circuits map[string]*Circuit
	asking   map[net.Conn]struct{} // on the SOCKS socket, not a stream yet
	swallow  int                   // how many of those to come get no answer
	commands []string
}

// Tor starts a tor.
func (n *Network) Tor(s Script) *Tor {
	if s.Version == "" {
		s.Version = "0.4.9.11"
	}
	if s.Auth == nil {
		s.Auth = []string{"NULL"}
	}
	if s.Phase == "" {
		s.Phase = `NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"`
	}
	t := &Tor{
		net: n, script: s,
		sessions: map[*session]struct{}{}, ports: map[string]*port{},
		keys: map[string][]byte{}, circuits: map[string]*Circuit{}, asking: map[net.Conn]struct{}{},
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tors = append(n.tors, t)
	return t
}

// Dial connects to the tor's control or SOCKS socket; nothing else is there.
func (t *Tor) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.down || network != "tcp" || address != Control && address != Socks {
		return nil, fmt.Errorf("dial %s %s: %w", network, address, syscall.ECONNREFUSED)
	}
	ours, theirs := net.Pipe()
	if address == Socks {
		t.net.work.Go(func() { t.serveSocks(theirs) })
		return ours, nil
	}
	s := newSession(t, theirs)
	t.sessions[s] = struct{}{}
	t.net.work.Go(s.serve)
	t.net.work.Go(s.speak)
	return ours, nil
}

// Kill ends the tor: its connections, services and circuits.
func (t *Tor) Kill() {
	t.Hang(false)
	t.mu.Lock()
	t.down = true
	for conn := range t.asking {
		conn.Close()
	}
	t.mu.Unlock()
	t.Cut()
	for _, c := range t.net.Circuits() {
		if c.from == t || c.to == t {
			c.Close()
		}
	}
}

// Start starts it again. It has forgotten its clients' keys.
func (t *Tor) Start() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.down, t.keys = false, map[string][]byte{}
}

// Cut ends its control connections, and the services that they hold.
func (t *Tor) Cut() {
	t.mu.Lock()
	var all []*session
	for s := range t.sessions {
		all = append(all, s)
	}
	t.mu.Unlock()
	for _, s := range all {
		s.end()
	}
}

// Hang keeps it from answering commands, or lets it go on.
func (t *Tor) Hang(hang bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case hang && t.hung == nil:
		t.hung = make(chan struct{})
	case !hang && t.hung != nil:
		close(t.hung)
		t.hung = nil
	}
}

// Say says something unasked on every control connection. Lines need their end.
func (t *Tor) Say(lines string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.sessions {
		s.say(lines)
	}
}

// Swallow has the next n streams that are asked for stay without an answer, as
// when a service is looked for where it is no more.
func (t *Tor) Swallow(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.swallow = n
}

// Forget drops its services and keeps quiet about it, as a filter does that has
// lost its own connection.
func (t *Tor) Forget() {
	t.net.mu.Lock()
	defer t.net.mu.Unlock()
	for _, s := range t.net.services {
		if s.tor == t {
			s.gone = true
		}
	}
}

// Published lists the addresses that it has now, without ".onion".
func (t *Tor) Published() []string {
	t.net.mu.Lock()
	defer t.net.mu.Unlock()
	var all []string
	for id, s := range t.net.services {
		if s.tor == t && !s.gone {
			all = append(all, id)
		}
	}
	return all
}

// Commands lists what it was told on its control port so far, secrets and all.
func (t *Tor) Commands() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.commands...)
}
