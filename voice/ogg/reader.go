package ogg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Packet is one packet of sound, and which of its samples, at 48 kHz, are to be
// heard: those from From up to To.
type Packet struct {
	Data     []byte // valid until the next call of Next
	From, To int
	Samples  int  // what it decodes to
	Begins   bool // a stream begins with it: decode it with a fresh state
}

// Reader reads the packets of the first stream of Opus in a file, and of those
// that follow it (a chain); streams beside it, such as a film's pictures, are
// passed over. It holds one page at a time.
type Reader struct {
	r     io.Reader
	head  Head
	buf   [maxPage]byte
	pages int64 // read so far, for errors

	serial   uint32
	next     uint32 // number of the stream's next page
	stage    stage
	partial  []byte // beginning of a packet that goes on in the next page
	open     bool   // there is one
	fresh    bool   // no packet of this stream was given yet
	begun    bool   // the first page of sound was seen
	skip     int    // samples still to be passed over
	position int64  // samples so far, from the first on
	start    int64  // position that the file gives the first sample
	ready    []Packet
	store    []byte // what ready points into
}

type stage uint8

const (
	wantHead stage = iota
	wantTags
	wantSound
	ended // the last page was read; another stream may follow
)

type page struct {
	flags    byte
	position int64
	serial   uint32
	number   uint32
	lengths  []byte
	data     []byte
}

// NewReader reads up to the first packet of sound. A file without Opus is an
// error that says what it holds instead.
func NewReader(r io.Reader) (*Reader, error) {
	o := &Reader{r: r}
	holds := ""
	for i := 0; o.stage != wantSound; i++ {
		p, err := o.page()
		switch {
		case errors.Is(err, io.EOF) && holds != "" && o.stage == wantHead:
			return nil, fmt.Errorf("an Ogg file with %s in it: only Opus can be read", holds)
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			if i == 0 {
				return nil, fmt.Errorf("%w: it ends before any sound", ErrNotOgg)
			}
			return nil, fmt.Errorf("%w: it ends before any sound", ErrDamaged)
		case err != nil:
			return nil, err
		}
		if o.stage == wantHead {
			if p.flags&flagFirst == 0 || i > maxSkip {
				if holds == "" {
					return nil, fmt.Errorf("%w: it begins in the middle", ErrDamaged)
				}
				return nil, fmt.Errorf("an Ogg file with %s in it: only Opus can be read", holds)
			}
			if !bytes.HasPrefix(p.data, []byte("OpusHead")) {
				holds = codec(p.data)
				continue
			}
		}
		if err := o.take(p); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// codec names what a first page announces.
func codec(b []byte) string {
	for mark, name := range map[string]string{
		"\x01vorbis": "Vorbis", "\x7fFLAC": "FLAC", "Speex   ": "Speex", "\x80theora": "Theora",
	} {
		if bytes.HasPrefix(b, []byte(mark)) {
			return name
		}
	}
	return "something unknown"
}

// Head is what the stream that the last packet belongs to says of itself.
func (o *Reader) Head() Head { return o.head }

// Next gives the next packet; io.EOF after the last. A file that was cut short,
// as by a crash, ends with its last whole page.
func (o *Reader) Next() (Packet, error) {
	for len(o.ready) == 0 {
		p, err := o.page()
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		if err != nil {
			return Packet{}, err
		}
		if err := o.take(p); err != nil {
			return Packet{}, err
		}
	}
	p := o.ready[0]
	o.ready = o.ready[1:]
	return p, nil
}

// page reads one page and looks at its checksum: io.EOF between pages,
// io.ErrUnexpectedEOF within one. What it gives is valid until the next call.
func (o *Reader) page() (p page, err error) {
	b := o.buf[:27]
	if _, err := io.ReadFull(o.r, b); err != nil {
		return p, err
	}
	o.pages++
	if string(b[:4]) != "OggS" {
		if o.pages == 1 {
			return p, fmt.Errorf("%w: it does not begin with OggS", ErrNotOgg)
		}
		return p, o.damaged("no page begins where one should")
	}
	if b[4] != 0 {
		return p, fmt.Errorf("an Ogg file of version %d: only 0 can be read", b[4])
	}
	b = o.buf[:27+int(b[26])]
	if _, err := io.ReadFull(o.r, b[27:]); err != nil {
		return p, short(err)
	}
	lengths, size := b[27:], 0
	for _, n := range lengths {
		size += int(n)
	}
	b = o.buf[:len(b)+size]
	if _, err := io.ReadFull(o.r, b[27+len(lengths):]); err != nil {
		return p, short(err)
	}
	sum := binary.LittleEndian.Uint32(b[22:])
	clear(b[22:26])
	if checksum(0, b) != sum {
		return p, o.damaged("its checksum is wrong")
	}
	return page{
		flags: b[5], position: int64(binary.LittleEndian.Uint64(b[6:])),
		serial: binary.LittleEndian.Uint32(b[14:]), number: binary.LittleEndian.Uint32(b[18:]),
		lengths: lengths, data: b[27+len(lengths):],
	}, nil
}

// short is what a page that ends too soon gives.
func short(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (o *Reader) damaged(why string) error {
	return fmt.Errorf("%w: page %d: %s", ErrDamaged, o.pages, why)
}

// take acts on a page.
func (o *Reader) take(p page) error {
	begins := p.flags&flagFirst != 0
	switch {
	case begins && o.stage != wantTags && bytes.HasPrefix(p.data, []byte("OpusHead")):
		o.serial, o.next, o.stage = p.serial, p.number, wantHead
		o.open, o.fresh, o.begun = false, true, false
	case o.stage == ended || p.serial != o.serial:
		return nil // of a stream beside ours
	case begins:
		return o.damaged("a stream begins twice")
	}
	if p.number != o.next {
		return o.damaged(fmt.Sprintf("it has number %d, the one before it %d: some are missing", p.number, o.next-1))
	}
	o.next++
	if (p.flags&flagContinued != 0) != o.open {
		return o.damaged("it does not go on where the one before it ended")
	}
	if err := o.split(p); err != nil {
		return err
	}
	if o.stage == wantSound && len(o.ready) > 0 {
		o.place(p)
	}
	if p.flags&flagLast != 0 {
		if o.stage != wantSound {
			return o.damaged("the stream ends before any sound")
		}
		o.stage, o.open = ended, false
	}
	return nil
}

// split takes a page's packets apart and gives each to its stage.
func (o *Reader) split(p page) error {
	o.ready, o.store = o.ready[:0], append(o.store[:0], o.partial...)
	from := 0 // of the packet, in store
	if !o.open {
		o.store = o.store[:0]
	}
	o.partial = o.partial[:0]
	for _, n := range p.lengths {
		part := p.data[:n]
		p.data = p.data[n:]
		if o.stage == wantTags { // of any length, pictures and all: only its name counts
			part = part[:min(len(part), max(0, 8-(len(o.store)-from)))]
		}
		o.store = append(o.store, part...)
		if len(o.store)-from > maxPacket {
			return o.damaged("a packet is longer than Opus has any")
		}
		if o.open = n == 255; o.open {
			continue
		}
		if err := o.packet(o.store[from:]); err != nil {
			return err
		}
		from = len(o.store)
	}
	if o.open {
		o.partial = append(o.partial, o.store[from:]...)
	}
	return nil
}

// packet acts on a whole packet.
func (o *Reader) packet(b []byte) error {
	switch o.stage {
	case wantHead:
		if err := o.readHead(b); err != nil {
			return err
		}
		o.stage = wantTags
	case wantTags:
		if string(b) != "OpusTags" {
			return o.damaged("OpusTags are missing")
		}
		o.stage = wantSound
	default:
		n, err := Samples(b)
		if err != nil {
			return o.damaged(err.Error())
		}
		o.ready = append(o.ready, Packet{Data: b, To: n, Samples: n, Begins: o.fresh})
		o.fresh = false
	}
	return nil
}

func (o *Reader) readHead(b []byte) error {
	if len(b) < 19 {
		return o.damaged("OpusHead is too short")
	}
	if b[8]>>4 != 0 {
		return fmt.Errorf("an Ogg Opus file of version %d: only 1 can be read", b[8])
	}
	h := Head{
		Channels: int(b[9]), PreSkip: int(binary.LittleEndian.Uint16(b[10:])),
		Gain: int(int16(binary.LittleEndian.Uint16(b[16:]))),
	}
	if b[18] != 0 || h.Channels < 1 || h.Channels > 2 {
		return fmt.Errorf("an Ogg Opus file of %d channels (mapping %d): one or two can be read", h.Channels, b[18])
	}
	o.head, o.skip, o.position, o.start = h, h.PreSkip, 0, 0
	return nil
}

// place says what of a page's packets is to be heard: the first PreSkip samples
// of the stream are not, nor what lies behind its last position.
func (o *Reader) place(p page) {
	var samples int64
	for _, k := range o.ready {
		samples += int64(k.Samples)
	}
	last := p.flags&flagLast != 0
	if !o.begun && !last && p.position > samples {
		o.start = p.position - samples // cut out of a longer one
	}
	o.begun = true
	o.position += samples
	if last && p.position >= 0 && p.position <= math.MaxInt64-o.start {
		over := o.position - (p.position - o.start)
		for i := len(o.ready) - 1; i >= 0 && over > 0; i-- {
			k := &o.ready[i]
			cut := min(over, int64(k.To))
			k.To -= int(cut)
			over -= cut
		}
	}
	for i := range o.ready {
		k := &o.ready[i]
		n := min(o.skip, k.Samples)
		o.skip -= n
		k.From = min(n, k.To)
	}
}
