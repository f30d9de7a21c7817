package opus

import (
	"fmt"

	"github.com/hraban/opus"

	"github.com/sottovoce/sotto/voice"
)

// FileDecoder decodes packets of a file: of any size and duration that Opus has,
// mixed down to one channel. It is for one goroutine.
type FileDecoder struct {
	dec *opus.Decoder
	out [5760]float32 // 120 ms
}

// NewFileDecoder makes a decoder with its state fresh.
func NewFileDecoder() (*FileDecoder, error) {
	dec, err := opus.NewDecoder(voice.SampleRate, 1)
	if err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	return &FileDecoder{dec: dec}, nil
}

// Decode gives the samples of a packet, at 48 kHz, valid until the next call.
func (d *FileDecoder) Decode(packet []byte) ([]float32, error) {
	if len(packet) == 0 {
		return nil, fmt.Errorf("decode: %w: it is empty", ErrPacket)
	}
	n, err := d.dec.DecodeFloat32(packet, d.out[:])
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return d.out[:n], nil
}
