package identity_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"filippo.io/edwards25519"

	"github.com/sottovoce/sotto/identity"
)

// The Tor Project's own site, published by people who are not us.
const torProject = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"

func TestParseTakesWhatPeoplePaste(t *testing.T) {
	want, err := identity.Parse(torProject)
	if err != nil {
		t.Fatal(err)
	}
	if got := want.Onion(); got != torProject+".onion" {
		t.Fatalf("Onion() = %s", got)
	}
	for _, text := range []string{
		torProject + ".onion", "sotto://" + torProject, "  http://" + torProject + ".onion/ \n",
		strings.ToUpper(torProject) + ".ONION", torProject + ".onion:1876", "SOTTO://" + torProject + ".onion",
	} {
		if got, err := identity.Parse(text); err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v", text, got, err)
		}
	}
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	wrong := map[string]error{
		"":                       identity.ErrAddress,
		"example.com":            identity.ErrAddress,
		"expyuzz4wqqyqhjn.onion": identity.ErrV2,
		torProject[:55]:          identity.ErrAddress,
		torProject + "a":         identity.ErrAddress,
		"3" + torProject[1:]:     identity.ErrChecksum,
		torProject[:55] + "e":    identity.ErrChecksum,
		"2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen47uie": identity.ErrVersion,
		torProject + ".onion:80":                                   identity.ErrAddress,
		torProject[:20] + "1" + torProject:                         identity.ErrAddress,
		"user@" + torProject + ".onion":                            identity.ErrAddress,
		"www." + torProject + ".onion":                             identity.ErrAddress,
		torProject + ".onion\x00.evil.test":                        identity.ErrAddress,
	}
	for text, want := range wrong {
		if a, err := identity.Parse(text); !errors.Is(err, want) {
			t.Errorf("Parse(%q) = %v, %v; want %v", text, a, err, want)
		}
	}
}

// What is wrong is said so that it can be put right.
func TestParseSaysWhatToDo(t *testing.T) {
	for text, want := range map[string]string{
		"": "nothing was given", torProject + ".onion:80": "what follows .onion", torProject + ".onion/index": "what follows .onion",
		"www." + torProject + ".onion": "what stands before", "user@" + torProject + ".onion": "what stands before",
		torProject[:55]: "it has 55 characters", "2gzy": "56 characters", "expyuzz4wqqyqhjn.onion": "v2 onion address",
		strings.Replace(torProject, "g", "0", 1): "characters other than a-z and 2-7",
	} {
		if _, err := identity.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v; it should say %q", text, err, want)
		}
	}
}

// Every way to be a bad point: small order, torsion added to a good key, not
// on the curve, not the canonical encoding of its point.
func TestBadPointsAreRefused(t *testing.T) {
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	address := key.Address()
	good, err := new(edwards25519.Point).SetBytes(address[:])
	if err != nil {
		t.Fatal(err)
	}
	torsion, err := new(edwards25519.Point).SetBytes(unhex(t, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string][]byte{
		"identity":             unhex(t, "0100000000000000000000000000000000000000000000000000000000000000"),
		"order 2":              unhex(t, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
		"order 4":              unhex(t, "0000000000000000000000000000000000000000000000000000000000000000"),
		"order 8":              torsion.Bytes(),
		"torsion added":        new(edwards25519.Point).Add(good, torsion).Bytes(),
		"y = p + 1":            unhex(t, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
		"identity, sign bit":   unhex(t, "0100000000000000000000000000000000000000000000000000000000000080"),
		"not on the curve":     unhex(t, "0200000000000000000000000000000000000000000000000000000000000000"),
		"31 bytes":             make([]byte, 31),
		"nothing":              nil,
		"good, one byte added": append(address[:], 0),
	}
	for name, b := range bad {
		if _, err := identity.FromBytes(b); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if got, err := identity.FromBytes(address[:]); err != nil || got != key.Address() {
		t.Errorf("a good one was refused: %v", err)
	}
}

// RFC 8032 section 7.1, test 1: seed and public key.
func TestKeyIsEd25519(t *testing.T) {
	seed := unhex(t, "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
	key, err := identity.NewKey(bytes.NewReader(seed))
	if err != nil {
		t.Fatal(err)
	}
	address := key.Address()
	if want := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey); !bytes.Equal(want, address[:]) {
		t.Fatalf("address %x, want %x", address[:], want)
	}
	if got := [32]byte(key.ECDH().PublicKey().Bytes()); got != address.X25519() {
		t.Fatal("the X25519 public key is not the address's Montgomery form")
	}
	again, err := identity.KeyFromTor(key.Tor())
	if err != nil || again.Address() != address {
		t.Fatalf("the exported key comes back as %v, %v", again, err)
	}
}

func TestUnclampedKeysAreRefused(t *testing.T) {
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, flip := range []struct{ at, bit int }{{0, 1}, {0, 2}, {0, 4}, {31, 64}, {31, 128}} {
		raw := key.Tor()
		raw[flip.at] ^= byte(flip.bit)
		if _, err := identity.KeyFromTor(raw); !errors.Is(err, identity.ErrKey) {
			t.Errorf("bit %#x of byte %d flipped: %v", flip.bit, flip.at, err)
		}
	}
}

// A and −A share one X25519 key: two addresses, one entry of a block list.
func TestSignFlippedAddressesShareOneX25519Key(t *testing.T) {
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	address := key.Address()
	flipped := address
	flipped[31] ^= 0x80
	minus, err := identity.FromBytes(flipped[:])
	if err != nil {
		t.Fatal(err)
	}
	if minus == address || minus.X25519() != address.X25519() {
		t.Fatal("A and −A should differ as addresses and agree as X25519 keys")
	}
}

func TestNothingPrintsWhole(t *testing.T) {
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	address := key.Address()
	holder := struct {
		A identity.Address
		K *identity.Key
	}{address, key}
	raw := key.Tor()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		for _, value := range []any{address, key, holder, &holder} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, address.Onion()[:20]) || strings.Contains(text, hex.EncodeToString(address[:8])) ||
				strings.Contains(text, hex.EncodeToString(raw[:8])) {
				t.Errorf("%s prints too much: %s", verb, text)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(torProject)
	f.Add("sotto://" + torProject + ".onion:1876/")
	f.Add("expyuzz4wqqyqhjn.onion")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := identity.Parse(text)
		if err != nil {
			return
		}
		if again, err := identity.Parse(a.Onion()); err != nil || again != a {
			t.Fatalf("%q parses, its own name does not: %v", text, err)
		}
	})
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
