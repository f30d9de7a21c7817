package interop_test

import (
	"slices"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"

	"github.com/sottovoce/sotto/internal/interop"
)

// base is what the callee has in all cases but for what a case changes.
func (s *sheaf) calleeBase() interop.In {
	return interop.In{
		Expanded: person("bob"), Offer: [3]uint16{1, 7, 1},
		Ephemeral: fixed("bob's ephemeral", 32), Encapsulation: encapsulation(s.t),
	}
}

func (s *sheaf) callerBase() interop.In {
	bob := addressOf(s.t, "bob")
	return interop.In{
		Expanded: person("alice"), Callee: bob[:], Offer: [3]uint16{1, 7, 1},
		KEMSeed: fixed("alice's ML-KEM seed", 64), Ephemeral: fixed("alice's ephemeral", 32),
		CallID: fixed("call id", 16), Paths: 4,
	}
}

// withTorsion is an X25519 key with a point of order 8 added: another key, which
// gives the same secrets.
func (s *sheaf) withTorsion(u interop.Hex) interop.Hex {
	one := new(field.Element).One()
	x, err := new(field.Element).SetBytes(u)
	if err != nil {
		s.t.Fatal(err)
	}
	y := new(field.Element).Subtract(x, one)
	y.Multiply(y, new(field.Element).Invert(x.Add(x, one)))
	p := point(s.t, y.Bytes())
	return p.Add(p, new(edwards25519.Point).Set(point(s.t, order8))).BytesMontgomery()
}

func (s *sheaf) callee() {
	t := s.t
	alice, mallory, bob := addressOf(t, "alice"), addressOf(t, "mallory"), addressOf(t, "bob")
	m1, _ := (&forger{}).m1(t)
	m3 := (&forger{}).m3(t)
	add := func(name, stage, about string, m1, m3 interop.Hex) {
		in := s.calleeBase()
		in.M1, in.M3 = m1, m3
		s.add(name, "callee", stage, about, in)
	}
	first := func(name, stage, about string, f forger) {
		m1, _ := f.m1(t)
		add(name, stage, about, m1, nil)
	}
	last := func(name, stage, about string, f forger) {
		m1, _ := (&forger{own: f.own, e: f.e, static: f.static}).m1(t)
		add(name, stage, about, m1, f.m3(t))
	}

	add("ok", "ok", "alice calls bob: the callee's side of caller-ok", m1, m3)
	last("m3-not-zeros", "ok", "the zeros of m3 hold something, and the number of paths is absurd", forger{payload: func(p []byte) { p[48], p[49], p[403] = 255, 1, 2 }})
	last("sign-flipped", "ok", "alice calls as −A, which she holds as well: another address, the same person", forger{payload: func(p []byte) { p[31] ^= 0x80 }})
	in := s.calleeBase()
	later := forger{payload: func(p []byte) { copy(p[1184:], []byte{0x80, 0x07, 0xff, 0xfe, 0xff, 0xff, 1, 2, 3}) }}
	in.M1, _ = later.m1(t)
	in.M3 = m3
	in.Offer = [3]uint16{3, 6, 1}
	s.add("choice", "callee", "m3", "the highest version and the lowest profile and pace that both have; then m3 is of another handshake", in)

	// What does not open as m1.
	for _, at := range []struct {
		name string
		i    int
	}{{"ephemeral", 0}, {"ephemeral-top", 31}, {"payload", 32}, {"offers", 1217}, {"tag", 1403}} {
		add("m1-flipped-"+at.name, "m1", "a bit is changed", flip(m1, at.i, 0x80), nil)
	}
	add("m1-truncated", "m1", "the last byte is missing", m1[:1403], nil)
	add("m1-zeros", "m1", "nothing but zeros, whose DH is all zeros too", make(interop.Hex, 1404), nil)
	add("m1-torsion-added", "m1", "another ephemeral that gives the same DH result", slices.Concat(s.withTorsion(m1[:32]), m1[32:]), nil)
	m2 := (&forger{}).m2(t, m1)
	add("m1-reflected", "m1", "bob's own m2 comes back", m2, nil)
	first("m1-low-order", "m1", "an ephemeral of small order: the DH result is all zeros", forger{e: point(t, order8).BytesMontgomery()})
	first("m1-no-prologue", "m1", "an empty prologue", forger{prologue: []byte{}})
	first("m1-prologue-name-alone", "m1", "a prologue without the callee's key", forger{prologue: []byte("sotto")})
	first("m1-sign-flipped", "m1", "alice dials −B, whose X25519 form is bob's", forger{dialled: flip(bob[:], 31, 0x80)})
	first("m1-torsioned-callee", "m1", "alice dials bob's key with torsion, which has the same DH results", forger{dialled: torsioned(t, bob[:])})
	first("m1-without-psk", "m1", "Noise_XK without psk: another name, and e is not mixed into the key", forger{plain: true})
	in = s.calleeBase()
	in.Expanded, in.M1 = person("mallory"), m1
	s.add("m1-other-callee", "callee", "m1", "m1 for bob reaches mallory", in)

	// What opens and cannot be answered.
	offers := func(b ...byte) forger { return forger{payload: func(p []byte) { copy(p[1184:], b) }} }
	first("offer-version-2", "offer", "only version 2 is offered", offers(0, 2, 0, 7, 0, 1))
	first("offer-nothing", "offer", "nothing is offered", offers(0, 0, 0, 0, 0, 0))
	first("offer-no-profile", "offer", "no profile that is known", offers(0, 1, 0xff, 0xf8, 0, 1))
	first("offer-no-pace", "offer", "only 40 ms, which this callee does not do", offers(0, 1, 0, 7, 0, 2))
	first("offer-byte-order", "offer", "the offers' bytes are in the wrong order", offers(1, 0, 7, 0, 1, 0))
	first("ek-not-reduced", "ek", "a coefficient of the ML-KEM key is 3,329", forger{payload: func(p []byte) { p[0], p[1] = 0x01, p[1]&0xf0|0x0d }})
	first("ek-all-ones", "ek", "an ML-KEM key of ones", forger{payload: func(p []byte) {
		for i := range 1184 {
			p[i] = 0xff
		}
	}})

	// What does not open as m3.
	for _, at := range []struct {
		name string
		i    int
	}{{"static", 0}, {"static-tag", 47}, {"payload", 48}, {"tag", 467}} {
		add("m3-flipped-"+at.name, "m3", "a bit is changed", m1, flip(m3, at.i, 1))
	}
	add("m3-truncated", "m3", "the last byte is missing", m1, m3[:467])
	add("m3-zeros", "m3", "nothing but zeros", m1, make(interop.Hex, 468))
	add("m3-reordered", "m3", "m1's first block comes again in its place", m1, m1[:468])
	in = s.calleeBase()
	in.Ephemeral, in.M1, in.M3 = fixed("bob's next ephemeral", 32), m1, m3
	s.add("replayed", "callee", "m3", "m1 and m3 come again: m1 is answered afresh, m3 does not open", in)
	last("m3-static-low-order", "m3", "a static key of small order: the DH result is all zeros", forger{static: point(t, order8).BytesMontgomery()})
	form := alice.X25519()
	last("m3-impostor", "m3", "mallory seals alice's static key, whose secret she has not", forger{own: "mallory", static: form[:]})

	// What opens and is not who it says.
	claim := func(b []byte) forger { return forger{payload: func(p []byte) { copy(p, b) }} }
	last("claims-another", "caller", "alice claims mallory's address", claim(mallory[:]))
	last("claims-the-callee", "caller", "alice claims bob's own address", claim(bob[:]))
	last("claims-another-flipped", "caller", "alice claims −M", claim(flip(mallory[:], 31, 0x80)))
	last("claims-torsion", "caller", "her own key with torsion, which has the same DH results", claim(torsioned(t, alice[:])))
	last("claims-small-order", "caller", "a point of order 4", claim(order4))
	last("claims-form", "caller", "the X25519 form in place of the Ed25519 key", claim(form[:]))
	last("static-top-bit", "caller", "her static key with its highest bit set: the same DH results, other bytes", forger{static: flip(form[:], 31, 0x80)})
	last("static-torsion", "caller", "her static key with torsion: the same DH results, other bytes", forger{static: s.withTorsion(form[:])})
}

func (s *sheaf) caller() {
	t := s.t
	m1, _ := (&forger{}).m1(t)
	m2 := (&forger{}).m2(t, m1)
	add := func(name, stage, about string, m2 interop.Hex) {
		in := s.callerBase()
		in.M2 = m2
		s.add(name, "caller", stage, about, in)
	}
	forged := func(name, stage, about string, f forger) { add(name, stage, about, f.m2(t, m1)) }
	add("ok", "ok", "alice calls bob: the caller's side of callee-ok", m2)
	forged("not-zeros", "ok", "the zeros of m2 hold something", forger{payload: func(p []byte) { p[3], p[267] = 1, 2 }})
	forged("profile-2", "ok", "bob has only 12k", forger{payload: func(p []byte) { p[1] = 2 }})
	in := s.callerBase()
	in.Callee = torsioned(t, in.Callee)
	s.add("dials-torsion", "caller", "address", "the address dialled has torsion", in)

	for _, at := range []struct {
		name string
		i    int
	}{{"ciphertext", 0}, {"ciphertext-end", 1087}, {"ephemeral", 1088}, {"payload", 1120}, {"tag", 1403}} {
		add("flipped-"+at.name, "m2", "a bit is changed", flip(m2, at.i, 4))
	}
	add("truncated", "m2", "the last byte is missing", m2[:1403])
	add("zeros", "m2", "nothing but zeros", make(interop.Hex, 1404))
	add("reflected", "m2", "alice's own m1 comes back", m1)
	add("reordered", "m2", "the Noise message stands before the ciphertext", slices.Concat(m2[1088:], m2[:1088]))
	forged("psk-missing", "m2", "a psk of zeros in place of ML-KEM's", forger{psk: func(p *[]byte) { clear(*p) }})
	forged("psk-raw", "m2", "the ML-KEM secret itself as the psk", forger{psk: func(p *[]byte) {
		shared, err := kemOf(t).Decapsulate(m2[:1088])
		if err != nil {
			t.Fatal(err)
		}
		*p = shared
	}})
	forged("low-order", "m2", "an ephemeral of small order: the DH result is all zeros", forger{e: point(t, order8).BytesMontgomery()})
	replayed := s.callerBase()
	replayed.Ephemeral, replayed.M2 = fixed("alice's next ephemeral", 32), m2
	s.add("replayed", "caller", "m2", "the answer to an earlier m1", replayed)
	replayed = s.callerBase()
	replayed.KEMSeed, replayed.M2 = fixed("alice's next seed", 64), m2
	s.add("other-kem-key", "caller", "m2", "the ciphertext was made for another ML-KEM key", replayed)

	choose := func(i int, v byte) forger { return forger{payload: func(p []byte) { p[i] = v }} }
	forged("chose-version-0", "choice", "version 0 was not offered", choose(0, 0))
	forged("chose-version-2", "choice", "version 2 was not offered", choose(0, 2))
	forged("chose-version-255", "choice", "version 255 cannot even be", choose(0, 255))
	forged("chose-profile-3", "choice", "profile 3 was not offered", choose(1, 3))
	forged("chose-pace-1", "choice", "40 ms was not offered", choose(2, 1))
}
