package ogg

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
)

// Vendor is all that OpusTags says.
const Vendor = "sotto"

// pageTime is how much sound a page holds when it is written out, in samples at
// 48 kHz: a crash loses no more than this second.
const pageTime = 48000

// Writer writes one stream of Opus. Every page goes out with one Write. It is
// for one goroutine.
type Writer struct {
	w      io.Writer
	serial uint32
	number uint32 // of the next page

	lengths  []byte
	data     []byte
	position int64 // samples up to the last packet given
	waiting  int   // of them, on the page that waits
	written  int64 // bytes of whole pages
	failed   bool
}

// NewWriter writes the two headers to w.
func NewWriter(w io.Writer, h Head) (*Writer, error) {
	if h.Channels < 1 || h.Channels > 2 || h.PreSkip < 0 || h.PreSkip > 1<<16-1 {
		return nil, fmt.Errorf("no head of an Opus file: %+v", h)
	}
	o := &Writer{w: w, serial: rand.Uint32(), lengths: make([]byte, 0, 255), data: make([]byte, 0, 1<<13)}
	head := append([]byte("OpusHead"), 1, byte(h.Channels))
	head = binary.LittleEndian.AppendUint16(head, uint16(h.PreSkip))
	head = binary.LittleEndian.AppendUint32(head, 48000)
	head = binary.LittleEndian.AppendUint16(head, uint16(h.Gain))
	head = append(head, 0)
	tags := binary.LittleEndian.AppendUint32([]byte("OpusTags"), uint32(len(Vendor)))
	tags = append(tags, Vendor...)
	tags = binary.LittleEndian.AppendUint32(tags, 0)
	o.add(head)
	err := o.page(flagFirst)
	if err == nil {
		o.add(tags)
		err = o.page(0)
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// add puts a packet on the page that waits, where there must be room.
func (o *Writer) add(packet []byte) {
	for range len(packet) / 255 {
		o.lengths = append(o.lengths, 255)
	}
	o.lengths = append(o.lengths, byte(len(packet)%255))
	o.data = append(o.data, packet...)
}

// WritePacket adds a packet of sound, at most 65,024 bytes. An error, such as a
// full disk, is given once; after it packets are dropped without a word.
func (o *Writer) WritePacket(packet []byte) error {
	if o.failed {
		return nil
	}
	samples, err := Samples(packet)
	if err != nil {
		return err
	}
	segments := len(packet)/255 + 1
	if segments > 255 {
		return fmt.Errorf("a packet of %d bytes", len(packet))
	}
	if len(o.lengths)+segments > 255 {
		if err := o.page(0); err != nil {
			return err
		}
	}
	o.add(packet)
	o.position += int64(samples)
	o.waiting += samples
	if o.waiting >= pageTime {
		return o.page(0)
	}
	return nil
}

// Close writes what waits and marks the end. trim is how many samples at the
// end are not to be heard. Close does not close what is written to, and repeats
// no error.
func (o *Writer) Close(trim int) error {
	if o.failed {
		return nil
	}
	o.position = max(0, o.position-int64(trim))
	err := o.page(flagLast)
	o.failed = true // nothing is kept after Close
	return err
}

// Written is how many bytes of whole pages have been written: up to there the
// file is good, whatever happened behind.
func (o *Writer) Written() int64 { return o.written }

// page writes out what waits.
func (o *Writer) page(flags byte) error {
	b := make([]byte, 0, 27+len(o.lengths)+len(o.data))
	b = append(b, "OggS\x00"...)
	b = append(b, flags)
	b = binary.LittleEndian.AppendUint64(b, uint64(o.position))
	b = binary.LittleEndian.AppendUint32(b, o.serial)
	b = binary.LittleEndian.AppendUint32(b, o.number)
	b = append(b, 0, 0, 0, 0, byte(len(o.lengths)))
	b = append(b, o.lengths...)
	b = append(b, o.data...)
	binary.LittleEndian.PutUint32(b[22:], checksum(0, b))
	o.lengths, o.data, o.waiting = o.lengths[:0], o.data[:0], 0
	o.number++
	n, err := o.w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		o.failed = true
		return fmt.Errorf("writing an Ogg file: %w", err)
	}
	o.written += int64(n)
	return nil
}
