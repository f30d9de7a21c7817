package onion

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sottovoce/sotto/identity"
)

// Client authorisation: the descriptor of a closed service is sealed for the
// X25519 keys of its clients (rend-spec, "Client authorization"). Whoever has
// the address and none of the keys learns neither where its introduction points
// are nor whether it is online now: what a directory hands out is the same
// ciphertext for hours.

// MaxClients is how many keys a closed service takes. 352 fitted into the 50,000
// bytes that a descriptor may have, 400 did not; introduction points may need
// more room than those of the private network where this was tried.
const MaxClients = 224

// ErrClientKey says that a key cannot be one of a client's.
var ErrClientKey = errors.New("not a key for client authorisation")

// checkClients refuses what must not reach tor, which stops running at an
// all-zero key and shares the descriptor with everybody at one of small order.
func checkClients(clients [][32]byte) error {
	if len(clients) > MaxClients {
		return fmt.Errorf("%d clients for one address: %d fit into its descriptor", len(clients), MaxClients)
	}
	probe, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	for i, client := range clients {
		public, err := ecdh.X25519().NewPublicKey(client[:])
		if err == nil {
			_, err = probe.ECDH(public)
		}
		if err != nil {
			return fmt.Errorf("%w: number %d of %d is zero or of small order", ErrClientKey, i+1, len(clients))
		}
	}
	return nil
}

// clientArguments is the end of an ADD_ONION for these clients. For none it is
// sealed for a key that nobody has: tor would else leave it open.
func clientArguments(clients [][32]byte) (string, error) {
	if len(clients) == 0 {
		nobody, err := ecdh.X25519().GenerateKey(rand.Reader)
		if err != nil {
			return "", err
		}
		clients = [][32]byte{[32]byte(nobody.PublicKey().Bytes())}
	}
	clients = slices.Clone(clients)
	slices.SortFunc(clients, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	var arguments strings.Builder
	for _, client := range slices.Compact(clients) {
		arguments.WriteString(" ClientAuthV3=" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(client[:]))
	}
	return arguments.String(), nil
}

// Authorise closes an address that [Node.Listen] has published to all but the
// owners of these X25519 keys, or changes who they are. tor can only publish
// anew, with other introduction points: streams stay, new ones come in again
// when it returns, and who has lost authorisation gets no further at once. It
// returns when a descriptor is up, as Listen does.
func (n *Node) Authorise(ctx context.Context, address identity.Address, clients [][32]byte) error {
	if err := checkClients(clients); err != nil {
		return fmt.Errorf("authorising callers of %v: %w", address, err)
	}
	ctx, cancel := publishing(ctx)
	defer cancel()
	var s *service
	n.update(func() {
		if s = n.services[address]; s != nil {
			s.closed, s.clients = true, slices.Clone(clients)
			s.outdated, s.uploaded = true, false
		}
	})
	if s == nil {
		return fmt.Errorf("authorising callers of %v: it is not published", address)
	}
	if err := s.awaitUpload(ctx); err != nil {
		return fmt.Errorf("authorising callers of %v: %w", address, err)
	}
	return nil
}

// credential is a key by which we come to a closed address.
type credential struct {
	key     *ecdh.PrivateKey
	link    *link // the connection over which tor was given it
	refused error // why tor would not take it
}

// UseKey makes key the one by which [Node.Dial] comes to address, should that
// be closed to others; an open one is reached all the same. tor is given it
// when it is first needed, for its memory alone, and forgets it when forget is
// called.
func (n *Node) UseKey(address identity.Address, key *ecdh.PrivateKey) (forget func()) {
	c := &credential{key: key}
	n.mu.Lock()
	n.keys[address] = c
	n.mu.Unlock()
	return func() {
		n.mu.Lock()
		known := n.keys[address] == c
		if known {
			delete(n.keys, address)
		}
		link := n.link
		given := known && link != nil && c.link == link && c.refused == nil
		n.mu.Unlock()
		if !given {
			return
		}
		if _, err := link.command(context.Background(), "ONION_CLIENT_AUTH_REMOVE "+serviceID(address)); err != nil {
			n.log.Debug("making tor forget a key", "err", err)
		}
	}
}

// present gives tor the key for address, if there is one and tor has it not. It
// returns why tor would not take it: that matters only if the address turns out
// to be closed.
func (n *Node) present(ctx context.Context, address identity.Address) error {
	n.mu.Lock()
	c, link := n.keys[address], n.link
	if c == nil || link == nil || c.link == link {
		defer n.mu.Unlock()
		if c != nil {
			return c.refused
		}
		return nil
	}
	n.mu.Unlock()
	secret := c.key.Bytes()
	defer clear(secret)
	_, err := link.command(ctx, "ONION_CLIENT_AUTH_ADD "+serviceID(address)+" x25519:"+base64.StdEncoding.EncodeToString(secret))
	if refusal := refusalOf(err); refusal != nil && refusal.Code == 252 { // and a descriptor that was there could be read
		err = nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if refusalOf(err) == nil && err != nil {
		return nil // the connection broke, or ctx ended: Dial finds out
	}
	c.link, c.refused = link, err
	return err
}
