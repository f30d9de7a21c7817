// Package identity says who: an onion address and the key behind it, nothing
// else.
//
// A Tor v3 onion address is an Ed25519 public key with a version and a
// checksum around it:
//
//	base32( key (32 bytes) ‖ checksum (2) ‖ version (1) = 3 ) ‖ ".onion"
//	checksum = SHA3-256( ".onion checksum" ‖ key ‖ version )[:2]
//
// so 56 characters and the suffix. The key publishes the service, and proves
// in the handshake who calls and who answers: the address is the identity.
//
// Two traps are closed here, once, for the whole program.
//
// An Ed25519 point may carry a small-order (torsion) component. Eight points
// then act alike in most checks, and a block list could be evaded by an alias.
// Every address is therefore checked whole: canonical encoding, not of small
// order, no torsion ([Parse], [FromBytes]).
//
// For Diffie-Hellman the key is used in its X25519 (Montgomery) form, in which
// A and −A are one and the same. So whole addresses are compared, and people
// are blocked by the X25519 form ([Address.X25519]).
//
// Sources: tor's rend-spec-v3 sections 1.2 and 6, RFC 7748, RFC 8032.
package identity

import (
	"crypto/sha3"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"filippo.io/edwards25519"
)

// Address is an onion service's Ed25519 public key. It prints redacted; its
// full name is [Address.Onion].
type Address [32]byte

// Reasons why a text is not an address. Errors of [Parse] wrap one of them.
var (
	ErrAddress  = errors.New("not an onion address")
	ErrV2       = errors.New("this is a v2 onion address, which tor dropped in 2021: ask for a v3 address (56 characters)")
	ErrChecksum = errors.New("the address does not add up (checksum): a character is wrong or missing, copy it again")
	ErrVersion  = errors.New("the address is of a version that this program does not know")
	ErrPoint    = errors.New("the address is not a usable key (torsion, small order or not canonical): do not trust who sent it")
)

// onionBase32 is RFC 4648's in small letters.
var onionBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Parse reads an address as a person pastes it: with or without ".onion",
// "sotto://" or "http://", in small or capital letters, with space around it.
// A port, if there is one, must be 1876, sotto's own.
func Parse(text string) (Address, error) {
	t := strings.ToLower(strings.TrimSpace(text))
	for _, scheme := range []string{"sotto://", "http://", "https://"} {
		t = strings.TrimPrefix(t, scheme)
	}
	t = strings.TrimSuffix(t, "/")
	t = strings.TrimSuffix(t, ":1876")
	t = strings.TrimSuffix(t, ".")
	name, found := strings.CutSuffix(t, ".onion")
	switch {
	case name == "":
		return Address{}, fmt.Errorf("%w: nothing was given", ErrAddress)
	case !found && strings.Contains(name, ".onion"):
		return Address{}, fmt.Errorf("%w: leave out what follows .onion (a port, if there is one, is 1876)", ErrAddress)
	case found && strings.ContainsAny(name, ".@/"):
		return Address{}, fmt.Errorf("%w: leave out what stands before its 56 characters", ErrAddress)
	case len(name) == 16 && isBase32(name):
		return Address{}, ErrV2
	case !isBase32(name):
		return Address{}, fmt.Errorf("%w: it has characters other than a-z and 2-7", ErrAddress)
	case len(name) != 56:
		if !found && len(name) < 40 {
			return Address{}, fmt.Errorf("%w: an address has 56 characters and may end in .onion", ErrAddress)
		}
		return Address{}, fmt.Errorf("%w: it has %d characters, an address has 56", ErrAddress, len(name))
	}
	raw, err := onionBase32.DecodeString(name)
	if err != nil {
		return Address{}, ErrAddress
	}
	var a Address
	copy(a[:], raw)
	if checksum(a, raw[34]) != [2]byte(raw[32:34]) { // a wrong letter at the end is no other version
		return Address{}, ErrChecksum
	}
	if raw[34] != version {
		return Address{}, fmt.Errorf("%w (%d)", ErrVersion, raw[34])
	}
	if err := a.check(); err != nil {
		return Address{}, err
	}
	return a, nil
}

// FromBytes checks 32 bytes, as a peer sends them, to be an address: a
// canonical point, not of small order, without torsion.
func FromBytes(b []byte) (Address, error) {
	if len(b) != 32 {
		return Address{}, fmt.Errorf("%w: %d bytes, a key has 32", ErrAddress, len(b))
	}
	a := Address(b)
	return a, a.check()
}

// Onion is the whole address in small letters, ".onion" included. It is the
// only way to print one: logs and errors use [Address.String].
func (a Address) Onion() string {
	sum := checksum(a, version)
	raw := append(append(a[:len(a):len(a)], sum[:]...), version)
	return onionBase32.EncodeToString(raw) + ".onion"
}

// String is redacted: the first four characters, enough to tell two apart in a
// log, not enough to dial.
func (a Address) String() string { return a.Onion()[:4] + "….onion" }

// GoString is redacted too, so that %#v in a log or a panic shows no address.
func (a Address) GoString() string { return "identity.Address(" + a.String() + ")" }

// Format keeps every verb, %x and %v of a struct included, redacted.
func (a Address) Format(f fmt.State, _ rune) { fmt.Fprint(f, a.String()) }

// X25519 is the key's Montgomery form (RFC 7748), for Diffie-Hellman and for
// block lists: A and −A have the same one. The address must have been checked.
func (a Address) X25519() [32]byte {
	p, err := new(edwards25519.Point).SetBytes(a[:])
	if err != nil {
		return [32]byte{}
	}
	return [32]byte(p.BytesMontgomery())
}

// check refuses what is not a canonical point of prime order.
func (a Address) check() error {
	p, err := new(edwards25519.Point).SetBytes(a[:])
	if err != nil || [32]byte(p.Bytes()) != a {
		return ErrPoint
	}
	p8 := new(edwards25519.Point).MultByCofactor(p)
	if p8.Equal(edwards25519.NewIdentityPoint()) == 1 {
		return ErrPoint
	}
	if new(edwards25519.Point).ScalarMult(inverseOfEight, p8).Equal(p) != 1 {
		return ErrPoint
	}
	return nil
}

// inverseOfEight is 1/8 modulo the group's order: (1/8)·(8·P) = P only where P
// has no torsion.
var inverseOfEight = func() *edwards25519.Scalar {
	var eight [32]byte
	eight[0] = 8
	s, err := edwards25519.NewScalar().SetCanonicalBytes(eight[:])
	if err != nil {
		panic(err)
	}
	return s.Invert(s)
}()

// version is that of all addresses that there are.
const version = 3

func checksum(a Address, version byte) [2]byte {
	sum := sha3.Sum256(append(append([]byte(".onion checksum"), a[:]...), version))
	return [2]byte{sum[0], sum[1]}
}

func isBase32(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return s != ""
}
