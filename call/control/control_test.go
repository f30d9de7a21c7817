package control_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/internal/interop"
)

// Two ends, a carrier that loses, repeats and reorders records: every message
// arrives once, whole and in order.
func TestMessagesArriveOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a, b control.Stream
		sizes := rapid.SliceOfN(rapid.IntRange(0, 300), 1, 40).Draw(t, "sizes")
		var sent, got [][]byte
		var flight [][control.PieceSize]byte
		next := 0
		for step := 0; len(got) < len(sizes); step++ {
			if step > 60_000 {
				t.Fatalf("%d of %d messages after %d records", len(got), len(sizes), step)
			}
			if next < len(sizes) {
				body := bytes.Repeat([]byte{byte(next + 1)}, sizes[next])
				if err := a.Send(control.Kind(next+1), body...); err == nil {
					sent = append(sent, body)
					next++
				} else if !errors.Is(err, control.ErrFull) {
					t.Fatal(err)
				}
			}
			var p [control.PieceSize]byte
			a.Fill(&p)
			flight = append(flight, p)
			// The carrier: chance decides what arrives now, twice, or never.
			for len(flight) > 0 && rapid.IntRange(0, 3).Draw(t, "arrives") > 0 {
				i := rapid.IntRange(0, len(flight)-1).Draw(t, "which")
				if err := b.Take(&flight[i]); err != nil {
					t.Fatal(err)
				}
				if rapid.Bool().Draw(t, "gone") {
					flight = slices.Delete(flight, i, i+1)
				}
				if len(flight) > 12 {
					flight = flight[1:]
				}
				b.Fill(&p)
				if err := a.Take(&p); err != nil {
					t.Fatal(err)
				}
			}
			for {
				m, ok := b.Next()
				if !ok {
					break
				}
				if m.Kind != control.Kind(len(got)+1) {
					t.Fatalf("message %d came as %d", len(got)+1, m.Kind)
				}
				got = append(got, bytes.Clone(m.Body))
			}
		}
		for i := range sent {
			if !bytes.Equal(sent[i], got[i]) {
				t.Fatalf("message %d: %d bytes came as %d", i, len(sent[i]), len(got[i]))
			}
		}
	})
}

func TestLimits(t *testing.T) {
	var s control.Stream
	if err := s.Send(control.HangUp, make([]byte, control.MaxMessage)...); !errors.Is(err, control.ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
	n := 0
	for s.Send(control.Ring) == nil {
		if n++; n > 1000 {
			t.Fatal("the queue has no end")
		}
	}
	if n != 64 {
		t.Errorf("%d messages waited", n)
	}
	// A message that never ends must not fill the memory.
	var hostile control.Stream
	var p [control.PieceSize]byte
	var err error
	for i := 0; i < 100 && err == nil; i++ {
		p[0], p[1], p[4] = byte(i>>8), byte(i), 0x80|control.DataSize
		err = hostile.Take(&p)
	}
	if !errors.Is(err, control.ErrProtocol) {
		t.Errorf("a message without end: %v", err)
	}
}

// What is behind an unacknowledged piece does not wait for it: all open pieces
// go out in turn, whatever comes back meanwhile.
func TestOpenPiecesGoInTurn(t *testing.T) {
	var a, b control.Stream
	for _, kind := range []control.Kind{control.Answer, control.HangUp} {
		if err := a.Send(kind); err != nil {
			t.Fatal(err)
		}
	}
	var got []control.Kind
	for range 4 {
		var p, none [control.PieceSize]byte
		a.Fill(&p)
		b.Take(&p)
		for m, ok := b.Next(); ok; m, ok = b.Next() {
			got = append(got, m.Kind)
		}
		if err := a.Take(&none); err != nil { // a record that acknowledges nothing
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, []control.Kind{control.Answer, control.HangUp}) {
		t.Errorf("came after four records: %v", got)
	}
}

func TestRecordsWithoutMessagesCostNothing(t *testing.T) {
	var a, b control.Stream
	var p [control.PieceSize]byte
	if n := testing.AllocsPerRun(1000, func() {
		a.Fill(&p)
		if b.Take(&p) != nil {
			t.Fatal("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations a record", n)
	}
}

func TestPeersTextIsMadeFitToBeShown(t *testing.T) {
	for in, want := range map[string]string{
		"hello":                            "hello",
		"two\nlines\tand a tab":            "two lines and a tab",
		"\x1b[31mred\x1b[0m\x07":           "[31mred[0m",
		"\u009b31mred":                     "31mred",
		"abc\u202edcba\u2066x\u200f":       "abcdcbax",
		"\xff\xfebroken\xc3":               "broken",
		"  grüße, 你好  ":                    "grüße, 你好",
		"\u2028line\u2029separators\u0000": "line separators",
	} {
		if got := control.Text([]byte(in)); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("\x1b]0;title\x07\u202e"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, r := range control.Text(b) {
			if !unicode.IsPrint(r) {
				t.Fatalf("%U is shown", r)
			}
		}
	})
}

// A hostile peer's pieces: what becomes of them keeps the limits, what we send
// meanwhile stays a piece of ours, and a stream that has broken stays broken.
func FuzzTake(f *testing.F) {
	all, err := interop.Read("../../docs/vectors")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range all {
		if c.Kind == "control" {
			f.Add([]byte(slices.Concat(c.In.Pieces...)))
		}
	}
	f.Add([]byte{0, 0, 0, 0, 1, 3})
	f.Add(bytes.Repeat([]byte{0, 0, 0, 1, 0x80 | 43}, 30))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s control.Stream
		for _, size := range []int{0, 500, 3} { // 14 pieces
			if err := s.Send(control.Chat, make([]byte, size)...); err != nil {
				t.Fatal(err)
			}
		}
		for broken := false; len(b) > 0; {
			var p [control.PieceSize]byte
			b = b[copy(p[:], b):]
			err := s.Take(&p)
			if broken && err == nil {
				t.Fatal("a broken stream goes on")
			}
			broken = err != nil
			for m, ok := s.Next(); ok; m, ok = s.Next() {
				if len(m.Body)+1 > control.MaxMessage {
					t.Fatal("longer than allowed")
				}
			}
			s.Fill(&p)
			if seq := int(p[0])<<8 | int(p[1]); seq > 13 || p[4]&0x3f > control.DataSize {
				t.Fatalf("sends piece %d of 14, head %#x", seq, p[4])
			}
		}
	})
}
