package interop_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"crypto/sha256"
	"io"
	"slices"
	"testing"

	"github.com/flynn/noise"

	"github.com/sottovoce/sotto/internal/interop"
)

// forger is one end of a handshake over the Noise library alone, so that it
// can do what our own code never would. Its zero value does all as it should:
// alice calls bob.
type forger struct {
	own      string          // whose secret key it has; "": alice's or bob's
	dialled  interop.Hex     // the Ed25519 key in the prologue
	prologue []byte          // in place of the right one
	plain    bool            // without psk, in name and in mixing
	e        interop.Hex     // public ephemeral in place of the right one
	static   []byte          // public static in place of its own
	payload  func(p []byte)  // changes m1's, m2's or m3's payload
	psk      func(p *[]byte) // changes the psk
}

func (f *forger) state(t *testing.T, initiator bool) *noise.HandshakeState {
	t.Helper()
	bob := addressOf(t, "bob")
	if f.dialled == nil {
		f.dialled = bob[:]
	}
	if f.prologue == nil {
		f.prologue = slices.Concat([]byte("sotto"), f.dialled)
	}
	random := fixed("bob's ephemeral", 32)
	if initiator {
		random = fixed("alice's ephemeral", 32)
	}
	if f.own == "" {
		f.own = map[bool]string{true: "alice", false: "bob"}[initiator]
	}
	own := keyOf(t, person(f.own))
	form := bob.X25519()
	config := noise.Config{
		CipherSuite: noise.NewCipherSuite(dh{noise.DH25519, f.e}, noise.CipherChaChaPoly, noise.HashBLAKE2s),
		Pattern:     noise.HandshakeXK, Initiator: initiator, Prologue: f.prologue, PresharedKeyPlacement: 2,
		Random:        bytes.NewReader(random),
		StaticKeypair: noise.DHKey{Private: own.ECDH().Bytes(), Public: own.ECDH().PublicKey().Bytes()},
	}
	if initiator {
		config.PeerStatic = form[:]
	}
	if f.static != nil {
		config.StaticKeypair.Public = f.static
	}
	if f.plain {
		config.PresharedKeyPlacement = 0
	}
	state, err := noise.NewHandshakeState(config)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// dh is X25519 that shows another ephemeral than it has.
type dh struct {
	noise.DHFunc
	shown interop.Hex
}

func (d dh) GenerateKeypair(random io.Reader) (noise.DHKey, error) {
	key, err := d.DHFunc.GenerateKeypair(random)
	if d.shown != nil {
		key.Public = d.shown
	}
	return key, err
}

func (f *forger) change(payload []byte) []byte {
	if f.payload != nil {
		f.payload(payload)
	}
	return payload
}

// secret gives the psk, as it should be or changed.
func (f *forger) secret(t *testing.T, shared, ek, ct []byte) []byte {
	t.Helper()
	ekSum, ctSum := sha256.Sum256(ek), sha256.Sum256(ct)
	psk, err := hkdf.Key(sha256.New, shared, nil, "sotto/1 psk"+string(ekSum[:])+string(ctSum[:]), 32)
	if err != nil {
		t.Fatal(err)
	}
	if f.psk != nil {
		f.psk(&psk)
	}
	return psk
}

func kemOf(t *testing.T) *mlkem.DecapsulationKey768 {
	t.Helper()
	kem, err := mlkem.NewDecapsulationKey768(fixed("alice's ML-KEM seed", 64))
	if err != nil {
		t.Fatal(err)
	}
	return kem
}

// m1 is alice's first message.
func (f *forger) m1(t *testing.T) (interop.Hex, *noise.HandshakeState) {
	t.Helper()
	payload := make([]byte, 1356)
	copy(payload, kemOf(t).EncapsulationKey().Bytes())
	copy(payload[1184:], []byte{0, 1, 0, 7, 0, 1})
	state := f.state(t, true)
	m1, _, _, err := state.WriteMessage(nil, f.change(payload))
	if err != nil {
		t.Fatal(err)
	}
	return m1, state
}

// m2 is bob's answer to m1.
func (f *forger) m2(t *testing.T, m1 interop.Hex) interop.Hex {
	t.Helper()
	state := f.state(t, false)
	if _, _, _, err := state.ReadMessage(nil, m1); err != nil {
		t.Fatal(err)
	}
	ek := kemOf(t).EncapsulationKey()
	shared, ct, err := mlkemtest.Encapsulate768(ek, encapsulation(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := state.SetPresharedKey(f.secret(t, shared, ek.Bytes(), ct)); err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, 268)
	payload[0] = 1
	m2, _, _, err := state.WriteMessage(ct, f.change(payload))
	if err != nil {
		t.Fatal(err)
	}
	return m2
}

// m3 is what alice answers to bob's true m2.
func (f *forger) m3(t *testing.T) interop.Hex {
	t.Helper()
	right := forger{own: f.own, e: f.e, static: f.static}
	m1, state := right.m1(t)
	m2 := (&forger{}).m2(t, m1)
	kem := kemOf(t)
	shared, err := kem.Decapsulate(m2[:1088])
	if err != nil {
		t.Fatal(err)
	}
	if err := state.SetPresharedKey(f.secret(t, shared, kem.EncapsulationKey().Bytes(), m2[:1088])); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := state.ReadMessage(nil, m2[1088:]); err != nil {
		t.Fatal(err)
	}
	alice := addressOf(t, "alice")
	payload := slices.Concat(alice[:], fixed("call id", 16), []byte{4}, make([]byte, 355))
	m3, _, _, err := state.WriteMessage(nil, f.change(payload))
	if err != nil {
		t.Fatal(err)
	}
	return m3
}
