package opus

import (
	"errors"
	"fmt"

	"github.com/hraban/opus"

	"github.com/sottovoce/sotto/voice"
)

// What libopus is to take pains with. Its best costs 0.8 ms a frame of speech; 7 would
// cost a fifth less, and up to a quarter of a point of PESQ. Where nobody speaks, and so
// for half of a call or more, it would still take 0.3 ms for silence and 0.7 for noise;
// 0.1 is enough: from the first frame of a word on it is the best again.
const (
	complexity      = 10
	complexityQuiet = 1
	quietAfter      = 10 // frames without speech
)

// Encoder makes packets of one size. It is for one goroutine.
type Encoder struct {
	enc      *opus.Encoder
	silence  []byte // a packet of the right size that any decoder takes
	activity voice.Activity
	quiet    int // frames since somebody spoke
}

// NewEncoder makes an encoder with its state fresh.
func NewEncoder(p Profile) (*Encoder, error) {
	if !p.valid() {
		return nil, fmt.Errorf("encoder: there is no %v", p)
	}
	enc, err := newEncoder(p)
	if err != nil {
		return nil, fmt.Errorf("encoder %v: %w", p, err)
	}
	// The silence comes from an encoder of its own, whose state it leaves alone.
	first, err := newEncoder(p)
	if err != nil {
		return nil, fmt.Errorf("encoder %v: %w", p, err)
	}
	e := &Encoder{enc: first, silence: make([]byte, p.PacketBytes())}
	if err := e.encode(e.silence, new(voice.Frame)); err != nil {
		return nil, fmt.Errorf("encoder %v: %w", p, err)
	}
	return &Encoder{enc: enc, silence: e.silence}, nil
}

func newEncoder(p Profile) (*opus.Encoder, error) {
	enc, err := opus.NewEncoder(voice.SampleRate, 1, opus.AppVoIP)
	if err != nil {
		return nil, err
	}
	return enc, errors.Join(
		enc.SetBitrate(p.bitsPerSecond()),
		enc.SetVBR(false),
		enc.SetDTX(false),
		enc.SetInBandFEC(false),
		enc.SetComplexity(complexity),
		enc.SetMaxBandwidth(p.band()),
	)
}

// band is how high sound is sent. Of 12 kb/s libopus would spend too much on what lies
// above 6 kHz: PESQ is 0.3 to 0.5 higher without, and where a word dies away it
// (1.3.1) now and then ends in a burst, 10 to 17 dB too loud.
func (p Profile) band() opus.Bandwidth {
	if p == Profile12k {
		return opus.Mediumband
	}
	return opus.Wideband
}

// Encode fills packet, whose length must be the profile's, with the next
// frame. Whatever goes wrong inside the codec, packet holds a whole packet
// afterwards, of silence then: an error must not change what is sent.
func (e *Encoder) Encode(packet []byte, f *voice.Frame) error {
	if len(packet) != len(e.silence) {
		return fmt.Errorf("encode: room for %d bytes, a packet has %d", len(packet), len(e.silence))
	}
	if err := e.encode(packet, f); err != nil {
		copy(packet, e.silence)
		return fmt.Errorf("encode: %w", err)
	}
	return nil
}

func (e *Encoder) encode(packet []byte, f *voice.Frame) error {
	if err := e.attend(f); err != nil {
		return err
	}
	// The binding fills up to the capacity, not the length.
	n, err := e.enc.EncodeFloat32(f[:], packet[:len(packet):len(packet)])
	if err != nil {
		return err
	}
	if n != len(packet) {
		return fmt.Errorf("libopus made %d bytes of %d", n, len(packet))
	}
	return nil
}

// attend looks what there is to encode, for how much to take pains with it.
func (e *Encoder) attend(f *voice.Frame) error {
	was := e.quiet > quietAfter
	e.quiet++
	for _, half := range [...][]float32{f[:voice.PullSamples], f[voice.PullSamples:]} {
		if e.activity.Classify(half) != voice.Pause {
			e.quiet = 0
		}
	}
	switch is := e.quiet > quietAfter; {
	case is == was:
		return nil
	case is:
		return e.enc.SetComplexity(complexityQuiet)
	}
	return e.enc.SetComplexity(complexity)
}
