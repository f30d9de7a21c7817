package identity

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"

	"filippo.io/edwards25519"
)

// Key is an onion service's secret key in tor's own form: the 64-byte expanded
// Ed25519 key, a clamped scalar (32 bytes, little endian) and a hash prefix
// (32). There is no seed: tor never stores one.
//
// It prints as nothing but a note that it is secret.
type Key struct {
	expanded [64]byte
	ecdh     *ecdh.PrivateKey
	address  Address
}

// ErrKey says that 64 bytes are not a usable secret key.
var ErrKey = errors.New("not a usable onion key")

// NewKey makes a fresh key from random, nil meaning the system's. The seed is
// hashed as in RFC 8032 section 5.1.5 and forgotten, as tor does.
func NewKey(random io.Reader) (*Key, error) {
	if random == nil {
		random = rand.Reader
	}
	var seed [32]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	expanded := sha512.Sum512(seed[:])
	clear(seed[:])
	expanded[0] &= 248
	expanded[31] &= 127
	expanded[31] |= 64
	return KeyFromTor(expanded)
}

// KeyFromTor takes the 64 bytes that follow the header of tor's
// hs_ed25519_secret_key. It refuses a scalar that is not clamped, which tor
// would accept and publish under another address, and a key whose X25519 form
// does not belong to its address.
func KeyFromTor(expanded [64]byte) (*Key, error) {
	if expanded[0]&7 != 0 || expanded[31]&0xc0 != 0x40 {
		return nil, fmt.Errorf("%w: the scalar is not clamped", ErrKey)
	}
	s, err := edwards25519.NewScalar().SetBytesWithClamping(expanded[:32])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	k := &Key{expanded: expanded}
	point := new(edwards25519.Point).ScalarBaseMult(s)
	k.address = Address(point.Bytes())
	if err := k.address.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	k.ecdh, err = ecdh.X25519().NewPrivateKey(expanded[:32])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if [32]byte(k.ecdh.PublicKey().Bytes()) != k.address.X25519() {
		return nil, fmt.Errorf("%w: its X25519 form is not its address's", ErrKey)
	}
	return k, nil
}

// Address is the onion address that the key publishes.
func (k *Key) Address() Address { return k.address }

// Tor is the expanded key as tor's ADD_ONION and hs_ed25519_secret_key have
// it. The caller clears its copy.
func (k *Key) Tor() [64]byte { return k.expanded }

// ECDH is the key for Diffie-Hellman: X25519 with the same scalar.
func (k *Key) ECDH() *ecdh.PrivateKey { return k.ecdh }

// String, GoString and Format show nothing of the key.
func (k *Key) String() string               { return "identity.Key(secret)" }
func (k *Key) GoString() string             { return k.String() }
func (k *Key) Format(f fmt.State, _ rune)   { fmt.Fprint(f, k.String()) }
func (k *Key) MarshalJSON() ([]byte, error) { return nil, errors.New("a key is not written as JSON") }
