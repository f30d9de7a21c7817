// Package handshake finds out who is there, end to end, before a call begins.
//
// It is Noise_XKpsk2_25519_ChaChaPoly_BLAKE2s between the X25519 forms of two
// onion keys, with an ML-KEM-768 secret mixed in as the psk. Three messages,
// padded inside their payloads to whole blocks of 468 bytes:
//
//	caller                                               callee
//	m1  e, es, payload ──── 3 blocks, 1404 bytes ────▶
//	    payload: ek (1184) ‖ offers (6) ‖ zeros
//	        ◀──── 3 blocks, 1404 bytes ── ct (1088) ‖ e, ee, psk, payload  m2
//	                       payload: version ‖ profile ‖ pace ‖ zeros (268)
//	m3  s, se, payload ──── 1 block, 468 bytes ──────▶
//	    payload: Ed25519 key (32) ‖ call id (16) ‖ paths (1) ‖ zeros
//
//	prologue = "sotto" ‖ callee's Ed25519 key
//	psk = HKDF-SHA256(ikm = ML-KEM secret, salt = "",
//	                  info = "sotto/1 psk" ‖ SHA-256(ek) ‖ SHA-256(ct), 32)
//
// The caller knows the callee's key beforehand: it is the address that was
// dialled. The callee learns the caller's in m3, sealed. A and −A share an
// X25519 form, so whole Ed25519 keys are bound: the callee's in the prologue,
// the caller's in m3, where it is checked like any address and against the
// Noise static key. Nothing is signed: a transcript could have been made by
// the callee alone. From m2's payload on a recording is safe from a later
// quantum computer; authentication is classical.
//
// [Caller] and [Callee] are plain values: bytes in, bytes out, no clock and no
// I/O. Each method may be called once, in order; any error ends the handshake,
// and what is told to the peer is nothing (the stream is closed). Zeros are
// ignored by the receiver, so that later versions can use them.
//
// Sources: the Noise Protocol Framework revision 34, FIPS 203, RFC 5869.
package handshake

import (
	"crypto/hkdf"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/flynn/noise"

	"github.com/sottovoce/sotto/identity"
)

// Sizes on the wire, in bytes: whole blocks of 468.
const (
	Block  = 468
	M1Size = 3 * Block
	M2Size = 3 * Block
	M3Size = 1 * Block
)

const (
	noiseTag   = 16
	m1Payload  = M1Size - 32 - noiseTag
	m2Payload  = M2Size - mlkem.CiphertextSize768 - 32 - noiseTag
	m3Payload  = M3Size - 32 - noiseTag - noiseTag
	offersAt   = mlkem.EncapsulationKeySize768
	m3CallID   = 32
	m3Paths    = 48
	pskContext = "sotto/1 psk"
)

// Set is a set of small numbers as they stand in an offer: bit n−1 for version
// n, bit n for profile or pace n.
type Set uint16

// Has reports whether bit n is in the set.
func (s Set) Has(n uint8) bool { return n < 16 && s>>n&1 == 1 }

// Offer is what the caller could do; m1 carries it, sealed to the callee.
type Offer struct {
	Versions Set // bit n−1: version n
	Profiles Set // bit n: profile n
	Paces    Set // bit n: pace n
}

// Choice is what the callee takes from an offer. It never depends on who
// calls: at m2 the callee does not know.
type Choice struct {
	Version uint8
	Profile uint8
	Pace    uint8
}

// Wishes are the caller's, told in m3.
type Wishes struct {
	CallID [16]byte // random, names the call
	Paths  uint8    // circuits the caller means to open, 1 to 8
}

// Secrets is what both ends share afterwards: the Noise channel binding and
// the two keys of Split, caller's first. The holder derives from them and wipes
// them.
type Secrets struct {
	Binding [32]byte
	K1, K2  [32]byte
}

// Wipe forgets the secrets.
func (s *Secrets) Wipe() { *s = Secrets{} }

// Reasons for failure, for the local log alone. No peer is told one.
var (
	ErrAuth    = errors.New("the handshake does not open: not who the address says, or damaged on the way")
	ErrVersion = errors.New("no protocol version, voice profile and pace in common: one side needs a newer sotto")
	ErrPeer    = errors.New("the caller's key is not the address it claims")
)

// errOrder says that a method was called out of turn.
var errOrder = errors.New("a handshake's steps go in order, each once, and end with the first that fails")

// steps is how many steps of a handshake have gone well. Between begin and end
// it is over, and so it stays if a step returns an error instead of ending.
type steps int

const over steps = -1

func (s *steps) begin(step steps) error {
	if *s != step-1 {
		*s = over
		return errOrder
	}
	*s = over
	return nil
}

func (s *steps) end(step steps) { *s = step }

var suite = noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashBLAKE2s)

func newState(initiator bool, own *identity.Key, callee identity.Address, random io.Reader) (*noise.HandshakeState, error) {
	config := noise.Config{
		CipherSuite:           suite,
		Random:                random,
		Pattern:               noise.HandshakeXK,
		Initiator:             initiator,
		Prologue:              append([]byte("sotto"), callee[:]...),
		PresharedKeyPlacement: 2,
		StaticKeypair: noise.DHKey{
			Private: own.ECDH().Bytes(),
			Public:  own.ECDH().PublicKey().Bytes(),
		},
	}
	if initiator {
		peer := callee.X25519()
		config.PeerStatic = peer[:]
	}
	state, err := noise.NewHandshakeState(config)
	if err != nil {
		return nil, fmt.Errorf("starting a handshake: %w", err)
	}
	return state, nil
}

// setPSK mixes the ML-KEM secret in. It must come before m2 is read or
// written: the Noise library would take an empty psk for one never set.
func setPSK(state *noise.HandshakeState, shared, ek, ct []byte) error {
	ekSum, ctSum := sha256.Sum256(ek), sha256.Sum256(ct)
	info := pskContext + string(ekSum[:]) + string(ctSum[:])
	psk, err := hkdf.Key(sha256.New, shared, nil, info, 32)
	if err != nil {
		return err
	}
	clear(shared)
	return state.SetPresharedKey(psk)
}

func secrets(state *noise.HandshakeState, caller, callee *noise.CipherState) Secrets {
	s := Secrets{K1: caller.UnsafeKey(), K2: callee.UnsafeKey()}
	copy(s.Binding[:], state.ChannelBinding())
	return s
}

func randomness(r io.Reader) io.Reader {
	if r == nil {
		return rand.Reader
	}
	return r
}

func putOffer(b []byte, o Offer) {
	binary.BigEndian.PutUint16(b, uint16(o.Versions))
	binary.BigEndian.PutUint16(b[2:], uint16(o.Profiles))
	binary.BigEndian.PutUint16(b[4:], uint16(o.Paces))
}

func getOffer(b []byte) Offer {
	return Offer{
		Versions: Set(binary.BigEndian.Uint16(b)),
		Profiles: Set(binary.BigEndian.Uint16(b[2:])),
		Paces:    Set(binary.BigEndian.Uint16(b[4:])),
	}
}
