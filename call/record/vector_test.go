package record_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/sottovoce/sotto/call/record"
)

// hkdfExpand is RFC 5869's Expand, written out: these tests are a second
// reading of docs/protocol.md and share no code with the first.
func hkdfExpand(prk []byte, info string, n int) []byte {
	var out, t []byte
	for i := byte(1); len(out) < n; i++ {
		h := hmac.New(sha256.New, prk)
		h.Write(t)
		h.Write([]byte(info))
		h.Write([]byte{i})
		t = h.Sum(nil)
		out = append(out, t...)
	}
	return out[:n]
}

func hkdfExtract(salt, ikm []byte) []byte {
	h := hmac.New(sha256.New, salt)
	h.Write(ikm)
	return h.Sum(nil)
}

func openAs(t *testing.T, key []byte, number uint32, ad, sealed []byte) []byte {
	t.Helper()
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		t.Fatal(err)
	}
	nonce := binary.BigEndian.AppendUint32(make([]byte, 8), number)
	plain, err := aead.Open(nil, nonce, sealed, ad)
	if err != nil {
		t.Fatalf("number %d does not open as the protocol says: %v", number, err)
	}
	return plain
}

func TestKeysAndRecordsAsInTheProtocol(t *testing.T) {
	binding, k1, k2 := [32]byte{1}, [32]byte{2}, [32]byte{3}
	chain := hkdfExtract(binding[:], append(bytes.Clone(k1[:]), k2[:]...))
	ours := record.NewChain(binding, k1, k2)
	for number := range 3 {
		link := hkdfExpand(chain, "sotto/1 path", 112)
		tag, jc, js := link[:16], link[16:48], link[48:80]
		chain = link[80:]
		keys := ours.Next()
		if !bytes.Equal(keys.Tag[:], tag) || keys.Number != number {
			t.Fatalf("path %d has another tag", number)
		}
		// The join, its answer, and the record keys that follow.
		var join, answer record.Cell
		nc, ns := [32]byte{4}, [32]byte{5}
		keys.SealJoin(&join, nc)
		if got := openAs(t, jc, 0, tag, join[16:]); !bytes.Equal(got, append(nc[:], make([]byte, 404)...)) {
			t.Fatalf("a join says %x", got)
		}
		keys.SealJoined(&answer, &join, ns)
		sum := sha256.Sum256(join[:])
		if got := openAs(t, js, 0, sum[:], answer[:]); !bytes.Equal(got, append(ns[:], make([]byte, 420)...)) {
			t.Fatalf("an answer says %x", got)
		}
		salt := append(bytes.Clone(nc[:]), ns[:]...)
		want := hkdfExpand(hkdfExtract(salt, append(bytes.Clone(jc), js...)), "sotto/1 record", 64)
		caller, callee := keys.Records(salt)
		if !bytes.Equal(want, append(caller[:], callee[:]...)) {
			t.Fatal("other record keys")
		}
	}
	// Records 0, 1, 2999 under the first key, 3000 as number 0 under the next.
	key := [32]byte{7}
	sealer := record.NewSealer(key)
	var plain record.Plain
	for i := range uint32(3002) {
		binary.BigEndian.PutUint32(plain[:], i)
		var c record.Cell
		sealer.Seal(&c, &plain)
		var got []byte
		switch {
		case i < 2 || i == 2999:
			got = openAs(t, key[:], i, nil, c[:])
		case i >= 3000:
			got = openAs(t, hkdfExpand(key[:], "sotto/1 next", 32), i-3000, nil, c[:])
		default:
			continue
		}
		if !bytes.Equal(got, plain[:]) {
			t.Fatalf("record %d says something else", i)
		}
	}
}

func TestContentsAsInTheProtocol(t *testing.T) {
	c := record.Contents{Tick: 0x01020304, Newest: 0x05060708, Count: 6, Heard: 2}
	c.Reports[0] = record.Report{Path: 9, Lateness: 0x0a0b, Number: 0x0c0d0e0f}
	c.Reports[1] = record.Report{Path: 1, Lateness: 2, Number: 3}
	for i := range c.Control {
		c.Control[i] = 0xcc
	}
	for i := range c.Frames {
		c.Frames[i] = byte(i/60) | 0xf0
	}
	want := []byte{
		1, 2, 3, 4, 5, 6, 7, 8, 6, 0, 0, 0,
		9, 0, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
		1, 0, 0, 2, 0, 0, 0, 3,
		255, 0, 0, 0, 0, 0, 0, 0,
		255, 0, 0, 0, 0, 0, 0, 0,
	}
	want = append(want, bytes.Repeat([]byte{0xcc}, 48)...)
	for i := range 6 {
		want = append(want, bytes.Repeat([]byte{byte(i) | 0xf0}, 60)...)
	}
	var p record.Plain
	c.Put(&p)
	if !bytes.Equal(p[:], want) {
		t.Errorf("contents are written as\n%x, want\n%x", p[:], want)
	}
	if f := c.Frame(record.Profiles[0], 2); f[0] != 0xf2 || len(f) != 60 {
		t.Errorf("frame 2 is %x", f)
	}
}
