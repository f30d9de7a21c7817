package phone

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/ogg"
	"github.com/sottovoce/sotto/voice/opus"
)

// oggReader is the sound of an Ogg Opus file.
type oggReader struct {
	in   *ogg.Reader
	dec  *opus.FileDecoder
	left []float32 // decoded and not yet read
}

// oggOpus is the [voice.Format] of Ogg Opus files.
func oggOpus(r io.Reader) (voice.Reader, error) {
	in, err := ogg.NewReader(r)
	if err != nil {
		return nil, err
	}
	return &oggReader{in: in}, nil
}

// Rate is what Opus always decodes to.
func (*oggReader) Rate() int { return voice.SampleRate }

// Read decodes the next packet when nothing is left of the last.
func (o *oggReader) Read(out []float32) (int, error) {
	for len(o.left) == 0 {
		p, err := o.in.Next()
		if err != nil {
			return 0, err
		}
		if p.Begins {
			if o.dec, err = opus.NewFileDecoder(); err != nil {
				return 0, err
			}
		}
		samples, err := o.dec.Decode(p.Data)
		if err != nil {
			return 0, fmt.Errorf("%w: what should be Opus in it is not: %w", ogg.ErrDamaged, err)
		}
		o.left = samples[min(p.From, len(samples)):min(p.To, len(samples))]
		gain := float32(math.Pow(10, float64(o.in.Head().Gain)/256/20))
		for i, s := range o.left {
			o.left[i] = max(-1, min(1, s*gain))
		}
	}
	n := copy(out, o.left)
	o.left = o.left[n:]
	return n, nil
}

// oggWriter keeps frames as Ogg Opus, of one channel and 24 kb/s. At most a
// second waits to be written.
type oggWriter struct {
	enc    *opus.Encoder
	out    *ogg.Writer
	file   io.Writer
	packet []byte
	failed bool
}

// preSkip is by how many samples the codec is late.
const preSkip = int(opus.LookAhead * voice.SampleRate / 1e9)

// newOggWriter writes the beginning to w. If w can be truncated, as files can, a
// page that a full disk has cut is taken back.
func newOggWriter(w io.Writer) (*oggWriter, error) {
	enc, err := opus.NewEncoder(opus.Profile24k)
	if err != nil {
		return nil, err
	}
	out, err := ogg.NewWriter(w, ogg.Head{Channels: 1, PreSkip: preSkip})
	if err != nil {
		return nil, err
	}
	return &oggWriter{enc: enc, out: out, file: w, packet: make([]byte, opus.Profile24k.PacketBytes())}, nil
}

// WriteFrame adds a frame. An error is given once; after it frames are dropped
// without a word, so that a call can go on.
func (w *oggWriter) WriteFrame(f *voice.Frame) error {
	if w.failed {
		return nil
	}
	err := w.enc.Encode(w.packet, f)
	if err == nil {
		err = w.out.WritePacket(w.packet)
	}
	return w.check(err)
}

// check acts on a first error: what was written stays a file that plays.
func (w *oggWriter) check(err error) error {
	if err == nil {
		return nil
	}
	w.failed = true
	if file, ok := w.file.(interface{ Truncate(int64) error }); ok {
		err = errors.Join(err, file.Truncate(w.out.Written()))
	}
	return err
}

// Close writes the end: one more frame, as the codec is late, that the file
// says is not to be heard beyond what was written. It repeats no error.
func (w *oggWriter) Close() error {
	if w.failed {
		return nil
	}
	err := w.WriteFrame(&voice.Frame{})
	if err == nil {
		err = w.check(w.out.Close(voice.FrameSamples - preSkip))
	}
	w.failed = true // nothing is kept after Close
	return err
}
