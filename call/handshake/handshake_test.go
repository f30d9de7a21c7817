package handshake_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/sottovoce/sotto/call/handshake"
	"github.com/sottovoce/sotto/identity"
)

var everything = handshake.Offer{Versions: 1, Profiles: 7, Paces: 1}

func newKey(t testing.TB) *identity.Key {
	t.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

type outcome struct {
	stage          string // at which it failed, "" for none
	err            error
	got            identity.Address // whom the callee took the caller for
	caller, callee handshake.Secrets
}

// talk runs a handshake, each message passed through tamper on its way.
func talk(t testing.TB, caller *handshake.Caller, callee *handshake.Callee, tamper func(stage string, message []byte) []byte) outcome {
	t.Helper()
	m1, err := caller.M1()
	if err != nil {
		t.Fatal(err)
	}
	if err := callee.M1(tamper("m1", m1)); err != nil {
		return outcome{stage: "m1", err: err}
	}
	m2, _, err := callee.M2()
	if err != nil {
		return outcome{stage: "choice", err: err}
	}
	if _, err := caller.M2(tamper("m2", m2)); err != nil {
		return outcome{stage: "m2", err: err}
	}
	m3, a, err := caller.M3(handshake.Wishes{CallID: [16]byte{1, 2, 3}, Paths: 4})
	if err != nil {
		t.Fatal(err)
	}
	got, wishes, b, err := callee.M3(tamper("m3", m3))
	if err != nil {
		return outcome{stage: "m3", err: err}
	}
	if wishes.CallID != [16]byte{1, 2, 3} || wishes.Paths != 4 {
		t.Errorf("wishes came as %+v", wishes)
	}
	if len(m1) != 1404 || len(m2) != 1404 || len(m3) != 468 {
		t.Errorf("sizes %d, %d, %d", len(m1), len(m2), len(m3))
	}
	return outcome{got: got, caller: a, callee: b}
}

func untouched(_ string, m []byte) []byte { return m }

func pair(t testing.TB, callerKey, calleeKey *identity.Key, dialled identity.Address) (*handshake.Caller, *handshake.Callee) {
	t.Helper()
	caller, err := handshake.NewCaller(callerKey, dialled, everything, nil)
	if err != nil {
		t.Fatal(err)
	}
	callee, err := handshake.NewCallee(calleeKey, everything, nil)
	if err != nil {
		t.Fatal(err)
	}
	return caller, callee
}

func TestBothSidesAreProven(t *testing.T) {
	alice, bob := newKey(t), newKey(t)
	caller, callee := pair(t, alice, bob, bob.Address())
	o := talk(t, caller, callee, untouched)
	if o.err != nil {
		t.Fatalf("%s: %v", o.stage, o.err)
	}
	if o.got != alice.Address() {
		t.Error("the callee learned another caller")
	}
	if a := o.caller; a != o.callee || a == (handshake.Secrets{}) || a.K1 == a.K2 {
		t.Error("the two ends do not share three secrets")
	}
}

// The callee answers with another key than the one that was dialled: its m1
// does not open. The same for −A, whose X25519 form is the same: the prologue
// holds the whole key.
func TestTheWrongCalleeCannotAnswer(t *testing.T) {
	alice, bob, mallory := newKey(t), newKey(t), newKey(t)
	caller, callee := pair(t, alice, mallory, bob.Address())
	if o := talk(t, caller, callee, untouched); o.stage != "m1" || !errors.Is(o.err, handshake.ErrAuth) {
		t.Errorf("another key: stage %q, %v", o.stage, o.err)
	}
	flipped := bob.Address()
	flipped[31] ^= 0x80
	minus, err := identity.FromBytes(flipped[:])
	if err != nil {
		t.Fatal(err)
	}
	caller, callee = pair(t, alice, bob, minus)
	if o := talk(t, caller, callee, untouched); o.stage != "m1" || !errors.Is(o.err, handshake.ErrAuth) {
		t.Errorf("sign-flipped: stage %q, %v", o.stage, o.err)
	}
}

// Every byte of every message matters: whichever is changed, cut or added, the
// handshake ends at that message.
func TestDamageEndsTheHandshake(t *testing.T) {
	alice, bob := newKey(t), newKey(t)
	for _, at := range []string{"m1", "m2", "m3"} {
		size := map[string]int{"m1": handshake.M1Size, "m2": handshake.M2Size, "m3": handshake.M3Size}[at]
		damage := map[string]func([]byte) []byte{
			"one byte short": func(m []byte) []byte { return m[:len(m)-1] },
			"one byte more":  func(m []byte) []byte { return append(bytes.Clone(m), 0) },
			"nothing":        func([]byte) []byte { return nil },
		}
		for i := 0; i < size; i += 37 {
			damage[fmt.Sprintf("a bit of byte %d", i)] = func(m []byte) []byte {
				m = bytes.Clone(m)
				m[i] ^= 1 << (i % 8)
				return m
			}
		}
		for name, change := range damage {
			caller, callee := pair(t, alice, bob, bob.Address())
			o := talk(t, caller, callee, func(stage string, m []byte) []byte {
				if stage == at {
					return change(m)
				}
				return m
			})
			if o.stage != at || o.err == nil {
				t.Errorf("%s, %s: ended at %q with %v", at, name, o.stage, o.err)
			}
		}
	}
}

// What has failed once is over: the right message, coming later, is not taken.
func TestNothingIsTriedTwice(t *testing.T) {
	alice, bob := newKey(t), newKey(t)
	for _, at := range []string{"m1", "m2", "m3"} {
		caller, callee := pair(t, alice, bob, bob.Address())
		var right []byte
		if o := talk(t, caller, callee, func(stage string, m []byte) []byte {
			if stage != at {
				return m
			}
			right = bytes.Clone(m)
			m[100] ^= 1
			return m
		}); o.stage != at {
			t.Fatalf("%s: ended at %q", at, o.stage)
		}
		var err error
		switch at {
		case "m1":
			err = callee.M1(right)
		case "m2":
			_, err = caller.M2(right)
		case "m3":
			_, _, _, err = callee.M3(right)
		}
		if err == nil {
			t.Errorf("%s was taken after a bad one", at)
		}
	}
	caller, callee := pair(t, alice, bob, bob.Address())
	if o := talk(t, caller, callee, untouched); o.err != nil {
		t.Fatal(o.err)
	}
	if _, err := caller.M1(); err == nil {
		t.Error("a second m1")
	}
	if _, _, err := callee.M2(); err == nil {
		t.Error("a second m2")
	}
	if _, _, err := caller.M3(handshake.Wishes{}); err == nil {
		t.Error("a second m3")
	}
}

// A replayed m1 is answered afresh and dies at m3, whose keys it cannot know.
func TestAReplayedFirstMessageDiesAtM3(t *testing.T) {
	alice, bob := newKey(t), newKey(t)
	caller, callee := pair(t, alice, bob, bob.Address())
	var m1, m3 []byte
	if o := talk(t, caller, callee, func(stage string, m []byte) []byte {
		switch stage {
		case "m1":
			m1 = bytes.Clone(m)
		case "m3":
			m3 = bytes.Clone(m)
		}
		return m
	}); o.err != nil {
		t.Fatal(o.err)
	}
	again, err := handshake.NewCallee(bob, everything, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.M1(m1); err != nil {
		t.Fatalf("a replayed m1 looks like any other, but: %v", err)
	}
	if _, _, err := again.M2(); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := again.M3(m3); !errors.Is(err, handshake.ErrAuth) {
		t.Fatalf("a replayed m3: %v", err)
	}
}

func TestVersionsAreNegotiated(t *testing.T) {
	alice, bob := newKey(t), newKey(t)
	for _, c := range []struct {
		caller, callee handshake.Offer
		want           handshake.Choice
		stage          string
	}{
		{everything, everything, handshake.Choice{Version: 1}, ""},
		{handshake.Offer{Versions: 0b1111, Profiles: 6, Paces: 3}, handshake.Offer{Versions: 0b11, Profiles: 7, Paces: 2}, handshake.Choice{Version: 2, Profile: 1, Pace: 1}, ""},
		{handshake.Offer{Versions: 2, Profiles: 7, Paces: 1}, everything, handshake.Choice{}, "choice"},
		{handshake.Offer{Versions: 1, Profiles: 0x8000, Paces: 1}, everything, handshake.Choice{}, "choice"},
		{handshake.Offer{}, everything, handshake.Choice{}, "choice"},
	} {
		caller, err := handshake.NewCaller(alice, bob.Address(), c.caller, nil)
		if err != nil {
			t.Fatal(err)
		}
		callee, err := handshake.NewCallee(bob, c.callee, nil)
		if err != nil {
			t.Fatal(err)
		}
		m1, err := caller.M1()
		if err != nil {
			t.Fatal(err)
		}
		if err := callee.M1(m1); err != nil {
			t.Fatal(err)
		}
		m2, choice, err := callee.M2()
		if c.stage != "" {
			if !errors.Is(err, handshake.ErrVersion) {
				t.Errorf("%+v with %+v: %v", c.caller, c.callee, err)
			}
			continue
		}
		if err != nil || choice != c.want {
			t.Errorf("%+v with %+v: %+v, %v", c.caller, c.callee, choice, err)
		}
		if told, err := caller.M2(m2); err != nil || told != choice {
			t.Errorf("the caller was told %+v, %v", told, err)
		}
	}
}

func TestMessagesOutOfOrderAreRefused(t *testing.T) {
	alice, bob := newKey(t), newKey(t)
	caller, callee := pair(t, alice, bob, bob.Address())
	if _, _, err := callee.M2(); err == nil {
		t.Error("m2 before m1")
	}
	if _, err := caller.M2(make([]byte, handshake.M2Size)); err == nil {
		t.Error("m2 read before m1 was written")
	}
	caller, callee = pair(t, alice, bob, bob.Address())
	if _, _, err := caller.M3(handshake.Wishes{}); err == nil {
		t.Error("m3 before m1")
	}
	if _, _, _, err := callee.M3(make([]byte, handshake.M3Size)); err == nil {
		t.Error("m3 read before m1")
	}
}
