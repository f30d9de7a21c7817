package handshake

import (
	"crypto/mlkem"
	"fmt"
	"io"

	"github.com/flynn/noise"

	"github.com/sottovoce/sotto/identity"
)

// Caller is the calling side of one handshake: M1, M2, M3, each once.
type Caller struct {
	own   *identity.Key
	offer Offer
	kem   *mlkem.DecapsulationKey768
	state *noise.HandshakeState
	steps steps
}

// NewCaller begins a handshake with callee. A one-time caller gives a fresh
// key and looks like any other. random nil means the system's.
func NewCaller(own *identity.Key, callee identity.Address, offer Offer, random io.Reader) (*Caller, error) {
	random = randomness(random)
	var seed [mlkem.SeedSize]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, fmt.Errorf("starting a handshake: %w", err)
	}
	kem, err := mlkem.NewDecapsulationKey768(seed[:])
	if err != nil {
		return nil, fmt.Errorf("starting a handshake: %w", err)
	}
	state, err := newState(true, own, callee, random)
	if err != nil {
		return nil, err
	}
	return &Caller{own: own, offer: offer, kem: kem, state: state}, nil
}

// M1 is the first message, 1404 bytes.
func (c *Caller) M1() ([]byte, error) {
	if err := c.steps.begin(1); err != nil {
		return nil, err
	}
	payload := make([]byte, m1Payload)
	copy(payload, c.kem.EncapsulationKey().Bytes())
	putOffer(payload[offersAt:], c.offer)
	m1, _, _, err := c.state.WriteMessage(make([]byte, 0, M1Size), payload)
	if err != nil {
		return nil, fmt.Errorf("writing m1: %w", err)
	}
	c.steps.end(1)
	return m1, nil
}

// M2 reads the callee's answer, 1404 bytes: proof that it holds the key behind
// the address, and what it chose.
func (c *Caller) M2(m2 []byte) (Choice, error) {
	if err := c.steps.begin(2); err != nil {
		return Choice{}, err
	}
	if len(m2) != M2Size {
		return Choice{}, fmt.Errorf("%w: m2 has %d bytes", ErrAuth, len(m2))
	}
	ct := m2[:mlkem.CiphertextSize768]
	shared, err := c.kem.Decapsulate(ct)
	if err != nil {
		return Choice{}, fmt.Errorf("%w: %w", ErrAuth, err)
	}
	if err := setPSK(c.state, shared, c.kem.EncapsulationKey().Bytes(), ct); err != nil {
		return Choice{}, fmt.Errorf("reading m2: %w", err)
	}
	payload, _, _, err := c.state.ReadMessage(nil, m2[mlkem.CiphertextSize768:])
	if err != nil || len(payload) != m2Payload {
		return Choice{}, fmt.Errorf("%w (m2)", ErrAuth)
	}
	choice := Choice{Version: payload[0], Profile: payload[1], Pace: payload[2]}
	if choice.Version == 0 || !c.offer.Versions.Has(choice.Version-1) ||
		!c.offer.Profiles.Has(choice.Profile) || !c.offer.Paces.Has(choice.Pace) {
		return Choice{}, fmt.Errorf("%w: the callee chose what was not offered", ErrVersion)
	}
	c.steps.end(2)
	return choice, nil
}

// M3 is the last message, 468 bytes, and the secrets of the call.
func (c *Caller) M3(w Wishes) ([]byte, Secrets, error) {
	if err := c.steps.begin(3); err != nil {
		return nil, Secrets{}, err
	}
	payload := make([]byte, m3Payload)
	address := c.own.Address()
	copy(payload, address[:])
	copy(payload[m3CallID:], w.CallID[:])
	payload[m3Paths] = w.Paths
	m3, k1, k2, err := c.state.WriteMessage(make([]byte, 0, M3Size), payload)
	if err != nil {
		return nil, Secrets{}, fmt.Errorf("writing m3: %w", err)
	}
	c.steps.end(3)
	return m3, secrets(c.state, k1, k2), nil
}
