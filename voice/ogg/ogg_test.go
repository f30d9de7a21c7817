package ogg_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sottovoce/sotto/voice/ogg"
)

// tone is packet n: 20 ms of CELT, full band, and size bytes in all.
func tone(n, size int) []byte {
	b := bytes.Repeat([]byte{byte(n)}, size)
	b[0] = 31 << 3
	return b
}

// file writes n packets of 60 bytes with 312 samples before them and trim
// behind.
func file(t testing.TB, n, trim int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := ogg.NewWriter(&b, ogg.Head{Channels: 1, PreSkip: 312})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.WritePacket(tone(i, 60)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(trim); err != nil {
		t.Fatal(err)
	}
	if w.Written() != int64(b.Len()) {
		t.Errorf("%d bytes said to be written, there are %d", w.Written(), b.Len())
	}
	return b.Bytes()
}

type heard struct {
	packets, samples, streams int
	err                       error
}

func listen(in []byte) (h heard) {
	r, err := ogg.NewReader(iotest.HalfReader(bytes.NewReader(in)))
	for err == nil {
		var p ogg.Packet
		if p, err = r.Next(); err == nil {
			h.packets++
			h.samples += p.To - p.From
			if p.Begins {
				h.streams++
			}
		}
	}
	if !errors.Is(err, io.EOF) {
		h.err = err
	}
	return h
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for n, size := range map[int]int{1: 2, 3: 254, 4: 255, 5: 510, 130: 700, 51: 60} {
		var b bytes.Buffer
		w, err := ogg.NewWriter(&b, ogg.Head{Channels: 2, PreSkip: 312, Gain: -256})
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if err := w.WritePacket(tone(i, size)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(100); err != nil {
			t.Fatal(err)
		}
		r, err := ogg.NewReader(&b)
		if err != nil || r.Head() != (ogg.Head{Channels: 2, PreSkip: 312, Gain: -256}) {
			t.Fatalf("%v, error %v", r, err)
		}
		for i := range n {
			p, err := r.Next()
			from, to := 0, 960
			if i == 0 {
				from = 312
			}
			if i == n-1 {
				to -= 100
			}
			if err != nil || !bytes.Equal(p.Data, tone(i, size)) || p.From != from || p.To != to || p.Begins != (i == 0) {
				t.Fatalf("%d packets of %d bytes: packet %d is heard from %d to %d, error %v", n, size, i, p.From, p.To, err)
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("after the last: %v", err)
		}
	}
}

// TestPages looks at the bytes, with a checksum of another make.
func TestPages(t *testing.T) {
	in := file(t, 120, 648)
	if bytes.Count(in, []byte("sotto")) != 1 || !bytes.Contains(in, []byte("OpusTags\x05\x00\x00\x00sotto\x00\x00\x00\x00")) {
		t.Error("the tags are not a name and nothing else")
	}
	var positions []uint64
	var flags []byte
	for n := uint32(0); len(in) > 0; n++ {
		size := 27 + int(in[26])
		for _, l := range in[27:size] {
			size += int(l)
		}
		p := in[:size]
		in = in[size:]
		if got := binary.LittleEndian.Uint32(p[18:]); got != n {
			t.Errorf("page %d has number %d", n, got)
		}
		sum := binary.LittleEndian.Uint32(p[22:])
		clear(p[22:26])
		if want := sumOf(p); sum != want {
			t.Errorf("page %d: checksum %08x, want %08x", n, sum, want)
		}
		positions, flags = append(positions, binary.LittleEndian.Uint64(p[6:])), append(flags, p[5])
	}
	if !slices.Equal(positions, []uint64{0, 0, 48000, 96000, 120*960 - 648}) || !bytes.Equal(flags, []byte{2, 0, 0, 0, 4}) {
		t.Errorf("positions %v, flags %v", positions, flags)
	}
}

// sumOf is Ogg's checksum by way of the usual one, which is reflected and
// inverted: with four bytes before that leave its state at zero.
func sumOf(b []byte) uint32 {
	state := ^uint32(0)
	for _, v := range b {
		state = crc32.IEEETable[byte(state)^bits.Reverse8(v)] ^ state>>8
	}
	var zero uint32 = ^uint32(0) // what the inverted start adds is linear, and taken off
	for range b {
		zero = crc32.IEEETable[byte(zero)] ^ zero>>8
	}
	return bits.Reverse32(state ^ zero)
}

func TestCutShort(t *testing.T) {
	whole := file(t, 120, 0)
	pages := []int{}
	for i := 0; i < len(whole); i++ {
		if bytes.HasPrefix(whole[i:], []byte("OggS")) {
			pages = append(pages, i)
		}
	}
	for cut := range whole {
		h := listen(whole[:cut])
		switch {
		case cut < pages[2]:
			if h.err == nil || !strings.Contains(h.err.Error(), "ends before any sound") {
				t.Fatalf("%d bytes: %v", cut, h.err)
			}
		case h.err != nil:
			t.Fatalf("%d bytes: %v", cut, h.err)
		case cut >= pages[4] && h.packets != 100, cut >= pages[3] && h.packets < 50:
			t.Fatalf("%d bytes: %d packets", cut, h.packets)
		}
	}
}

func TestChainsAndStreamsBeside(t *testing.T) {
	a, b := file(t, 75, 10), file(t, 5, 20)
	if h := listen(slices.Concat(a, b)); h != (heard{80, 80*960 - 2*312 - 30, 2, nil}) {
		t.Errorf("two in a row: %+v", h)
	}
	// A crash leaves no last page; what follows is heard all the same.
	cut := bytes.LastIndex(a, []byte("OggS"))
	if h := listen(slices.Concat(a[:cut], b)); h != (heard{55, 55*960 - 2*312 - 20, 2, nil}) {
		t.Errorf("after one without an end: %+v", h)
	}
	film := page(2, 0, 7, 0, []byte("\x80theora"))
	if h := listen(slices.Concat(film, a, page(0, 0, 7, 1, []byte("more")))); h != (heard{75, 75*960 - 312 - 10, 1, nil}) {
		t.Errorf("a film: %+v", h)
	}
}

// page makes one of a single packet.
func page(flags byte, position uint64, serial, number uint32, packet []byte) []byte {
	b := append([]byte("OggS\x00"), flags)
	b = binary.LittleEndian.AppendUint64(b, position)
	b = binary.LittleEndian.AppendUint32(b, serial)
	b = binary.LittleEndian.AppendUint32(b, number)
	b = append(b, 0, 0, 0, 0)
	b = append(b, byte(len(packet)/255+1))
	b = append(b, bytes.Repeat([]byte{255}, len(packet)/255)...)
	b = append(b, byte(len(packet)%255))
	b = append(b, packet...)
	binary.LittleEndian.PutUint32(b[22:], sumOf(b))
	return b
}

func TestDamaged(t *testing.T) {
	whole := file(t, 120, 0)
	last := bytes.LastIndex(whole, []byte("OggS"))
	second := bytes.Index(whole[1:], []byte("OggS")) + 1
	third := bytes.Index(whole[second+1:], []byte("OggS")) + second + 1
	flip := func(at int) []byte { b := bytes.Clone(whole); b[at] ^= 1; return b }
	head := []byte("OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00")
	with := func(at int, v byte) []byte { b := bytes.Clone(head); b[at] = v; return page(2, 0, 1, 0, b) }
	good, tags := page(2, 0, 1, 0, head), page(0, 0, 1, 1, []byte("OpusTags"))
	for what, in := range map[string][]byte{
		"not an Ogg file: it does not begin with OggS":       []byte("RIFF and much more than there is in a header"),
		"not an Ogg file: it ends before any sound":          nil,
		"page 5: its checksum is wrong":                      flip(last + 100),
		"page 5: no page begins where one should":            flip(last + 1),
		"page 1: its checksum is wrong":                      flip(30),
		"version 1":                                          flip(4),
		"page 3: it has number 3, the one before it 1: some": slices.Concat(whole[:third], whole[bytes.Index(whole[third+1:], []byte("OggS"))+third+1:]),
		"it begins in the middle":                            whole[third:],
		"with Vorbis in it":                                  page(2, 0, 1, 0, []byte("\x01vorbis")),
		"OpusHead is too short":                              page(2, 0, 1, 0, head[:18]),
		"of version 16":                                      with(8, 16),
		"of 3 channels":                                      with(9, 3),
		"of 0 channels":                                      with(9, 0),
		"of 1 channels (mapping 255)":                        with(18, 255),
		"OpusTags are missing":                               slices.Concat(good, page(0, 0, 1, 1, []byte("OpusTag"))),
		"the stream ends before any sound":                   page(6, 0, 1, 0, head),
		"it does not go on":                                  slices.Concat(good, page(1, 0, 1, 1, []byte("OpusTags"))),
		"a stream begins twice":                              slices.Concat(good, page(2, 0, 1, 1, head)),
		"an empty packet":                                    slices.Concat(good, tags, page(0, 0, 1, 2, nil)),
		"a packet of 63 frames":                              slices.Concat(good, tags, page(0, 0, 1, 2, []byte{255, 63})),
		"longer than Opus":                                   slices.Concat(good, tags, page(0, 0, 1, 2, make([]byte, 62000))),
	} {
		if h := listen(in); h.err == nil || !strings.Contains(h.err.Error(), what) {
			t.Errorf("%v, want one about %q", h.err, what)
		}
	}
	broken := errors.New("broken pipe")
	if _, err := ogg.NewReader(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a failing reader: %v", err)
	}
}

// TestCutOutOfALongerOne has positions that do not begin at zero.
func TestCutOutOfALongerOne(t *testing.T) {
	head := []byte("OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00")
	in := slices.Concat(page(2, 0, 1, 0, head), page(0, 0, 1, 1, []byte("OpusTags")),
		page(0, 1e6, 1, 2, tone(1, 9)), page(4, 1e6+700, 1, 3, tone(2, 9)))
	if h := listen(in); h != (heard{2, 960 - 312 + 700, 1, nil}) {
		t.Errorf("%+v", h)
	}
}

func TestSamples(t *testing.T) {
	for want, packet := range map[int]string{
		480: "\x00", 960: "\x08", 2880: "\x18", 120: "\x80", 240: "\x88", 1920: "\xf9", 5760: "\x1a", 1440: "\x63\x03",
	} {
		if n, err := ogg.Samples([]byte(packet)); err != nil || n != want {
			t.Errorf("% x: %d samples, error %v, want %d", packet, n, err, want)
		}
	}
	for _, packet := range []string{"", "\x03", "\x03\x00", "\x1b\x03"} {
		if n, err := ogg.Samples([]byte(packet)); err == nil {
			t.Errorf("% x: %d samples", packet, n)
		}
	}
}

type limited struct{ room int }

func (l *limited) Write(b []byte) (int, error) {
	n := min(len(b), l.room)
	if l.room -= n; n < len(b) {
		return n, errors.New("no space left")
	}
	return n, nil
}

func TestFullDisk(t *testing.T) {
	w, err := ogg.NewWriter(&limited{5000}, ogg.Head{Channels: 1})
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for i := range 500 {
		if w.WritePacket(tone(i, 60)) != nil {
			told++
		}
	}
	if err := w.Close(0); told != 1 || err != nil || w.Written() < 3000 || w.Written() > 3300 {
		t.Errorf("told %d times, then %v; %d bytes are good", told, err, w.Written())
	}
	if _, err := ogg.NewWriter(&limited{20}, ogg.Head{Channels: 1}); err == nil {
		t.Error("no room for the headers, and no error")
	}
}

func FuzzReader(f *testing.F) {
	f.Add(file(f, 60, 5))
	f.Add(slices.Concat(file(f, 3, 900), file(f, 2, 0)))
	head := []byte("OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00")
	f.Add(slices.Concat(page(2, 0, 1, 0, head), page(0, 0, 1, 1, []byte("OpusTags")), page(4, 1<<63, 1, 2, tone(1, 700))))
	f.Fuzz(func(t *testing.T, in []byte) {
		// With the checksums put right the fuzzer gets further.
		for i := 0; i+27 <= len(in); i++ {
			if string(in[i:i+4]) != "OggS" {
				continue
			}
			size := 27 + int(in[i+26])
			for _, l := range in[min(len(in), i+27):min(len(in), i+size)] {
				size += int(l)
			}
			if i+size <= len(in) {
				clear(in[i+22 : i+26])
				binary.LittleEndian.PutUint32(in[i+22:], sumOf(in[i:i+size]))
			}
		}
		r, err := ogg.NewReader(bytes.NewReader(in))
		for n := 0; err == nil; n++ {
			var p ogg.Packet
			if p, err = r.Next(); err != nil {
				break
			}
			if n > len(in) || p.From < 0 || p.From > p.To || p.To > p.Samples || p.Samples > 5760 || len(p.Data) == 0 || len(p.Data) > 61440 {
				t.Fatalf("packet %d: %d bytes, heard from %d to %d of %d", n, len(p.Data), p.From, p.To, p.Samples)
			}
		}
	})
}
