package voice

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// PCM is bare samples, without a header that says what they are.
type PCM struct {
	format wavFormat
	name   string // of the encoding
}

// Encodings of bare samples, all little-endian.
var pcmNames = []struct {
	name     string
	encoding uint16
	width    int // bytes
}{
	{"s16le", wavPCM, 2},
	{"s24le", wavPCM, 3},
	{"s32le", wavPCM, 4},
	{"u8", wavPCM, 1},
	{"f32le", wavFloat, 4},
	{"f64le", wavFloat, 8},
}

// ParsePCM reads RATE:CHANNELS or RATE:CHANNELS:ENCODING: Hz, how many samples
// there are of each moment, and u8, s16le (which it is if not said), s24le,
// s32le, f32le or f64le.
func ParsePCM(s string) (PCM, error) {
	parts := strings.Split(s, ":")
	if len(parts) == 2 {
		parts = append(parts, "s16le")
	}
	if len(parts) != 3 {
		return PCM{}, fmt.Errorf("bare samples are RATE:CHANNELS:ENCODING, as in 48000:1:s16le, not %q", s)
	}
	rate, err := strconv.Atoi(parts[0])
	if err != nil || rate < minRate || rate > maxRate {
		return PCM{}, fmt.Errorf("a rate of %q: %d to %d Hz are supported", parts[0], minRate, maxRate)
	}
	channels, err := strconv.Atoi(parts[1])
	if err != nil || channels < 1 || channels > maxChannels {
		return PCM{}, fmt.Errorf("%q channels: 1 to %d are supported", parts[1], maxChannels)
	}
	var names []string
	for _, n := range pcmNames {
		if n.name == parts[2] {
			return PCM{wavFormat{n.encoding, channels, rate, n.width}, n.name}, nil
		}
		names = append(names, n.name)
	}
	return PCM{}, fmt.Errorf("no encoding %q: there are %s", parts[2], strings.Join(names, ", "))
}

// Open is the [Format] of bare samples.
func (p PCM) Open(r io.Reader) (Reader, error) {
	return &wavReader{r: r, format: p.format, left: -1}, nil
}

// PCMWriter writes bare samples as they come, the same in every channel. It is
// for one goroutine.
type PCMWriter struct {
	w      io.Writer
	pcm    PCM
	rate   *Resampler
	out    [FrameSamples]float32
	bytes  []byte
	failed bool
}

// NewWriter writes to w, once a frame.
func (p PCM) NewWriter(w io.Writer) *PCMWriter {
	return &PCMWriter{w: w, pcm: p, rate: NewResampler(SampleRate, p.format.rate)}
}

// WriteFrame adds a frame. An error is given once; after it frames are dropped
// without a word, so that a call can go on.
func (w *PCMWriter) WriteFrame(f *Frame) error {
	if w.failed {
		return nil
	}
	w.rate.Write(f[:])
	return w.drain()
}

// drain writes what the resampler has.
func (w *PCMWriter) drain() error {
	w.bytes = w.bytes[:0]
	for n := w.rate.Read(w.out[:]); n > 0; n = w.rate.Read(w.out[:]) {
		for _, s := range w.out[:n] {
			at := len(w.bytes)
			w.bytes = w.pcm.format.append(w.bytes, s)
			for range w.pcm.format.channels - 1 {
				w.bytes = append(w.bytes, w.bytes[at:at+w.pcm.format.width]...)
			}
		}
	}
	if _, err := w.w.Write(w.bytes); err != nil {
		w.failed = true
		return fmt.Errorf("writing samples: %w", err)
	}
	return nil
}

// Close writes the last samples. It repeats no error, and does not close what
// is written to.
func (w *PCMWriter) Close() error {
	if w.failed {
		return nil
	}
	w.rate.Flush()
	err := w.drain()
	w.failed = true // nothing is kept after Close
	return err
}

// append encodes a sample of one channel; what is too loud is clipped.
func (f wavFormat) append(b []byte, s float32) []byte {
	if f.encoding == wavFloat && f.width == 4 {
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(s))
	}
	if f.encoding == wavFloat {
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(s)))
	}
	full := float64(int64(1) << (8*f.width - 1))
	v := int64(math.Round(max(-full, min(full-1, float64(s)*full))))
	if f.width == 1 {
		v += 128
	}
	whole := binary.LittleEndian.AppendUint64(slices.Grow(b, 8), uint64(v))
	return whole[:len(b)+f.width]
}

// Limits of a tone, in Hz.
const (
	minTone = 20
	maxTone = 20000
)

// Tone is a second of a sine of so many Hz at −20 dBFS, which may be played over
// and over without a seam.
func Tone(hz int) (*Clip, error) {
	if hz < minTone || hz > maxTone {
		return nil, errors.New("a tone of 20 to 20000 Hz can be had")
	}
	c := &Clip{Samples: make([]float32, SampleRate)}
	for i := range c.Samples {
		c.Samples[i] = float32(0.1 * math.Sin(2*math.Pi*float64(hz*i%SampleRate)/SampleRate))
	}
	return c, nil
}
