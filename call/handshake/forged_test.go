package handshake_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/mlkem"
	"crypto/sha256"
	"errors"
	"testing"

	"filippo.io/edwards25519"
	"github.com/flynn/noise"

	"github.com/sottovoce/sotto/call/handshake"
	"github.com/sottovoce/sotto/identity"
)

// forge runs a whole handshake as a caller of its own making, who follows
// docs/protocol.md in all but the address that m3 claims. It shares no code
// with the package beyond the Noise library.
func forge(t *testing.T, own *identity.Key, callee *identity.Key, claim []byte) error {
	t.Helper()
	kem, err := mlkem.GenerateKey768()
	if err != nil {
		t.Fatal(err)
	}
	address := callee.Address()
	peer := address.X25519()
	state, err := noise.NewHandshakeState(noise.Config{
		CipherSuite: noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashBLAKE2s),
		Pattern:     noise.HandshakeXK, Initiator: true, PresharedKeyPlacement: 2,
		Prologue:      append([]byte("sotto"), address[:]...),
		StaticKeypair: noise.DHKey{Private: own.ECDH().Bytes(), Public: own.ECDH().PublicKey().Bytes()},
		PeerStatic:    peer[:],
	})
	if err != nil {
		t.Fatal(err)
	}
	ek := kem.EncapsulationKey().Bytes()
	payload := append(bytes.Clone(ek), 0, 1, 0, 7, 0, 1)
	m1, _, _, err := state.WriteMessage(nil, append(payload, make([]byte, 166)...))
	if err != nil {
		t.Fatal(err)
	}
	h, err := handshake.NewCallee(callee, everything, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.M1(m1); err != nil {
		t.Fatalf("m1 as the protocol says: %v", err)
	}
	m2, _, err := h.M2()
	if err != nil {
		t.Fatal(err)
	}
	ct := m2[:1088]
	shared, err := kem.Decapsulate(ct)
	if err != nil {
		t.Fatal(err)
	}
	ekSum, ctSum := sha256.Sum256(ek), sha256.Sum256(ct)
	psk, err := hkdf.Key(sha256.New, shared, nil, "sotto/1 psk"+string(ekSum[:])+string(ctSum[:]), 32)
	if err != nil {
		t.Fatal(err)
	}
	if err := state.SetPresharedKey(psk); err != nil {
		t.Fatal(err)
	}
	chosen, _, _, err := state.ReadMessage(nil, m2[1088:])
	if err != nil || len(chosen) != 268 || !bytes.Equal(chosen[:3], []byte{1, 0, 0}) {
		t.Fatalf("m2 as the protocol says: %v", err)
	}
	m3, _, _, err := state.WriteMessage(nil, append(bytes.Clone(claim), make([]byte, 404-len(claim))...))
	if err != nil {
		t.Fatal(err)
	}
	_, _, _, err = h.M3(m3)
	return err
}

func TestACallerCannotClaimAnothersAddress(t *testing.T) {
	mallory, alice, bob := newKey(t), newKey(t), newKey(t)
	own, other := mallory.Address(), alice.Address()
	if err := forge(t, mallory, bob, own[:]); err != nil {
		t.Fatalf("her own address: %v", err)
	}
	flipped := own
	flipped[31] ^= 0x80
	point, err := new(edwards25519.Point).SetBytes(own[:])
	if err != nil {
		t.Fatal(err)
	}
	small, err := new(edwards25519.Point).SetBytes(make([]byte, 32)) // of order 4
	if err != nil {
		t.Fatal(err)
	}
	for name, claim := range map[string][]byte{
		"another's": other[:], "nobody's": make([]byte, 32), "with torsion": point.Add(point, small).Bytes(),
	} {
		if err := forge(t, mallory, bob, claim); !errors.Is(err, handshake.ErrPeer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// −A has the same X25519 key, and so could be claimed by whoever holds A: it
	// is another address, and blocking goes by the X25519 key.
	if err := forge(t, mallory, bob, flipped[:]); err != nil {
		t.Errorf("sign-flipped: %v", err)
	}
}
