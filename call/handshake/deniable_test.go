package handshake_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha3"
	"slices"
	"testing"
	"testing/cryptotest"

	"github.com/flynn/noise"

	"github.com/sottovoce/sotto/call/handshake"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
)

// fixed is n bytes that are always the same for a label.
func fixed(label string, n int) []byte { return sha3.SumSHAKE256([]byte(label), n) }

// encapsulation sets the randomness that ML-KEM takes from the whole process,
// and gives what it will be.
func encapsulation(t *testing.T) []byte {
	cryptotest.SetGlobalRandom(t, 1876)
	m := make([]byte, 32)
	rand.Read(m)
	cryptotest.SetGlobalRandom(t, 1876)
	return m
}

type transcript struct {
	m1, m2, m3 []byte
	secrets    handshake.Secrets
}

var wishes = handshake.Wishes{CallID: [16]byte{1, 2, 3}, Paths: 4}

// converse is a handshake of two people, with fixed randomness.
func converse(t *testing.T, alice, bob *identity.Key) (tr transcript) {
	t.Helper()
	caller, err := handshake.NewCaller(alice, bob.Address(), everything, bytes.NewReader(slices.Concat(fixed("kem", 64), fixed("alice", 32))))
	if err != nil {
		t.Fatal(err)
	}
	callee, err := handshake.NewCallee(bob, everything, bytes.NewReader(fixed("bob", 32)))
	if err != nil {
		t.Fatal(err)
	}
	encapsulation(t)
	if tr.m1, err = caller.M1(); err != nil {
		t.Fatal(err)
	}
	if err := callee.M1(tr.m1); err != nil {
		t.Fatal(err)
	}
	if tr.m2, _, err = callee.M2(); err != nil {
		t.Fatal(err)
	}
	if _, err := caller.M2(tr.m2); err != nil {
		t.Fatal(err)
	}
	if tr.m3, tr.secrets, err = caller.M3(wishes); err != nil {
		t.Fatal(err)
	}
	if who, _, secrets, err := callee.M3(tr.m3); err != nil || who != alice.Address() || secrets != tr.secrets {
		t.Fatalf("%v, %v", who, err)
	}
	return tr
}

// m1 and m2 are the same bytes whoever calls, given the same randomness: they
// hold nothing of the caller, and the callee's answer cannot depend on them.
// What is not sealed in them is the same whomever they call, too.
func TestNothingBeforeM3DependsOnWhoCalls(t *testing.T) {
	alice, carol, bob, dave := newKey(t), newKey(t), newKey(t), newKey(t)
	one, two, three := converse(t, alice, bob), converse(t, carol, bob), converse(t, alice, dave)
	if !bytes.Equal(one.m1, two.m1) || !bytes.Equal(one.m2, two.m2) {
		t.Error("m1 or m2 tells one caller from another")
	}
	if bytes.Equal(one.m3, two.m3) {
		t.Error("m3 does not")
	}
	if !bytes.Equal(one.m1[:32], three.m1[:32]) || !bytes.Equal(one.m2[:1120], three.m2[:1120]) {
		t.Error("what is open in m1 or m2 tells one callee from another")
	}
	if bytes.Equal(one.m1[32:], three.m1[32:]) || bytes.Equal(one.m2[1120:], three.m2[1120:]) {
		t.Error("what is sealed is the same for two callees")
	}
	for name, key := range map[string]*identity.Key{"caller": alice, "callee": bob} {
		address, form := key.Address(), key.Address().X25519()
		for _, m := range [][]byte{one.m1, one.m2, one.m3} {
			if bytes.Contains(m, address[:]) || bytes.Contains(m, form[:]) {
				t.Errorf("the %s's key stands in a message", name)
			}
		}
	}
}

// outsider is X25519 for someone who has nobody's secret key, but chose the
// ephemerals of both sides: DH with a static key can be done from there.
type outsider struct {
	noise.DHFunc
	caller, callee               []byte // stand for the secrets that are not there
	callerForm, calleeForm       []byte
	callersSecret, calleesSecret []byte // ephemeral secrets
}

func (o outsider) DH(private, public []byte) ([]byte, error) {
	switch {
	case bytes.Equal(private, o.caller): // se: public is the callee's ephemeral
		return o.DHFunc.DH(o.calleesSecret, o.callerForm)
	case bytes.Equal(private, o.callee): // es: public is the caller's
		return o.DHFunc.DH(o.callersSecret, o.calleeForm)
	}
	return o.DHFunc.DH(private, public)
}

// simulate makes a whole handshake between two people from their public keys
// alone.
func simulate(t *testing.T, alice, bob identity.Address) (tr transcript) {
	t.Helper()
	callerForm, calleeForm := alice.X25519(), bob.X25519()
	o := outsider{
		DHFunc: noise.DH25519, caller: []byte("no caller's secret"), callee: []byte("no callee's secret"),
		callerForm: callerForm[:], calleeForm: calleeForm[:],
		callersSecret: fixed("alice", 32), calleesSecret: fixed("bob", 32),
	}
	side := func(initiator bool, own noise.DHKey, ephemeral []byte) *noise.HandshakeState {
		state, err := noise.NewHandshakeState(noise.Config{
			CipherSuite: noise.NewCipherSuite(o, noise.CipherChaChaPoly, noise.HashBLAKE2s),
			Pattern:     noise.HandshakeXK, Initiator: initiator, PresharedKeyPlacement: 2,
			Prologue: slices.Concat([]byte("sotto"), bob[:]), PeerStatic: map[bool][]byte{true: calleeForm[:]}[initiator],
			StaticKeypair: own, Random: bytes.NewReader(ephemeral),
		})
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	caller := side(true, noise.DHKey{Private: o.caller, Public: callerForm[:]}, o.callersSecret)
	callee := side(false, noise.DHKey{Private: o.callee, Public: calleeForm[:]}, o.calleesSecret)
	must := func(b []byte, _, _ *noise.CipherState, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}

	kem, err := mlkem.NewDecapsulationKey768(fixed("kem", 64))
	if err != nil {
		t.Fatal(err)
	}
	ek := kem.EncapsulationKey()
	tr.m1 = must(caller.WriteMessage(nil, slices.Concat(ek.Bytes(), []byte{0, 1, 0, 7, 0, 1}, make([]byte, 166))))
	must(callee.ReadMessage(nil, tr.m1))
	shared, ct, err := mlkemtest.Encapsulate768(ek, encapsulation(t))
	if err != nil {
		t.Fatal(err)
	}
	ekSum, ctSum := sha256.Sum256(ek.Bytes()), sha256.Sum256(ct)
	psk, err := hkdf.Key(sha256.New, shared, nil, "sotto/1 psk"+string(ekSum[:])+string(ctSum[:]), 32)
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []*noise.HandshakeState{caller, callee} {
		if err := state.SetPresharedKey(psk); err != nil {
			t.Fatal(err)
		}
	}
	tr.m2 = must(callee.WriteMessage(ct, append([]byte{1, 0, 0}, make([]byte, 265)...)))
	must(caller.ReadMessage(nil, tr.m2[1088:]))
	m3, k1, k2, err := caller.WriteMessage(nil, slices.Concat(alice[:], wishes.CallID[:], []byte{wishes.Paths}, make([]byte, 355)))
	if err != nil {
		t.Fatal(err)
	}
	tr.m3, tr.secrets = m3, handshake.Secrets{Binding: [32]byte(caller.ChannelBinding()), K1: k1.UnsafeKey(), K2: k2.UnsafeKey()}
	return tr
}

// A transcript proves nothing to a judge: somebody who has neither side's secret
// key, and so the callee alone or the caller alone too, makes the very bytes
// that the two would have made, and whatever records they like to follow. (A
// judge who chose an ephemeral while it happened would know better.)
func TestAnyoneCouldHaveMadeTheTranscript(t *testing.T) {
	alice, bob := newKey(t), newKey(t)
	genuine, made := converse(t, alice, bob), simulate(t, alice.Address(), bob.Address())
	for name, pair := range map[string][2][]byte{
		"m1": {genuine.m1, made.m1}, "m2": {genuine.m2, made.m2}, "m3": {genuine.m3, made.m3},
	} {
		if !bytes.Equal(pair[0], pair[1]) {
			t.Errorf("%s is another", name)
		}
	}
	blocks := func(s handshake.Secrets) [3]record.Cell {
		chain := record.NewChain(s.Binding, s.K1, s.K2)
		zero, one := chain.Next(), chain.Next()
		kc, ks := zero.Records(nil)
		var out [3]record.Cell
		plain := record.Plain{1, 2, 3}
		record.NewSealer(kc).Seal(&out[0], &plain)
		record.NewSealer(ks).Seal(&out[1], &plain)
		one.SealJoin(&out[2], [32]byte{4})
		return out
	}
	if blocks(genuine.secrets) != blocks(made.secrets) {
		t.Error("records or joins are others")
	}
}
