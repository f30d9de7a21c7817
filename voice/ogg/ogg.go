// Package ogg keeps Opus packets in files: an Ogg muxer and demuxer for one
// logical stream of Opus (RFC 3533, RFC 7845), in plain Go. It knows nothing of
// what packets sound like; voice/opus does.
//
// A file is a run of pages, each at most 65,307 bytes, little-endian:
//
//	 0  "OggS"     4
//	 4  version    1   0
//	 5  flags      1   1: goes on with a packet of the page before
//	                   2: first page of a stream    4: last one
//	 6  position   8   samples at 48 kHz up to the end of the last packet that
//	                   ends here, from the decoder's first on; −1: none ends here
//	14  serial     4   of the stream; streams may run side by side, or follow each other
//	18  number     4   of the page in its stream, from 0
//	22  checksum   4   CRC-32 of the page, polynomial 0x04C11DB7, with zeros here
//	26  segments   1   how many lengths follow
//	27  lengths        one byte each: a packet is as many segments of 255 bytes
//	                   as fit and one that is shorter
//
// The first packet is OpusHead (channels, and how many samples of the decoder's
// first are not to be heard), the second OpusTags (who made it; here "sotto" and
// nothing else), the others are sound. What the last position lacks of the
// samples before it is not to be heard either.
package ogg

import (
	"errors"
	"fmt"
)

// Limits of what is read.
const (
	maxPage   = 27 + 255 + 255*255
	maxPacket = 61440 // bytes: what 120 ms of two channels can be (RFC 7845, section 6)
	maxSkip   = 100   // pages of other streams before one of Opus
)

// Flags of a page.
const (
	flagContinued = 1
	flagFirst     = 2
	flagLast      = 4
)

// Errors of a file.
var (
	ErrNotOgg  = errors.New("not an Ogg file")
	ErrDamaged = errors.New("a damaged Ogg file")
)

// Head is what OpusHead says.
type Head struct {
	Channels int // 1 or 2
	PreSkip  int // samples at 48 kHz at the beginning that are not to be heard
	Gain     int // to be applied when it is played, in dB/256
}

// Samples is how long a packet is, in samples at 48 kHz: 120 to 5,760 (2.5 to
// 120 ms), by its first two bytes (RFC 6716, section 3).
func Samples(packet []byte) (int, error) {
	if len(packet) == 0 {
		return 0, errors.New("an empty packet")
	}
	size := 0
	switch config := packet[0] >> 3; {
	case config < 12: // SILK: 10, 20, 40, 60 ms
		size = [...]int{480, 960, 1920, 2880}[config%4]
	case config < 16: // hybrid: 10, 20 ms
		size = [...]int{480, 960}[config%2]
	default: // CELT: 2.5, 5, 10, 20 ms
		size = 120 << (config % 4)
	}
	frames := 1
	switch packet[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(packet) < 2 {
			return 0, errors.New("a packet that ends before its count of frames")
		}
		frames = int(packet[1] & 63)
	}
	if n := frames * size; n > 0 && n <= 5760 {
		return n, nil
	}
	return 0, fmt.Errorf("a packet of %d frames of %d samples", frames, size)
}

// checksum is Ogg's CRC-32: not reflected, from 0, not inverted.
func checksum(crc uint32, b []byte) uint32 {
	for _, v := range b {
		crc = crc<<8 ^ crcTable[byte(crc>>24)^v]
	}
	return crc
}

var crcTable = func() (table [256]uint32) {
	for i := range table {
		r := uint32(i) << 24
		for range 8 {
			if r&(1<<31) != 0 {
				r = r<<1 ^ 0x04C11DB7
			} else {
				r <<= 1
			}
		}
		table[i] = r
	}
	return table
}()
