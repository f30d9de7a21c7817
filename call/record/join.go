package record

import (
	"crypto/sha256"

	"golang.org/x/crypto/chacha20poly1305"
)

// A path joins a call with one block each way, both of a record's size:
//
//	join    tag 16 ‖ AEAD(jc, nonce 0, ad tag, Nc 32 ‖ zeros)
//	answer  AEAD(js, nonce 0, ad SHA-256(join), Ns 32 ‖ zeros)
//
// Nc and Ns are random, so that a path's record keys are fresh even if a
// number were ever used twice.

const (
	joinSecret   = Size - TagSize - chacha20poly1305.Overhead
	joinedSecret = Size - chacha20poly1305.Overhead
)

var nonceZero [chacha20poly1305.NonceSize]byte

// SealJoin writes the caller's block.
func (k *PathKeys) SealJoin(c *Cell, nc [32]byte) {
	var secret [joinSecret]byte
	copy(secret[:], nc[:])
	copy(c[:], k.Tag[:])
	newAEAD(k.caller[:]).Seal(c[TagSize:TagSize], nonceZero[:], secret[:], k.Tag[:])
}

// OpenJoin reads the caller's block at the callee: Nc.
func (k *PathKeys) OpenJoin(c *Cell) (nc [32]byte, err error) {
	secret, err := newAEAD(k.caller[:]).Open(nil, nonceZero[:], c[TagSize:], k.Tag[:])
	if err != nil || [TagSize]byte(c[:TagSize]) != k.Tag {
		return nc, ErrOpen
	}
	return [32]byte(secret[:32]), nil
}

// SealJoined writes the callee's answer to join.
func (k *PathKeys) SealJoined(c, join *Cell, ns [32]byte) {
	var secret [joinedSecret]byte
	copy(secret[:], ns[:])
	sum := sha256.Sum256(join[:])
	newAEAD(k.callee[:]).Seal(c[:0], nonceZero[:], secret[:], sum[:])
}

// OpenJoined reads the answer to join at the caller: Ns.
func (k *PathKeys) OpenJoined(c, join *Cell) (ns [32]byte, err error) {
	sum := sha256.Sum256(join[:])
	secret, err := newAEAD(k.callee[:]).Open(nil, nonceZero[:], c[:], sum[:])
	if err != nil {
		return ns, ErrOpen
	}
	return [32]byte(secret[:32]), nil
}
