package interop_test

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha3"
	"slices"
	"testing"

	"github.com/sottovoce/sotto/call/handshake"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/internal/interop"
)

// fixed is n bytes that always are the same for a label.
func fixed(label string, n int) interop.Hex {
	return sha3.SumSHAKE256([]byte("sotto vectors: "+label), n)
}

// person is the secret key of a name, in tor's form.
func person(name string) interop.Hex {
	b := fixed(name+"'s key", 64)
	b[0] &= 248
	b[31] = b[31]&127 | 64
	return b
}

func keyOf(t *testing.T, expanded interop.Hex) *identity.Key {
	t.Helper()
	key, err := identity.KeyFromTor([64]byte(expanded))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func addressOf(t *testing.T, name string) identity.Address { return keyOf(t, person(name)).Address() }

func offerOf(in *interop.In) handshake.Offer {
	return handshake.Offer{
		Versions: handshake.Set(in.Offer[0]), Profiles: handshake.Set(in.Offer[1]), Paces: handshake.Set(in.Offer[2]),
	}
}

func secretsOf(s handshake.Secrets) *interop.Secrets {
	return &interop.Secrets{H: s.Binding[:], K1: s.K1[:], K2: s.K2[:]}
}

func chainOf(in *interop.In) *record.Chain {
	return record.NewChain([32]byte(in.Secrets.H), [32]byte(in.Secrets.K1), [32]byte(in.Secrets.K2))
}

func pathOf(in *interop.In, number int) record.PathKeys {
	chain := chainOf(in)
	for chain.Number() < number {
		chain.Next()
	}
	return chain.Next()
}

// link0 and nextLink are the chain of docs/protocol.md, section 5, written out.
func link0(s *interop.Secrets) []byte {
	key, err := hkdf.Extract(sha256.New, slices.Concat(s.K1, s.K2), s.H)
	if err != nil {
		panic(err)
	}
	return key
}

func nextLink(chain []byte) (interop.Link, []byte) {
	b := expanded(chain, "sotto/1 path", 112)
	return interop.Link{Tag: b[:16], Jc: b[16:48], Js: b[48:80]}, b[80:]
}

func expanded(key []byte, info string, n int) []byte {
	b, err := hkdf.Expand(sha256.New, key, info, n)
	if err != nil {
		panic(err)
	}
	return b
}

// sealerAt is a sealer that has sealed before records, which sealed sees.
func sealerAt(key []byte, before int, sealed func(record.Cell)) *record.Sealer {
	s := record.NewSealer([32]byte(key))
	var p record.Plain
	var c record.Cell
	for range before {
		s.Seal(&c, &p)
		if sealed != nil {
			sealed(c)
		}
	}
	return s
}
