// Package record is one sealed record, the only thing that travels once a call
// has begun, and the keys that seal it.
//
// Every record is 468 bytes, so that it fits one cell of Tor whatever the
// cell's format: ChaCha20-Poly1305 over 452. The nonce is the record's number
// on its path, which is not sent: a path is an ordered stream. Inside
// ([Contents]), big-endian:
//
//	 0  tick      4   the sender's clock: 20 ms ticks since its call began
//	 4  newest    4   number of the newest frame, on the capture's clock
//	 8  count     1   frames that follow, 0 while it rings
//	 9  reserved  3   zeros, ignored
//	12  feedback 32   four reports of 8 bytes on paths, in turn
//	44  control  48   a piece of the control stream (package control)
//	92  frames  360   newest first: 6 of 60, 9 of 40 or 12 of 30 bytes
//
// A report: path (1; 255 none), reserved (1), lateness (2) in units of 5 ms
// against the path that was best, number (4) of the last record got.
//
// Keys come from the handshake's secrets in a chain, one link a path, so that
// a path that joins later has keys of its own ([Chain]); every 3,000 records,
// a minute, a key is replaced by its successor and forgotten.
//
//	chain₀ = HKDF-Extract(salt = binding, ikm = k1 ‖ k2)
//	tagᵢ 16 ‖ jcᵢ 32 ‖ jsᵢ 32 ‖ chainᵢ₊₁ 32 = HKDF-Expand(chainᵢ, "sotto/1 path")
//	kc 32 ‖ ks 32 = HKDF(ikm jcᵢ ‖ jsᵢ, salt Nc ‖ Ns, "sotto/1 record")
//	next key = HKDF-Expand(key, "sotto/1 next")
//
// All with SHA-256. Sources: RFC 8439, RFC 5869, tor-spec section 3 (cells).
package record

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"
)

// Sizes in bytes, and how many records one key seals.
const (
	Size      = 468
	PlainSize = Size - chacha20poly1305.Overhead
	PerKey    = 3000
)

// Cell is one sealed record, or one block of a join, as it goes on a path.
type Cell [Size]byte

// Plain is a record's inside.
type Plain [PlainSize]byte

// ErrOpen says that a record does not open. Its path ends.
var ErrOpen = errors.New("a record does not open: damaged, or not from this call")

// lane is one direction of one path: a key, and the number of its next record.
// It holds nonce and aead as fields so that sealing allocates nothing.
type lane struct {
	key    [32]byte
	aead   cipher.AEAD
	number uint32
	nonce  [chacha20poly1305.NonceSize]byte
}

func newLane(key [32]byte) lane {
	l := lane{key: key}
	l.aead = newAEAD(key[:])
	return l
}

// next readies the nonce for one record, and the key's successor when it is
// due. The old key is overwritten here; the cipher's own copy goes with the
// garbage, which is as far as Go lets us.
func (l *lane) next() {
	if l.number == PerKey {
		after := expand(l.key[:], "sotto/1 next", 32)
		l.key = [32]byte(after)
		clear(after)
		l.aead = newAEAD(l.key[:])
		l.number = 0
	}
	binary.BigEndian.PutUint32(l.nonce[8:], l.number)
	l.number++
}

// Sealer seals the records of one direction of one path, in order.
type Sealer struct{ lane lane }

// NewSealer begins at record 0 with key.
func NewSealer(key [32]byte) *Sealer { return &Sealer{newLane(key)} }

// Seal writes the next record into c. Each is sealed once and must be sent, in
// order, on its one path. It allocates nothing but at a key's end.
func (s *Sealer) Seal(c *Cell, p *Plain) {
	s.lane.next()
	s.lane.aead.Seal(c[:0], s.lane.nonce[:], p[:], nil)
}

// Wipe forgets the key. Nothing can be sealed afterwards.
func (s *Sealer) Wipe() { s.lane.wipe() }

// Wipe forgets the key. Nothing opens afterwards.
func (o *Opener) Wipe() {
	o.broken = true
	o.lane.wipe()
}

func (l *lane) wipe() {
	clear(l.key[:])
	l.aead = nil
}

// Opener opens the records of one direction of one path, in order.
type Opener struct {
	lane   lane
	broken bool
}

// NewOpener begins at record 0 with key.
func NewOpener(key [32]byte) *Opener { return &Opener{lane: newLane(key)} }

// Open reads the next record from c into p. After one that does not open,
// nothing opens any more: the path is over.
func (o *Opener) Open(p *Plain, c *Cell) error {
	if o.broken {
		return ErrOpen
	}
	o.lane.next()
	if _, err := o.lane.aead.Open(p[:0], o.lane.nonce[:], c[:], nil); err != nil {
		o.broken = true
		clear(p[:])
		return ErrOpen
	}
	return nil
}

func newAEAD(key []byte) cipher.AEAD {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		panic("record: a key of the wrong size") // 32 bytes by type
	}
	return aead
}

func expand(key []byte, info string, n int) []byte {
	out, err := hkdf.Expand(sha256.New, key, info, n)
	if err != nil {
		panic("record: hkdf") // only for lengths over 8,160 bytes
	}
	return out
}
