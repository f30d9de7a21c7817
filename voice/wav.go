package voice

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// A WAV file is RIFF: the four bytes RIFF, a size, the four bytes WAVE, then
// chunks of a four-byte name, a little-endian size and that many bytes, padded
// to an even length. The chunk "fmt " says how the samples in the chunk "data"
// are written; every other chunk is passed over. Programs that write to a pipe
// cannot know the sizes: they put 0 or 0xFFFFFFFF (or about 2^31, as sox does),
// and the data then goes on to the end.

// Encodings of samples in the chunk "fmt ".
const (
	wavPCM        = 1
	wavFloat      = 3
	wavExtensible = 0xFFFE
)

// What a WAV may hold for this program.
const (
	minRate     = 4000
	maxRate     = 384000
	maxChannels = 64
)

// wavNames says, in an error, what a file holds that is not supported.
var wavNames = map[uint16]string{
	2: "ADPCM", 6: "A-law", 7: "µ-law", 0x11: "IMA ADPCM", 0x31: "GSM 6.10", 0x50: "MPEG", 0x55: "MP3",
}

// wavGUID ends the sub-format of WAVE_FORMAT_EXTENSIBLE, whose first two bytes
// are an encoding as above.
const wavGUID = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// wavFormat is the chunk "fmt ", checked.
type wavFormat struct {
	encoding uint16
	channels int
	rate     int // Hz
	width    int // bytes a sample of one channel
}

// wavReader decodes the samples of a WAV, or bare ones, as they come.
type wavReader struct {
	r       io.Reader
	format  wavFormat
	left    int64 // bytes of data still to come; -1 until the end
	pending []byte
}

var errNotWAV = errors.New("not a WAV file")

// WAV is the [Format] of WAV files: PCM of 8 to 32 bits or floating point of 32
// or 64, 4 to 384 kHz. It reads up to the first sample.
func WAV(r io.Reader) (Reader, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, wavShort(err)
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, fmt.Errorf("%w: it does not begin with RIFF and WAVE", errNotWAV)
	}
	w := &wavReader{r: r}
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return nil, wavShort(err)
		}
		size := binary.LittleEndian.Uint32(chunk[4:])
		switch string(chunk[:4]) {
		case "fmt ":
			if err := w.readFormat(size); err != nil {
				return nil, err
			}
		case "data":
			if w.format.channels == 0 {
				return nil, fmt.Errorf("%w: its samples come before their format", errNotWAV)
			}
			w.left = int64(size)
			if size == 0 || size == math.MaxUint32 {
				w.left = -1
			}
			return w, nil
		default:
			if err := w.skip(int64(size) + int64(size&1)); err != nil {
				return nil, err
			}
		}
	}
}

// wavShort names a file that ends before its samples begin.
func wavShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends before any sound", errNotWAV)
	}
	return err
}

func (w *wavReader) skip(n int64) error {
	if _, err := io.CopyN(io.Discard, w.r, n); err != nil {
		return wavShort(err)
	}
	return nil
}

// readFormat reads the chunk "fmt ": encoding, channels, rate, bytes a second,
// bytes a sample of all channels, bits a sample; when extensible, also 2 bytes
// of length, 2 of valid bits, 4 of channel mask and 16 of sub-format.
func (w *wavReader) readFormat(size uint32) error {
	var b [40]byte
	n := min(size, uint32(len(b)))
	if size < 16 {
		return fmt.Errorf("%w: its format has %d bytes", errNotWAV, size)
	}
	if _, err := io.ReadFull(w.r, b[:n]); err != nil {
		return wavShort(err)
	}
	if err := w.skip(int64(size-n) + int64(size&1)); err != nil {
		return err
	}
	encoding := binary.LittleEndian.Uint16(b[0:])
	if encoding == wavExtensible {
		encoding = binary.LittleEndian.Uint16(b[24:])
		if string(b[26:40]) != wavGUID {
			return errors.New("a WAV in an unknown extensible encoding: convert it to 16-bit PCM")
		}
	}
	channels, rate := int(binary.LittleEndian.Uint16(b[2:])), binary.LittleEndian.Uint32(b[4:])
	align, bits := int(binary.LittleEndian.Uint16(b[12:])), int(binary.LittleEndian.Uint16(b[14:]))
	f := wavFormat{encoding: encoding, channels: channels, rate: int(rate), width: (bits + 7) / 8}
	switch {
	case channels < 1 || channels > maxChannels:
		return fmt.Errorf("a WAV of %d channels: 1 to %d are supported", channels, maxChannels)
	case rate < minRate || rate > maxRate:
		return fmt.Errorf("a WAV of %d Hz: %d to %d are supported", rate, minRate, maxRate)
	case !f.supported():
		return fmt.Errorf("a WAV in %s: convert it to 16-bit PCM", f.describe(bits))
	case align != f.channels*f.width:
		return fmt.Errorf("%w: %d channels of %d bits do not make %d bytes", errNotWAV, channels, bits, align)
	}
	w.format = f
	return nil
}

func (f wavFormat) supported() bool {
	switch f.encoding {
	case wavPCM:
		return f.width >= 1 && f.width <= 4
	case wavFloat:
		return f.width == 4 || f.width == 8
	}
	return false
}

func (f wavFormat) describe(bits int) string {
	switch name := wavNames[f.encoding]; {
	case name != "":
		return name
	case f.encoding == wavPCM:
		return fmt.Sprintf("%d-bit PCM", bits)
	case f.encoding == wavFloat:
		return fmt.Sprintf("%d-bit floating point", bits)
	}
	return fmt.Sprintf("encoding %d", f.encoding)
}

// Rate is the file's own.
func (w *wavReader) Rate() int { return w.format.rate }

// Read fills out with samples and returns how many; io.EOF once none are left.
// A file that was cut short, as by a crash, ends where it ends.
func (w *wavReader) Read(out []float32) (int, error) {
	block := w.format.channels * w.format.width
	want := int64(len(out) * block)
	if w.left >= 0 {
		want = min(want, w.left-w.left%int64(block))
	}
	if int64(cap(w.pending)) < want {
		w.pending = make([]byte, want)
	}
	n, err := io.ReadFull(w.r, w.pending[:want])
	if w.left >= 0 {
		w.left -= int64(n)
	}
	n /= block
	for i := range n {
		out[i] = w.format.mix(w.pending[i*block : (i+1)*block])
	}
	switch {
	case n > 0:
		return n, nil
	case err == nil || errors.Is(err, io.ErrUnexpectedEOF):
		return 0, io.EOF
	}
	return 0, err
}

// mix averages one sample over its channels.
func (f wavFormat) mix(b []byte) float32 {
	var sum float64
	for i := 0; i < len(b); i += f.width {
		sum += f.sample(b[i:])
	}
	sum /= float64(f.channels)
	if math.IsNaN(sum) {
		return 0
	}
	return float32(max(-1, min(1, sum)))
}

// sample decodes one channel's sample to full scale ±1.
func (f wavFormat) sample(b []byte) float64 {
	if f.encoding == wavFloat {
		if f.width == 4 {
			return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	switch f.width {
	case 1: // the only unsigned one
		return (float64(b[0]) - 128) / 128
	case 2:
		return float64(int16(binary.LittleEndian.Uint16(b))) / (1 << 15)
	case 3:
		return float64(int32(b[0])<<8|int32(b[1])<<16|int32(b[2])<<24) / (1 << 31)
	}
	return float64(int32(binary.LittleEndian.Uint32(b))) / (1 << 31)
}
