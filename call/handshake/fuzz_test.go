package handshake_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/mlkem"
	"crypto/sha256"
	"slices"
	"testing"
	"testing/cryptotest"

	"github.com/flynn/noise"

	"github.com/sottovoce/sotto/call/handshake"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/internal/interop"
)

// vectors are the cases of one kind from docs/vectors.
func vectors(t testing.TB, kind string) (cases []interop.Case) {
	t.Helper()
	all, err := interop.Read("../../docs/vectors")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Kind == kind {
			cases = append(cases, c)
		}
	}
	return cases
}

func stored(t testing.TB, expanded []byte) *identity.Key {
	t.Helper()
	key, err := identity.KeyFromTor([64]byte(expanded))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Whatever comes in place of m1 and m3: nobody is taken for a caller but those
// whose messages are in the vectors, and what is refused stays refused.
func FuzzCallee(f *testing.F) {
	var bob, ephemeral []byte
	good := map[string]bool{}
	for _, c := range vectors(f, "callee") {
		f.Add([]byte(c.In.M1), []byte(c.In.M3))
		if c.Stage == "ok" {
			bob, ephemeral = c.In.Expanded, c.In.Ephemeral
			good[string(c.In.M1)+string(c.In.M3)] = true
		}
	}
	key := stored(f, bob)
	f.Fuzz(func(t *testing.T, first, last []byte) {
		cryptotest.SetGlobalRandom(t, 1876)
		callee, err := handshake.NewCallee(key, everything, bytes.NewReader(ephemeral))
		if err != nil {
			t.Fatal(err)
		}
		if callee.M1(first) != nil {
			if _, _, err := callee.M2(); err == nil {
				t.Fatal("an answer to nothing")
			}
			return
		}
		m2, _, err := callee.M2()
		if err != nil {
			return
		}
		if len(m2) != handshake.M2Size {
			t.Fatalf("m2 has %d bytes", len(m2))
		}
		if _, _, _, err := callee.M3(last); (err == nil) != good[string(first)+string(last)] {
			t.Fatalf("a caller out of thin air: %v", err)
		}
	})
}

// Whatever comes in place of m2.
func FuzzCaller(f *testing.F) {
	var in interop.In
	good := map[string]bool{}
	for _, c := range vectors(f, "caller") {
		f.Add([]byte(c.In.M2))
		if c.Stage == "ok" {
			in, good[string(c.In.M2)] = c.In, true
		}
	}
	key := stored(f, in.Expanded)
	f.Fuzz(func(t *testing.T, m2 []byte) {
		caller, err := handshake.NewCaller(key, identity.Address(in.Callee), everything, bytes.NewReader(slices.Concat(in.KEMSeed, in.Ephemeral)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := caller.M1(); err != nil {
			t.Fatal(err)
		}
		_, err = caller.M2(m2)
		if (err == nil) != good[string(m2)] {
			t.Fatalf("a callee out of thin air: %v", err)
		}
		if _, _, again := caller.M3(handshake.Wishes{}); (again == nil) != (err == nil) {
			t.Fatal("m3 goes out to whom it should not")
		}
	})
}

// A caller who can seal, and says what they like: behind the seals of m1 and m3
// nothing is trusted either.
func FuzzHostileCaller(f *testing.F) {
	alice, bob := stored(f, vectors(f, "caller")[0].In.Expanded), stored(f, vectors(f, "callee")[0].In.Expanded)
	a, b := alice.Address(), bob.Address()
	kem, err := mlkem.NewDecapsulationKey768(fixed("kem", 64))
	if err != nil {
		f.Fatal(err)
	}
	ek := kem.EncapsulationKey().Bytes()
	form := alice.ECDH().PublicKey().Bytes()
	f.Add([]byte{0, 1, 0, 7, 0, 1}, uint16(0), byte(0), a[:], form)
	f.Add([]byte{0, 2, 0, 7, 0, 1}, uint16(0), byte(0), b[:], form)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, uint16(0), byte(0), a[:], make([]byte, 32))
	f.Add([]byte{0, 1, 0, 4, 0, 1}, uint16(1183), byte(0xff), make([]byte, 404), form)
	f.Fuzz(func(t *testing.T, offers []byte, at uint16, bits byte, last, static []byte) {
		cryptotest.SetGlobalRandom(t, 1876)
		form := b.X25519()
		state, err := noise.NewHandshakeState(noise.Config{
			CipherSuite: noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashBLAKE2s),
			Pattern:     noise.HandshakeXK, Initiator: true, PresharedKeyPlacement: 2,
			Prologue: slices.Concat([]byte("sotto"), b[:]), PeerStatic: form[:], Random: bytes.NewReader(fixed("alice", 32)),
			StaticKeypair: noise.DHKey{Private: alice.ECDH().Bytes(), Public: slices.Concat(static, make([]byte, 32))[:32]},
		})
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, 1356)
		copy(first, ek)
		first[at%1184] ^= bits
		copy(first[1184:], offers)
		m1, _, _, err := state.WriteMessage(nil, first)
		if err != nil {
			t.Fatal(err)
		}
		callee, err := handshake.NewCallee(bob, everything, bytes.NewReader(fixed("bob", 32)))
		if err != nil {
			t.Fatal(err)
		}
		if err := callee.M1(m1); err != nil {
			t.Fatalf("it opens, but: %v", err)
		}
		m2, choice, err := callee.M2()
		if err != nil {
			return
		}
		if choice.Version != 1 || choice.Profile > 2 || choice.Pace != 0 {
			t.Fatalf("chose %+v", choice)
		}
		shared, err := kem.Decapsulate(m2[:1088])
		if err != nil {
			t.Fatal(err)
		}
		ekSum, ctSum := sha256.Sum256(first[:1184]), sha256.Sum256(m2[:1088])
		psk, err := hkdf.Key(sha256.New, shared, nil, "sotto/1 psk"+string(ekSum[:])+string(ctSum[:]), 32)
		if err != nil {
			t.Fatal(err)
		}
		if err := state.SetPresharedKey(psk); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := state.ReadMessage(nil, m2[1088:]); err != nil {
			return // another ML-KEM key than ours
		}
		payload := make([]byte, 404)
		copy(payload, last)
		m3, _, _, err := state.WriteMessage(nil, payload)
		if err != nil {
			t.Fatal(err)
		}
		who, _, _, err := callee.M3(m3)
		if minus := identity.Address(a); err == nil && who != a {
			if minus[31] ^= 0x80; who != minus {
				t.Fatalf("taken for %x", who[:])
			}
		}
	})
}
