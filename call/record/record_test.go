package record_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/sottovoce/sotto/call/record"
)

func seal(t testing.TB, s *record.Sealer, first byte) record.Cell {
	t.Helper()
	var p record.Plain
	var c record.Cell
	p[0], p[record.PlainSize-1] = first, ^first
	s.Seal(&c, &p)
	return c
}

func open(o *record.Opener, c record.Cell) (byte, error) {
	var p record.Plain
	err := o.Open(&p, &c)
	return p[0], err
}

// A minute and a half of records, over two changes of key.
func TestRecordsOpenInOrderAcrossKeys(t *testing.T) {
	key := [32]byte{1}
	s, o := record.NewSealer(key), record.NewOpener(key)
	seen := map[record.Cell]bool{}
	for i := range 2*record.PerKey + 10 {
		c := seal(t, s, byte(i))
		if seen[c] {
			t.Fatal("two records are alike")
		}
		seen[c] = true
		if got, err := open(o, c); err != nil || got != byte(i) {
			t.Fatalf("record %d: %d, %v", i, got, err)
		}
	}
	// The successor is another key: a reader that never changed keys stops.
	s = record.NewSealer(key)
	var first record.Cell
	for i := range record.PerKey + 1 {
		if c := seal(t, s, 7); i == 0 {
			first = c
		} else if i == record.PerKey && c == first {
			t.Fatal("the key did not change")
		}
	}
}

func TestWhatDoesNotOpen(t *testing.T) {
	key := [32]byte{1}
	s := record.NewSealer(key)
	zero, one := seal(t, s, 0), seal(t, s, 1)
	for name, feed := range map[string][]record.Cell{
		"replayed":  {zero, zero},
		"reordered": {one},
		"skipped":   {one, zero},
	} {
		o := record.NewOpener(key)
		var err error
		for _, c := range feed {
			_, err = open(o, c)
		}
		if !errors.Is(err, record.ErrOpen) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for bit := range record.Size * 8 {
		damaged := zero
		damaged[bit/8] ^= 1 << (bit % 8)
		o := record.NewOpener(key)
		if _, err := open(o, damaged); !errors.Is(err, record.ErrOpen) {
			t.Fatalf("bit %d flipped: %v", bit, err)
		}
		if _, err := open(o, one); !errors.Is(err, record.ErrOpen) {
			t.Fatal("a path went on after a record that did not open")
		}
	}
}

func TestEachPathAndDirectionHasItsOwnKeys(t *testing.T) {
	a, b := record.NewChain([32]byte{1}, [32]byte{2}, [32]byte{3}), record.NewChain([32]byte{1}, [32]byte{2}, [32]byte{3})
	seen := map[[32]byte]bool{}
	tags := map[[record.TagSize]byte]bool{}
	for i := range 70 {
		ka, kb := a.Next(), b.Next()
		if ka != kb || ka.Number != i {
			t.Fatalf("path %d: the two ends differ", i)
		}
		caller, callee := ka.Records(nil)
		if seen[caller] || seen[callee] || caller == callee || tags[ka.Tag] {
			t.Fatalf("path %d shares a key or a tag", i)
		}
		seen[caller], seen[callee], tags[ka.Tag] = true, true, true
		if c2, _ := ka.Records([]byte{1, 63: 2}); c2 == caller {
			t.Fatal("the nonces of a join do not matter")
		}
	}
	other := record.NewChain([32]byte{1}, [32]byte{3}, [32]byte{2})
	if k := other.Next(); tags[k.Tag] {
		t.Fatal("k1 and k2 can be exchanged")
	}
}

func TestJoin(t *testing.T) {
	chain := record.NewChain([32]byte{1}, [32]byte{2}, [32]byte{3})
	chain.Next()
	one, two := chain.Next(), chain.Next()
	var join, answer record.Cell
	nc, ns := [32]byte{4}, [32]byte{5}
	one.SealJoin(&join, nc)
	if !bytes.Equal(join[:record.TagSize], one.Tag[:]) {
		t.Fatal("a join does not begin with its tag")
	}
	if got, err := one.OpenJoin(&join); err != nil || got != nc {
		t.Fatalf("join: %v", err)
	}
	one.SealJoined(&answer, &join, ns)
	if got, err := one.OpenJoined(&answer, &join); err != nil || got != ns {
		t.Fatalf("answer: %v", err)
	}
	if _, err := two.OpenJoin(&join); !errors.Is(err, record.ErrOpen) {
		t.Error("a join opened for another path")
	}
	if _, err := one.OpenJoined(&join, &join); !errors.Is(err, record.ErrOpen) {
		t.Error("a join reflected was taken for an answer")
	}
	var again record.Cell
	one.SealJoin(&again, [32]byte{9})
	if _, err := one.OpenJoined(&answer, &again); !errors.Is(err, record.ErrOpen) {
		t.Error("an answer was taken for another join's")
	}
	for bit := 0; bit < record.Size*8; bit += 5 {
		damaged := join
		damaged[bit/8] ^= 1 << (bit % 8)
		if _, err := one.OpenJoin(&damaged); !errors.Is(err, record.ErrOpen) {
			t.Fatalf("join with bit %d flipped: %v", bit, err)
		}
		damaged = answer
		damaged[bit/8] ^= 1 << (bit % 8)
		if _, err := one.OpenJoined(&damaged, &join); !errors.Is(err, record.ErrOpen) {
			t.Fatalf("answer with bit %d flipped: %v", bit, err)
		}
	}
}

func TestContentsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		profile := record.Profiles[rapid.IntRange(0, len(record.Profiles)-1).Draw(t, "profile")]
		in := record.Contents{
			Tick:   rapid.Uint32().Draw(t, "tick"),
			Newest: rapid.Uint32Min(uint32(profile.Frames)).Draw(t, "newest"),
			Count:  uint8(rapid.IntRange(0, profile.Frames).Draw(t, "count")),
			Heard:  rapid.IntRange(0, record.ReportCount).Draw(t, "heard"),
		}
		for i := range in.Heard {
			in.Reports[i] = record.Report{
				Path:     rapid.Uint8Max(63).Draw(t, "path"),
				Lateness: rapid.Uint16().Draw(t, "lateness"),
				Number:   rapid.Uint32().Draw(t, "number"),
			}
		}
		copy(in.Control[:], rapid.SliceOfN(rapid.Byte(), record.ControlSize, record.ControlSize).Draw(t, "control"))
		copy(in.Frames[:], rapid.SliceOfN(rapid.Byte(), record.FramesSize, record.FramesSize).Draw(t, "frames"))
		var p record.Plain
		for i := range p {
			p[i] = 0xaa // Put must overwrite all of it
		}
		in.Put(&p)
		var out record.Contents
		if err := out.Get(&p, profile); err != nil {
			t.Fatal(err)
		}
		if in != out {
			t.Fatalf("in %+v\nout %+v", in, out)
		}
		for i := range int(in.Count) {
			if !bytes.Equal(out.Frame(profile, i), in.Frames[i*profile.Bytes:(i+1)*profile.Bytes]) {
				t.Fatalf("frame %d", i)
			}
		}
	})
}

func TestContentsThatMakeNoSense(t *testing.T) {
	for _, profile := range record.Profiles {
		for _, c := range []record.Contents{
			{Newest: 100, Count: uint8(profile.Frames) + 1},
			{Newest: 100, Count: 255},
			{Newest: 2, Count: 4}, // a frame numbered −1
		} {
			var p record.Plain
			c.Put(&p)
			var out record.Contents
			if err := out.Get(&p, profile); !errors.Is(err, record.ErrContents) {
				t.Errorf("%s, newest %d, count %d: %v", profile.Name, c.Newest, c.Count, err)
			}
		}
		if profile.Frames*profile.Bytes != record.FramesSize {
			t.Errorf("%s does not fill a record", profile.Name)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s := record.NewSealer([32]byte{1})
	good := seal(f, s, 1)
	f.Add(good[:])
	f.Fuzz(func(t *testing.T, b []byte) {
		var c record.Cell
		copy(c[:], b)
		_, err := open(record.NewOpener([32]byte{1}), c)
		if (err == nil) != (c == good) {
			t.Fatalf("opened %v, the sealed one %v", err == nil, c == good)
		}
	})
}

func FuzzContents(f *testing.F) {
	f.Add([]byte{0, 0, 0, 9, 0, 0, 0, 8, 6}, uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, n uint8) {
		var p, q record.Plain
		copy(p[:], b)
		profile := record.Profiles[int(n)%len(record.Profiles)]
		var c, d record.Contents
		if c.Get(&p, profile) != nil {
			return
		}
		for i := range int(c.Count) {
			c.Frame(profile, i)
		}
		c.Put(&q)
		if err := d.Get(&q, profile); err != nil || c != d {
			t.Fatalf("contents change when written again: %v", err)
		}
	})
}

func FuzzJoin(f *testing.F) {
	keys := record.NewChain([32]byte{1}, [32]byte{2}, [32]byte{3}).Next()
	var good record.Cell
	keys.SealJoin(&good, [32]byte{4})
	f.Add(good[:])
	f.Fuzz(func(t *testing.T, b []byte) {
		var c record.Cell
		copy(c[:], b)
		if _, err := keys.OpenJoin(&c); (err == nil) != (c == good) {
			t.Fatal("a join out of thin air")
		}
		if _, err := keys.OpenJoined(&c, &good); err == nil {
			t.Fatal("an answer out of thin air")
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	s := record.NewSealer([32]byte{1})
	var contents record.Contents
	var p record.Plain
	var c record.Cell
	b.ReportAllocs()
	for b.Loop() {
		contents.Put(&p)
		s.Seal(&c, &p)
	}
}

func BenchmarkOpen(b *testing.B) {
	s, o := record.NewSealer([32]byte{1}), record.NewOpener([32]byte{1})
	var contents record.Contents
	var p record.Plain
	var c record.Cell
	b.ReportAllocs()
	for b.Loop() {
		s.Seal(&c, &p)
		if err := o.Open(&p, &c); err != nil {
			b.Fatal(err)
		}
		if err := contents.Get(&p, record.Profiles[0]); err != nil {
			b.Fatal(err)
		}
	}
}
