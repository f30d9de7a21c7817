package onion

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/cretz/bine/control"

	"github.com/sottovoce/sotto/identity"
)

// Service says how an address is published. The zero value works.
type Service struct {
	// Published is called from Run's goroutine each time a descriptor of a new
	// publication is up: once before Listen returns, and again after each
	// restart of tor. It may be nil and must not block.
	Published func()
	// Closed lets only callers find it who own one of Clients, X25519 public
	// keys, at most [MaxClients]; nobody if there are none. [Node.Authorise]
	// changes them.
	Closed  bool
	Clients [][32]byte
}

// service is a published address: a net.Listener whose socket stays when tor
// is restarted.
type service struct {
	node      *Node
	key       *identity.Key
	published func()
	socket    net.Listener

	// Guarded by node.mu.
	closed   bool
	clients  [][32]byte
	link     *link          // the connection it was published on
	outdated bool           // clients have changed since
	asked    bool           // tor has been, or is about to be: uploads count
	stale    map[string]int // uploads by directory that began before this publication
	uploaded bool
	trouble  string // why a directory did not take a descriptor, last
	err      error  // why it takes no callers any more; nil while it does
}

// What tor is asked to take of introductions a second, and at once, before
// proof of work orders the rest. A call needs one for each path, some seven in
// its first seconds.
const (
	introductions = 16
	introBurst    = 64
)

// Listen publishes key's address and returns when a descriptor of this very
// publication has reached a directory, so that callers find it; tor is waited
// for, too. Both together may take 120 s, or until ctx ends.
//
// The listener outlives tor's restarts. Close takes the address down and leaves
// the streams that it accepted. The same key published from two tors goes
// to the later one, silently: lock what the key comes from.
func (n *Node) Listen(ctx context.Context, key *identity.Key, cfg Service) (net.Listener, error) {
	address := key.Address()
	if err := checkClients(cfg.Clients); err != nil {
		return nil, fmt.Errorf("publishing %v: %w", address, err)
	}
	ctx, cancel := publishing(ctx)
	defer cancel()
	if err := n.Ready(ctx); err != nil {
		return nil, fmt.Errorf("publishing %v: %w", address, err)
	}
	socket, err := n.listenForTor()
	if err != nil {
		return nil, fmt.Errorf("publishing %v: %w", address, err)
	}
	s := &service{
		node: n, key: key, published: cfg.Published, socket: socket,
		closed: cfg.Closed, clients: slices.Clone(cfg.Clients),
	}
	taken := false
	n.update(func() {
		if _, taken = n.services[address]; !taken {
			n.services[address] = s
		}
	})
	if taken {
		socket.Close()
		return nil, fmt.Errorf("publishing %v: it is published already", address)
	}
	if err := s.awaitUpload(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("publishing %v: %w", address, err)
	}
	return s, nil
}

// publishing bounds a publication.
func publishing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, publishWait,
		fmt.Errorf("no directory took the descriptor within %v: %w", publishWait, context.DeadlineExceeded))
}

// awaitUpload waits until a descriptor as it is to be now is up.
func (s *service) awaitUpload(ctx context.Context) error {
	trouble := ""
	err := s.node.await(ctx, func() (bool, error) {
		trouble = s.trouble
		return s.uploaded && !s.outdated, s.err
	})
	if err != nil && trouble != "" {
		err = fmt.Errorf("%w (one said %s)", err, trouble)
	}
	return err
}

// publishAll publishes, whenever tor is ready, every service that is not yet
// published on link, or not as it should be.
func (n *Node) publishAll(ctx context.Context, link *link) {
	for {
		var next *service
		again := false
		err := n.await(ctx, func() (bool, error) {
			for _, s := range n.services {
				if n.ready && (s.link != link || s.outdated) && s.err == nil {
					next, again = s, s.link == link
					s.link, s.outdated, s.asked, s.uploaded = link, false, false, false
					return true, nil
				}
			}
			return false, nil
		})
		if err != nil {
			return
		}
		if again {
			next.unpublish(link)
		}
		if err := next.publish(ctx, link); err != nil && ctx.Err() == nil {
			next.unpublished(ctx, link, err)
		}
	}
}

// publish asks tor to publish. One stream a circuit: a caller that opens a
// second one on it loses both, so that nobody can pile up streams. Never
// detached: the service must end with this connection, or the next program on
// this machine gets our callers.
func (s *service) publish(ctx context.Context, link *link) error {
	id := serviceID(s.key.Address())
	var closed bool
	var clients [][32]byte
	s.node.update(func() {
		closed, clients = s.closed, s.clients
		s.asked, s.stale, s.trouble = true, s.node.uploads.under(id), ""
	})
	r, err := s.addOnion(ctx, link, closed, clients, true)
	if refusalOf(err) != nil { // before 0.4.9.5 tor knows no proof of work here, and a filter may not either
		s.node.log.Debug("publishing without proof of work", "err", err)
		r, err = s.addOnion(ctx, link, closed, clients, false)
	}
	if err != nil {
		return err
	}
	// tor takes a damaged key, too, and publishes another address.
	for _, line := range r.Data {
		if got, ok := strings.CutPrefix(line, "ServiceID="); ok && got != id {
			_, err := link.command(ctx, "DEL_ONION "+got)
			return errors.Join(errors.New("tor published another address than the key's: the key is damaged"), err)
		}
	}
	s.node.mu.Lock()
	gone := s.err != nil
	s.node.mu.Unlock()
	if gone { // while tor was being asked
		s.unpublish(link)
	}
	return nil
}

// addOnion sends the one ADD_ONION that sotto sends: always these arguments in
// this order, of which those for proof of work and for clients may be left out.
func (s *service) addOnion(ctx context.Context, link *link, closed bool, clients [][32]byte, work bool) (*control.Response, error) {
	secret := s.key.Tor()
	defer clear(secret[:])
	flags, pow, auth := "DiscardPK,MaxStreamsCloseCircuit", "", ""
	if work {
		pow = fmt.Sprintf(" PoWDefensesEnabled=1 PoWQueueRate=%d PoWQueueBurst=%d", introductions, introBurst)
	}
	if closed {
		var err error
		if auth, err = clientArguments(clients); err != nil {
			return nil, err
		}
		flags += ",V3Auth"
	}
	return link.command(ctx, fmt.Sprintf("ADD_ONION ED25519-V3:%s Flags=%s MaxStreams=1%s Port=%d,%s%s",
		base64.StdEncoding.EncodeToString(secret[:]), flags, pow, Port, s.node.targetOf(s.socket), auth))
}

// serviceID is an address as tor's control port has it.
func serviceID(address identity.Address) string {
	return strings.TrimSuffix(address.Onion(), ".onion")
}

// unpublish takes the address down. That tor has none such is no failure: it
// was closed while it was being published.
func (s *service) unpublish(link *link) {
	if _, err := link.command(context.Background(), "DEL_ONION "+serviceID(s.key.Address())); err != nil {
		s.node.log.Debug("taking a service down", "err", err)
	}
}

// Accept returns the next caller's stream. It belongs to whoever accepted it.
func (s *service) Accept() (net.Conn, error) {
	conn, err := s.socket.Accept()
	if err != nil {
		s.node.mu.Lock()
		defer s.node.mu.Unlock()
		if s.err != nil {
			err = s.err
		}
		return nil, fmt.Errorf("listening at %v: %w", s.key.Address(), err)
	}
	return s.node.keep(conn)
}

// Close takes the address down. Streams that were accepted stay, as with any
// listener, so that a call can still be hung up over its own.
func (s *service) Close() error {
	s.fail(net.ErrClosed)
	return nil
}

// fail closes with a reason that Accept and Listen then return.
func (s *service) fail(reason error) {
	var link *link
	first := false
	s.node.update(func() {
		if first = s.err == nil; first {
			s.err = reason
			if s.link == s.node.link {
				link = s.link
			}
		}
	})
	if !first {
		return
	}
	if link != nil {
		s.unpublish(link)
	}
	// Only now may the address be published again: tor has forgotten this one,
	// and its events have been counted.
	s.node.update(func() { delete(s.node.services, s.key.Address()) })
	s.socket.Close()
}

// Addr is the published address; it prints redacted.
func (s *service) Addr() net.Addr { return Addr(s.key.Address()) }

// Addr is an onion address as a net.Addr.
type Addr identity.Address

// Network is "onion".
func (Addr) Network() string { return "onion" }

// String is redacted, as [identity.Address.String] is, and so is every verb.
func (a Addr) String() string { return identity.Address(a).String() }

// Format keeps %x and the like from showing the key.
func (a Addr) Format(f fmt.State, _ rune) { fmt.Fprint(f, a.String()) }
