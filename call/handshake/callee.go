package handshake

import (
	"bytes"
	"crypto/mlkem"
	"fmt"
	"io"

	"github.com/flynn/noise"

	"github.com/sottovoce/sotto/identity"
)

// Callee is the answering side of one handshake: M1, M2, M3, each once. Until
// M3 has been read it does not know who calls, and nothing it says depends on
// that.
type Callee struct {
	offer Offer // what this side can do, in order of bits
	state *noise.HandshakeState
	ek    []byte
	got   Offer
	steps steps
}

// NewCallee waits for a caller at own's address. offer is what this side can
// do. random nil means the system's.
func NewCallee(own *identity.Key, offer Offer, random io.Reader) (*Callee, error) {
	state, err := newState(false, own, own.Address(), randomness(random))
	if err != nil {
		return nil, err
	}
	return &Callee{offer: offer, state: state}, nil
}

// M1 reads the caller's first message, 1404 bytes.
func (c *Callee) M1(m1 []byte) error {
	if err := c.steps.begin(1); err != nil {
		return err
	}
	if len(m1) != M1Size {
		return fmt.Errorf("%w: m1 has %d bytes", ErrAuth, len(m1))
	}
	payload, _, _, err := c.state.ReadMessage(nil, m1)
	if err != nil || len(payload) != m1Payload {
		return fmt.Errorf("%w (m1)", ErrAuth)
	}
	c.ek = payload[:mlkem.EncapsulationKeySize768]
	c.got = getOffer(payload[offersAt:])
	c.steps.end(1)
	return nil
}

// M2 is the answer, 1404 bytes: the highest version both have, and the first
// profile and pace in order of number.
func (c *Callee) M2() ([]byte, Choice, error) {
	if err := c.steps.begin(2); err != nil {
		return nil, Choice{}, err
	}
	both := Offer{c.got.Versions & c.offer.Versions, c.got.Profiles & c.offer.Profiles, c.got.Paces & c.offer.Paces}
	if both.Versions == 0 || both.Profiles == 0 || both.Paces == 0 {
		return nil, Choice{}, ErrVersion
	}
	choice := Choice{Version: highest(both.Versions) + 1, Profile: lowest(both.Profiles), Pace: lowest(both.Paces)}
	ek, err := mlkem.NewEncapsulationKey768(c.ek)
	if err != nil {
		return nil, Choice{}, fmt.Errorf("%w: ML-KEM key: %w", ErrAuth, err)
	}
	shared, ct := ek.Encapsulate()
	if err := setPSK(c.state, shared, c.ek, ct); err != nil {
		return nil, Choice{}, fmt.Errorf("writing m2: %w", err)
	}
	payload := make([]byte, m2Payload)
	payload[0], payload[1], payload[2] = choice.Version, choice.Profile, choice.Pace
	m2, _, _, err := c.state.WriteMessage(append(make([]byte, 0, M2Size), ct...), payload)
	if err != nil {
		return nil, Choice{}, fmt.Errorf("writing m2: %w", err)
	}
	c.steps.end(2)
	return m2, choice, nil
}

// M3 reads the caller's last message, 468 bytes: who calls, proven, and the
// secrets of the call.
func (c *Callee) M3(m3 []byte) (identity.Address, Wishes, Secrets, error) {
	fail := func(err error) (identity.Address, Wishes, Secrets, error) {
		return identity.Address{}, Wishes{}, Secrets{}, err
	}
	if err := c.steps.begin(3); err != nil {
		return fail(err)
	}
	if len(m3) != M3Size {
		return fail(fmt.Errorf("%w: m3 has %d bytes", ErrAuth, len(m3)))
	}
	payload, k1, k2, err := c.state.ReadMessage(nil, m3)
	if err != nil || len(payload) != m3Payload {
		return fail(fmt.Errorf("%w (m3)", ErrAuth))
	}
	peer, err := identity.FromBytes(payload[:m3CallID])
	if err != nil {
		return fail(fmt.Errorf("%w: %w", ErrPeer, err))
	}
	if form := peer.X25519(); !bytes.Equal(form[:], c.state.PeerStatic()) {
		return fail(ErrPeer)
	}
	c.steps.end(3)
	w := Wishes{CallID: [16]byte(payload[m3CallID:m3Paths]), Paths: payload[m3Paths]}
	return peer, w, secrets(c.state, k1, k2), nil
}

func lowest(s Set) uint8 {
	for n := range uint8(16) {
		if s.Has(n) {
			return n
		}
	}
	return 0
}

func highest(s Set) uint8 {
	for n := uint8(16); n > 0; n-- {
		if s.Has(n - 1) {
			return n - 1
		}
	}
	return 0
}
