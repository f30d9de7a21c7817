package call

import (
	"bytes"
	"context"
	"net"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call/handshake"
	"github.com/sottovoce/sotto/call/playout"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/voice"
)

// stranger is a stream that says what it says and then ends.
type stranger struct {
	net.Conn // nil: nothing else is asked of it
	says     *bytes.Reader
	told     bytes.Buffer
	closed   int
}

func (s *stranger) Read(b []byte) (int, error)  { return s.says.Read(b) }
func (s *stranger) Write(b []byte) (int, error) { return s.told.Write(b) }
func (s *stranger) Close() error                { s.closed++; return nil }

func (s *stranger) SetDeadline(time.Time) error { return nil }

type mute struct{}

func (mute) NewEncoder(record.Profile) (Encoder, error)         { return mute{}, nil }
func (mute) NewDecoder(record.Profile) (playout.Decoder, error) { return deaf{}, nil }
func (mute) Encode([]byte, *voice.Frame) error                  { return nil }

// receptionOf is bob's line, with a call of the vectors' on it.
func receptionOf(t testing.TB) *reception {
	t.Helper()
	key, err := identity.KeyFromTor([64]byte(vectors(t, "callee")[0].In.Expanded))
	if err != nil {
		t.Fatal(err)
	}
	tags, call := enrolled(vectors(t, "join")[0].In.Secrets)
	call.began = time.Now()
	line := &Line{Config: Config{Key: key, Codec: mute{}}, Handle: func(context.Context, *Call) {}}
	return &reception{line: line, door: newDoor(), tags: tags}
}

// meet lets a stream say something to a line, and gives what it was told.
func meet(r *reception, says []byte) (told []byte, closed bool) {
	s := &stranger{says: bytes.NewReader(says)}
	r.door.enter(s)
	r.greet(context.Background(), s)
	return s.told.Bytes(), s.closed > 0
}

// What the vectors say is refused is refused by a line, without a word: for
// what does not open as m1, nothing; for a bad m3, nothing after m2.
func TestALineTellsNobodyWhatWasWrong(t *testing.T) {
	for _, c := range vectors(t, "callee") {
		if c.Stage == "ok" || c.Name == "callee-m1-other-callee" || c.Name == "callee-choice" {
			continue // what is good; and what needs another callee than bob as he is
		}
		want := handshake.M2Size
		if len(c.Out.M2) == 0 {
			want = 0
		}
		r := receptionOf(t)
		r.line.Told = func(identity.Address) bool { t.Errorf("%s: asked about who is not proven", c.Name); return true }
		told, closed := meet(r, append(append([]byte(nil), c.In.M1...), c.In.M3...))
		if len(told) != want || !closed {
			t.Errorf("%s: told %d bytes, closed: %v", c.Name, len(told), closed)
		}
	}
	for _, c := range vectors(t, "join") {
		if c.Stage == "ok" || len(c.In.Burned) > 0 {
			continue
		}
		told, closed := meet(receptionOf(t), append(append([]byte(nil), c.In.Block...), make([]byte, 2000)...))
		if len(told) != 0 || !closed {
			t.Errorf("%s: told %d bytes, closed: %v", c.Name, len(told), closed)
		}
	}
}

// A path that its call may not have is closed like any stranger: no answer.
func TestAPathTooManyIsNotAnswered(t *testing.T) {
	r := receptionOf(t)
	var call *Call
	for c := range r.tags.calls {
		call = c
	}
	answered := 0
	for n := 1; n <= 12; n++ {
		var join record.Cell
		k := r.tags.ticketOf(n)
		k.keys.SealJoin(&join, [32]byte{1})
		told, closed := meet(r, join[:])
		if (len(told) == record.Size) == closed {
			t.Fatalf("path %d: told %d bytes, closed: %v", n, len(told), closed)
		}
		if len(told) > 0 {
			answered++
		}
	}
	if answered != 7 || len(call.fresh) != 7 { // the first, as none was open, and six out of the bucket
		t.Errorf("%d of 12 joins at once were answered, %d taken in", answered, len(call.fresh))
	}
}

// Whatever a stream begins with: no answer but m2 to a true m1, and that of a
// join to a true join.
func FuzzStream(f *testing.F) {
	good := map[string]int{}
	for _, c := range vectors(f, "callee") {
		f.Add(append(append([]byte(nil), c.In.M1...), c.In.M3...))
		if len(c.Out.M2) > 0 {
			good[string(c.In.M1)] = handshake.M2Size
		}
	}
	for _, c := range vectors(f, "join") {
		f.Add([]byte(c.In.Block))
		if c.Stage == "ok" && c.Out.Number <= ahead {
			good[string(c.In.Block)] = record.Size
		}
	}
	f.Fuzz(func(t *testing.T, says []byte) {
		told, closed := meet(receptionOf(t), says)
		want := 0
		for _, size := range []int{handshake.M1Size, record.Size} {
			if len(says) >= size && good[string(says[:size])] > 0 {
				want = good[string(says[:size])]
			}
		}
		if len(told) != want || closed == (want == record.Size) {
			t.Fatalf("told %d bytes, not %d; closed: %v", len(told), want, closed)
		}
	})
}
