package opus

import (
	"errors"
	"fmt"

	"github.com/hraban/opus"

	"github.com/sottovoce/sotto/voice"
)

// ErrPacket says that a packet is not one of the call's profile. It came from
// the peer, and libopus has not seen it.
var ErrPacket = errors.New("not a packet of this call")

// Decoder makes sound of packets. It is for one goroutine.
type Decoder struct {
	dec    *opus.Decoder
	packet int // bytes
}

// NewDecoder makes a decoder with its state fresh.
func NewDecoder(p Profile) (*Decoder, error) {
	if !p.valid() {
		return nil, fmt.Errorf("decoder: there is no %v", p)
	}
	dec, err := opus.NewDecoder(voice.SampleRate, 1)
	if err != nil {
		return nil, fmt.Errorf("decoder %v: %w", p, err)
	}
	return &Decoder{dec: dec, packet: p.PacketBytes()}, nil
}

// Decode fills f with what packet says. A packet of another size, duration or
// number of channels or frames is [ErrPacket] and changes nothing; after any
// error f is silent.
func (d *Decoder) Decode(f *voice.Frame, packet []byte) error {
	if err := check(packet, d.packet); err != nil {
		*f = voice.Frame{}
		return err
	}
	n, err := d.dec.DecodeFloat32(packet, f[:])
	if err == nil && n != len(f) {
		err = fmt.Errorf("libopus made %d samples of %d", n, len(f))
	}
	return finish(f, "decode", err)
}

// Conceal fills f with what might have been said when a packet is missing:
// libopus goes on from what it last decoded, and fades.
func (d *Decoder) Conceal(f *voice.Frame) error {
	return finish(f, "conceal", d.dec.DecodePLCFloat32(f[:]))
}

func finish(f *voice.Frame, doing string, err error) error {
	if err != nil {
		*f = voice.Frame{}
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// check reads as much of a packet as says what it is.
func check(packet []byte, size int) error {
	if len(packet) != size {
		return fmt.Errorf("%w: %d bytes, want %d", ErrPacket, len(packet), size)
	}
	toc := packet[0]
	switch {
	case !is20ms(toc >> 3):
		return fmt.Errorf("%w: its frames are not of 20 ms", ErrPacket)
	case toc&4 != 0:
		return fmt.Errorf("%w: it is stereo", ErrPacket)
	case toc&3 == 0:
		return nil
	case toc&3 == 3 && packet[1]&63 == 1: // filled up; see the package comment
		return nil
	}
	return fmt.Errorf("%w: it holds more than one frame", ErrPacket)
}

// is20ms looks the configuration up in RFC 6716, table 2: four durations from
// 10 ms for each SILK band, two for each hybrid band, four from 2.5 ms for each
// CELT band.
func is20ms(config byte) bool {
	switch {
	case config < 12: // SILK
		return config%4 == 1
	case config < 16: // hybrid
		return config%2 == 1
	}
	return config%4 == 3 // CELT
}

// Version is libopus's own name for itself, such as "libopus 1.3.1".
func Version() string { return opus.Version() }
