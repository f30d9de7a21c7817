package interop_test

import (
	"bytes"
	"slices"
	"testing"

	"filippo.io/edwards25519"

	"github.com/sottovoce/sotto/internal/interop"
)

// sheaf gathers cases.
type sheaf struct {
	t     *testing.T
	cases []interop.Case
}

func (s *sheaf) add(name, kind, stage, about string, in interop.In) {
	s.cases = append(s.cases, interop.Case{Name: kind + "-" + name, Kind: kind, Stage: stage, About: about, In: in})
}

// generate makes all cases but for what comes of them.
func generate(t *testing.T) []interop.Case {
	s := &sheaf{t: t}
	s.keys()
	s.addresses()
	s.callee()
	s.caller()
	s.joins()
	s.records()
	s.control()
	return s.cases
}

// flip is b with one bit changed.
func flip(b interop.Hex, at int, bit byte) interop.Hex {
	b = slices.Clone(b)
	b[at] ^= bit
	return b
}

func (s *sheaf) keys() {
	add := func(name, stage, about string, key interop.Hex) {
		s.add(name, "key", stage, about, interop.In{Expanded: key})
	}
	alice := person("alice")
	add("alice", "ok", "the caller of the other cases", alice)
	add("bob", "ok", "the callee of the other cases", person("bob"))
	add("bit-0-set", "key", "an unclamped scalar: the lowest bit is set", flip(alice, 0, 1))
	add("bit-2-set", "key", "an unclamped scalar: bit 2 is set", flip(alice, 0, 4))
	add("bit-254-clear", "key", "an unclamped scalar: bit 254 is clear", flip(alice, 31, 0x40))
	add("bit-255-set", "key", "an unclamped scalar: the highest bit is set", flip(alice, 31, 0x80))
	add("zero", "key", "no key at all", make(interop.Hex, 64))
}

// Small-order points, as Ed25519 encodes them.
var (
	order4 = make([]byte, 32)
	order8 = []byte("\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05")
)

func point(t *testing.T, b []byte) *edwards25519.Point {
	t.Helper()
	p, err := new(edwards25519.Point).SetBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func torsioned(t *testing.T, b []byte) []byte {
	p := point(t, b)
	return p.Add(p, point(t, order8)).Bytes()
}

func (s *sheaf) addresses() {
	alice := addressOf(s.t, "alice")
	name := []byte(alice.Onion()[:56])
	other := func(at int, c byte) string {
		b := bytes.Clone(name)
		b[at] = c
		return string(b) + ".onion"
	}
	text := func(name, stage, about, onion string) {
		s.add(name, "address", stage, about, interop.In{Onion: onion})
	}
	text("alice", "ok", "the caller's name", string(name)+".onion")
	text("tor-project", "ok", "the Tor Project's site, published by people who are not us",
		"2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion")
	text("checksum", "address", "one character is another", other(9, name[9]^1^('a'^'c')))
	text("version", "address", "version 4, whose checksum is still that of version 3", other(55, 'e'))
	text("v2", "address", "an address of tor's second version", "expyuzz4wqqyqhjn.onion")
	text("short", "address", "a character is missing", string(name[:55])+".onion")
	text("alphabet", "address", "a character that base32 does not have", other(20, '1'))

	add := func(name, stage, about string, b []byte) { s.add(name, "point", stage, about, interop.In{Point: b}) }
	add("alice", "ok", "the caller's key", alice[:])
	add("sign-flipped", "ok", "−A is another address with the same X25519 form: who blocks must block both", flip(alice[:], 31, 0x80))
	add("torsion", "address", "the caller's key with a point of order 8 added", torsioned(s.t, alice[:]))
	add("identity", "address", "the identity", append([]byte{1}, make([]byte, 31)...))
	add("identity-signed", "address", "the identity with its sign bit set: not canonical", append([]byte{1}, append(make([]byte, 30), 0x80)...))
	add("order-2", "address", "the point of order 2", slices.Concat([]byte{0xec}, bytes.Repeat([]byte{0xff}, 30), []byte{0x7f}))
	add("order-4", "address", "a point of order 4", order4)
	add("order-8", "address", "a point of order 8", order8)
	add("not-canonical", "address", "y = p + 1: the identity again", slices.Concat([]byte{0xee}, bytes.Repeat([]byte{0xff}, 30), []byte{0x7f}))
	add("no-point", "address", "y = 2 is on no point", append([]byte{2}, make([]byte, 31)...))
	add("short", "address", "31 bytes", make([]byte, 31))
}

func (s *sheaf) joins() {
	secrets := &interop.Secrets{H: fixed("a call's h", 32), K1: fixed("a call's k1", 32), K2: fixed("a call's k2", 32)}
	other := &interop.Secrets{H: fixed("another call's h", 32), K1: secrets.K1, K2: secrets.K2}
	s.add("links", "chain", "ok", "the first four links of a call's chain, and path 0's record keys", interop.In{Secrets: secrets})

	nc, ns := fixed("Nc", 32), fixed("Ns", 32)
	seal := func(of *interop.Secrets, number int) interop.Hex {
		return runOut(runAnswerIn(of, number, nc)).Block
	}
	add := func(name, stage, about string, block interop.Hex, burned ...int) {
		s.add(name, "join", stage, about, interop.In{Secrets: secrets, Burned: burned, Ns: ns, Block: block})
	}
	add("first", "ok", "path 1 joins", seal(secrets, 1))
	add("out-of-order", "ok", "path 2 joins when 3 already has", seal(secrets, 2), 1, 3)
	add("far", "ok", "path 19, 16 past the highest burned", seal(secrets, 19), 3)
	add("last", "ok", "path 63 is the last", seal(secrets, 63), 16, 32, 48)
	add("not-zeros", "ok", "the zeros hold something: a later version's", sealed(secrets, 1, nc, func(p []byte) { p[32], p[403] = 1, 2 }))
	add("too-far", "tag", "path 20, 17 past the highest burned", seal(secrets, 20), 3)
	add("burned", "tag", "path 1 joins again: a replay", seal(secrets, 1), 1)
	add("path-0", "tag", "path 0 never joins", seal(secrets, 0))
	add("after-the-last", "tag", "path 64 is one too many", seal(secrets, 64), 16, 32, 48)
	add("another-call", "tag", "the tag of another call", seal(other, 1))
	add("tag-flipped", "tag", "a bit of the tag is changed", flip(seal(secrets, 1), 3, 8))
	add("flipped", "join", "a bit behind the tag is changed", flip(seal(secrets, 1), 40, 1))
	add("end-flipped", "join", "the last bit is changed", flip(seal(secrets, 1), 467, 0x80))
	add("tag-stolen", "join", "a right tag, and behind it another path's", slices.Concat(seal(secrets, 1)[:16], seal(secrets, 2)[16:]))
	add("other-key", "join", "sealed with the answer's key", sealedBy(secrets, 1, nc, func(l *interop.Link, _ *uint64, _ *[]byte) { l.Jc = l.Js }))
	add("nonce-1", "join", "sealed with nonce 1", sealedBy(secrets, 1, nc, func(_ *interop.Link, n *uint64, _ *[]byte) { *n = 1 }))
	add("no-ad", "join", "sealed without the tag as associated data", sealedBy(secrets, 1, nc, func(_ *interop.Link, _ *uint64, ad *[]byte) { *ad = nil }))

	answerTo := func(number int, join interop.Hex) interop.Hex {
		keys := pathOf(&interop.In{Secrets: secrets}, number)
		return joined(&keys, join, ns)
	}
	answer := func(name, stage, about string, block interop.Hex) {
		in := runAnswerIn(secrets, 1, nc)
		in.Block = block
		s.add(name, "answer", stage, about, in)
	}
	right := answerTo(1, seal(secrets, 1))
	answer("first", "ok", "the answer to path 1's join", right)
	answer("reflected", "answer", "the join comes back", seal(secrets, 1))
	answer("flipped", "answer", "a bit is changed", flip(right, 100, 4))
	answer("other-join", "answer", "the answer to another join of the same path", answerTo(1, flip(seal(secrets, 1), 467, 1)))
	answer("other-path", "answer", "the answer of path 2", answerTo(2, seal(secrets, 2)))
}
