package interop_test

import (
	"bytes"
	"encoding/binary"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/internal/interop"
)

func runAnswerIn(of *interop.Secrets, number int, nc interop.Hex) interop.In {
	return interop.In{Secrets: of, Number: number, Nc: nc, Block: make(interop.Hex, record.Size)}
}

// runOut is the join that a caller writes.
func runOut(in interop.In) (out interop.Out) {
	keys := pathOf(&in, in.Number)
	var join record.Cell
	keys.SealJoin(&join, [32]byte(in.Nc))
	out.Block = join[:]
	return out
}

func joined(keys *record.PathKeys, block, ns interop.Hex) interop.Hex {
	var answer record.Cell
	join := record.Cell(block)
	keys.SealJoined(&answer, &join, [32]byte(ns))
	return answer[:]
}

// lock is an AEAD with a number for a nonce, as the protocol has it.
func lock(key []byte, number uint64, ad, plain []byte) interop.Hex {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		panic(err)
	}
	return aead.Seal(nil, binary.BigEndian.AppendUint64(make([]byte, 4), number), plain, ad)
}

// sealedBy is a join, sealed by hand with something changed.
func sealedBy(of *interop.Secrets, number int, nc interop.Hex, change func(l *interop.Link, nonce *uint64, ad *[]byte)) interop.Hex {
	link, chain := nextLink(link0(of))
	for range number {
		link, chain = nextLink(chain)
	}
	tag, nonce, ad := link.Tag, uint64(0), []byte(link.Tag)
	change(&link, &nonce, &ad)
	return slices.Concat(tag, lock(link.Jc, nonce, ad, slices.Concat(nc, make(interop.Hex, 404))))
}

func sealed(of *interop.Secrets, number int, nc interop.Hex, change func(plain []byte)) interop.Hex {
	link, chain := nextLink(link0(of))
	for range number {
		link, chain = nextLink(chain)
	}
	plain := slices.Concat(nc, make(interop.Hex, 404))
	change(plain)
	return slices.Concat(link.Tag, lock(link.Jc, 0, link.Tag, plain))
}

func (s *sheaf) records() {
	key, other := fixed("a record key", 32), fixed("the other direction's key", 32)
	said := record.Contents{Tick: 501, Newest: 455, Count: 6, Heard: 2}
	said.Reports[0] = record.Report{Path: 1, Lateness: 7, Number: 480}
	said.Reports[1] = record.Report{Path: 0, Lateness: 0, Number: 20}
	copy(said.Frames[:], fixed("frames", record.FramesSize))
	var hangUp control.Stream
	if err := hangUp.Send(control.HangUp, 0); err != nil {
		s.t.Fatal(err)
	}
	hangUp.Fill(&said.Control)
	var plain record.Plain
	said.Put(&plain)
	// at is the record numbered n in the life of a path, saying plain.
	at := func(key []byte, n int, plain record.Plain) interop.Hex {
		var c record.Cell
		sealerAt(key, n, nil).Seal(&c, &plain)
		return c[:]
	}
	write := func(change func(b []byte)) record.Plain {
		p := plain
		change(p[:])
		return p
	}
	add := func(name, stage, about string, before, profile int, blocks ...interop.Hex) {
		s.add(name, "record", stage, about, interop.In{Key: key, Before: before, Profile: profile, Blocks: blocks})
	}
	var empty record.Plain
	(&record.Contents{Tick: 1}).Put(&empty)
	add("first", "ok", "the first record, while it rings", 0, 0, at(key, 0, empty))
	add("talking", "ok", "two records of a conversation", 0, 0, at(key, 0, plain), at(key, 1, plain))
	add("16k", "ok", "nine frames of 40 bytes", 9, 1, at(key, 9, write(func(b []byte) { b[8] = 9 })))
	add("12k", "ok", "twelve frames of 30 bytes", 9, 2, at(key, 9, write(func(b []byte) { b[8] = 12 })))
	add("ratchet", "ok", "the last record under a key, and the first under the next", 2999, 0, at(key, 2999, plain), at(key, 3000, plain))
	add("second-ratchet", "ok", "the first record under the third key", 6000, 0, at(key, 6000, plain))
	add("first-frames", "ok", "two frames, numbers 1 and 0", 3, 0, at(key, 3, write(func(b []byte) { copy(b[4:], []byte{0, 0, 0, 1, 2}) })))
	add("odd", "ok", "any tick and any number of the newest frame, and zeros that hold something", 3, 0,
		at(key, 3, write(func(b []byte) { copy(b, bytes.Repeat([]byte{0xff}, 8)); b[9], b[11], b[13] = 1, 2, 3 })))
	add("unknown-path", "ok", "a report on a path that cannot be: passed over by who acts on it", 3, 0, at(key, 3, write(func(b []byte) { b[12] = 200 })))

	right := at(key, 7, plain)
	for _, i := range []int{0, 233, 451, 452, 467} {
		add("flipped-"+[]string{0: "first", 233: "middle", 451: "end", 452: "tag", 467: "last"}[i], "record", "a bit is changed", 7, 0, flip(right, i, 1<<(i%8)))
	}
	add("replayed", "record", "a record comes twice", 7, 0, right, right)
	add("reordered", "record", "two records have changed places", 7, 0, at(key, 8, plain), right)
	add("skipped", "record", "a record is missing", 7, 0, at(key, 8, plain))
	add("skew", "record", "the sender counts from 1", 0, 0, at(key, 1, plain))
	add("little-endian", "record", "the number's bytes are in the wrong order", 1, 0, lock(key, 1<<56, nil, plain[:]))
	add("reflected", "record", "our own record comes back", 7, 0, at(other, 7, plain))
	add("ad", "record", "sealed with associated data", 7, 0, lock(key, 7, []byte("sotto"), plain[:]))
	add("ratchet-missed", "record", "record 3,000 under the old key", 3000, 0, lock(key, 3000, nil, plain[:]))
	add("ratchet-missed-at-0", "record", "record 3,000 under the old key, as number 0", 3000, 0, lock(key, 0, nil, plain[:]))
	add("ratchet-early", "record", "record 2,999 under the next key", 2999, 0, lock(expanded(key, "sotto/1 next", 32), 0, nil, plain[:]))
	add("ratchet-without-restart", "record", "the next key, and the number goes on", 3000, 0, lock(expanded(key, "sotto/1 next", 32), 3000, nil, plain[:]))
	add("truncated", "record", "the stream ends in a record", 7, 0, right[:467])
	add("empty", "record", "nothing but zeros", 7, 0, make(interop.Hex, 468))
	add("after-a-bad-one", "record", "a bad record, then the right one: the path is over", 7, 0, flip(right, 1, 1), right)

	for i, profile := range record.Profiles {
		over := byte(profile.Frames + 1)
		add("too-many-"+profile.Name, "contents", "more frames than the profile has", 7, i, at(key, 7, write(func(b []byte) { b[8] = over })))
	}
	add("frame-before-0", "contents", "three frames, the newest of them number 1", 7, 0, at(key, 7, write(func(b []byte) { copy(b[4:], []byte{0, 0, 0, 1, 3}) })))
	add("count-255", "contents", "255 frames", 7, 0, at(key, 7, write(func(b []byte) { b[8] = 255 })))
}

func (s *sheaf) control() {
	piece := func(seq, ack uint16, head byte, data []byte) interop.Hex {
		b := make(interop.Hex, control.PieceSize)
		binary.BigEndian.PutUint16(b, seq)
		binary.BigEndian.PutUint16(b[2:], ack)
		b[4] = head
		copy(b[5:], data)
		return b
	}
	add := func(name, stage, about string, pieces ...interop.Hex) {
		s.add(name, "control", stage, about, interop.In{Pieces: pieces})
	}
	whole := func(seq uint16, data ...byte) interop.Hex { return piece(seq, 0, byte(len(data)), data) }
	// long is a chat message of n bytes, cut into pieces.
	long := func(n int) (pieces []interop.Hex) {
		message := append([]byte{byte(control.Chat)}, bytes.Repeat([]byte("sotto voce "), n)[:n-1]...)
		for seq := uint16(0); len(message) > 0; seq++ {
			cut := min(len(message), control.DataSize)
			head := byte(cut)
			if cut < len(message) {
				head |= 0x80
			}
			pieces = append(pieces, piece(seq, 0, head, message[:cut]))
			message = message[cut:]
		}
		return pieces
	}
	add("ring", "ok", "one message", whole(0, 1))
	add("none", "ok", "records without a piece, whatever else their piece says", piece(9, 0, 0, []byte{1}), piece(0, 0, 0x80, []byte{1}))
	add("repeated", "ok", "a piece comes three times", whole(0, 1), whole(0, 1), whole(1, 2), whole(0, 1))
	add("reordered", "ok", "pieces come in another order", whole(2, 6, 1), whole(1, 3), whole(0, 2))
	add("long", "ok", "1,024 bytes, the most", long(1024)...)
	add("long-reordered", "ok", "a message of several pieces, the last first", func() []interop.Hex { p := long(150); slices.Reverse(p); return p }()...)
	add("short-pieces", "ok", "pieces need not be full", piece(0, 0, 0x81, []byte{8}), piece(1, 0, 0x81, []byte("a")), piece(2, 0, 1, []byte("b")))
	add("unknown", "ok", "a kind that nobody knows: passed over by who acts on it", whole(0, 200, 1, 2), whole(1, 1))
	add("bit-6", "ok", "the bit that is zero is set", piece(0, 0, 0x41, []byte{1}))
	add("beyond", "ok", "a piece 16 past the one wanted is passed over, one 15 past it is kept", whole(16, 1), whole(15, 3), whole(0, 2))
	add("old-acknowledgement", "ok", "acknowledges what was never sent: passed over", piece(0, 500, 1, []byte{1}))

	add("44-bytes", "control", "more bytes than a piece has", piece(0, 0, 44, nil))
	add("63-bytes", "control", "as many as the field can say", whole(0, 1), piece(1, 0, 63, nil))
	add("too-long", "control", "1,025 bytes", long(1025)...)
	add("endless", "control", "a message without an end", func() (p []interop.Hex) {
		for seq := range uint16(24) {
			p = append(p, piece(seq, 0, 0x80|43, nil))
		}
		return p
	}()...)
}
