package record

import (
	"crypto/hkdf"
	"crypto/sha256"
)

// TagSize is how many bytes name a path when it joins.
const TagSize = 16

// Chain gives each path its keys, in order: path 0 is the handshake's own
// stream, the others join. A link once taken is forgotten.
type Chain struct {
	key  [32]byte
	next int
}

// NewChain begins the key schedule from the handshake's secrets.
func NewChain(binding, k1, k2 [32]byte) *Chain {
	ikm := append(k1[:], k2[:]...)
	key, err := hkdf.Extract(sha256.New, ikm, binding[:])
	if err != nil {
		panic("record: hkdf") // cannot fail with SHA-256
	}
	clear(ikm)
	return &Chain{key: [32]byte(key)}
}

// Number is that of the path whose keys Next gives.
func (c *Chain) Number() int { return c.next }

// PathKeys are one path's: its tag on the wire and the keys of its join.
type PathKeys struct {
	Number int
	Tag    [TagSize]byte
	caller [32]byte // jc: seals the caller's join
	callee [32]byte // js: seals the answer
}

// Next takes the next path's keys out of the chain.
func (c *Chain) Next() PathKeys {
	out := expand(c.key[:], "sotto/1 path", TagSize+32+32+32)
	keys := PathKeys{
		Number: c.next,
		Tag:    [TagSize]byte(out[:16]),
		caller: [32]byte(out[16:48]),
		callee: [32]byte(out[48:80]),
	}
	c.key = [32]byte(out[80:])
	c.next++
	clear(out)
	return keys
}

// Wipe forgets the keys.
func (k *PathKeys) Wipe() {
	clear(k.caller[:])
	clear(k.callee[:])
}

// Wipe forgets the chain: no path can join any more.
func (c *Chain) Wipe() { clear(c.key[:]) }

// Records derives the two record keys of the path: the caller's direction and
// the callee's. nonces is Nc ‖ Ns of the join, nothing for path 0.
func (k *PathKeys) Records(nonces []byte) (caller, callee [32]byte) {
	ikm := append(k.caller[:len(k.caller):len(k.caller)], k.callee[:]...)
	out, err := hkdf.Key(sha256.New, ikm, nonces, "sotto/1 record", 64)
	if err != nil {
		panic("record: hkdf")
	}
	caller, callee = [32]byte(out[:32]), [32]byte(out[32:])
	clear(ikm)
	clear(out)
	return caller, callee
}
