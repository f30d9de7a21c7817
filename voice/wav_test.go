package voice_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// wavFile builds a WAV from its parts.
type wavFile struct {
	encoding, channels uint16
	rate               uint32
	bits               uint16
	extensible         bool
	before             string  // chunks between format and data
	riff, size         *uint32 // instead of the true ones
	data               []byte
	after              string
}

func (w wavFile) bytes() []byte {
	le := binary.LittleEndian
	var f []byte
	tag := w.encoding
	if w.extensible {
		tag = 0xFFFE
	}
	width := (w.bits + 7) / 8
	f = le.AppendUint16(f, tag)
	f = le.AppendUint16(f, w.channels)
	f = le.AppendUint32(f, w.rate)
	f = le.AppendUint32(f, w.rate*uint32(w.channels)*uint32(width))
	f = le.AppendUint16(f, w.channels*width)
	f = le.AppendUint16(f, w.bits)
	if w.extensible {
		f = le.AppendUint16(f, 22)
		f = le.AppendUint16(f, w.bits)
		f = le.AppendUint32(f, 0)
		f = le.AppendUint16(f, w.encoding)
		f = append(f, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"...)
	}
	size := uint32(len(w.data))
	if w.size != nil {
		size = *w.size
	}
	body := append([]byte("WAVE"), chunk("fmt ", f)...)
	body = append(body, w.before...)
	body = append(body, "data"...)
	body = le.AppendUint32(body, size)
	body = append(body, w.data...)
	body = append(body, w.after...)
	riff := uint32(len(body))
	if w.riff != nil {
		riff = *w.riff
	}
	return append(le.AppendUint32([]byte("RIFF"), riff), body...)
}

func chunk(name string, body []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body)))
	out = append(out, body...)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

// encoded is a 1 kHz tone of half scale, a second long, in all channels.
func encoded(encoding, channels uint16, rate uint32, bits uint16) []byte {
	le := binary.LittleEndian
	var out []byte
	for i := range rate {
		s := 0.5 * math.Sin(2*math.Pi*1000*float64(i)/float64(rate))
		for range channels {
			switch {
			case encoding == 3 && bits == 32:
				out = le.AppendUint32(out, math.Float32bits(float32(s)))
			case encoding == 3:
				out = le.AppendUint64(out, math.Float64bits(s))
			case bits == 8:
				out = append(out, byte(128+math.Round(s*127)))
			default:
				whole := le.AppendUint32(nil, uint32(int32(math.Round(s*(1<<31-1)))))
				out = append(out, whole[4-bits/8:]...)
			}
		}
	}
	return out
}

// TestReadWAV reads the same tone in every form and measures it.
func TestReadWAV(t *testing.T) {
	pcm := encoded(1, 1, 16000, 16)
	zero, all, sox := uint32(0), uint32(math.MaxUint32), uint32(0x7ffff000)
	for name, w := range map[string]wavFile{
		"8 bit":               {encoding: 1, channels: 1, rate: 8000, bits: 8, data: encoded(1, 1, 8000, 8)},
		"16 bit":              {encoding: 1, channels: 1, rate: 16000, bits: 16, data: pcm},
		"24 bit stereo":       {encoding: 1, channels: 2, rate: 44100, bits: 24, data: encoded(1, 2, 44100, 24)},
		"32 bit":              {encoding: 1, channels: 1, rate: 48000, bits: 32, data: encoded(1, 1, 48000, 32)},
		"float":               {encoding: 3, channels: 1, rate: 96000, bits: 32, data: encoded(3, 1, 96000, 32)},
		"double, 6 channels":  {encoding: 3, channels: 6, rate: 22050, bits: 64, data: encoded(3, 6, 22050, 64)},
		"lowest rate":         {encoding: 1, channels: 1, rate: 4000, bits: 16, data: encoded(1, 1, 4000, 16)},
		"highest rate":        {encoding: 1, channels: 1, rate: 384000, bits: 16, data: encoded(1, 1, 384000, 16)},
		"extensible":          {extensible: true, encoding: 1, channels: 2, rate: 48000, bits: 16, data: encoded(1, 2, 48000, 16)},
		"extensible float":    {extensible: true, encoding: 3, channels: 1, rate: 48000, bits: 32, data: encoded(3, 1, 48000, 32)},
		"odd chunk before":    {encoding: 1, channels: 1, rate: 16000, bits: 16, before: string(chunk("LIST", []byte("odd"))), data: pcm},
		"chunk after":         {encoding: 1, channels: 1, rate: 16000, bits: 16, data: pcm, after: string(chunk("LIST", bytes.Repeat([]byte("~"), 999)))},
		"stream with zeros":   {encoding: 1, channels: 1, rate: 16000, bits: 16, riff: &zero, size: &zero, data: pcm},
		"stream from ffmpeg":  {encoding: 1, channels: 1, rate: 16000, bits: 16, riff: &all, size: &all, data: pcm},
		"stream from sox":     {encoding: 1, channels: 1, rate: 16000, bits: 16, riff: &sox, size: &sox, data: pcm},
		"half a sample extra": {encoding: 1, channels: 1, rate: 16000, bits: 16, size: &all, data: append(bytes.Clone(pcm), 7)},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := voice.ReadWAV(iotest.OneByteReader(bytes.NewReader(w.bytes())))
			if err != nil {
				t.Fatal(err)
			}
			if c.Duration() != time.Second {
				t.Errorf("%v long, want 1s", c.Duration())
			}
			middle := c.Samples[4800 : len(c.Samples)-4800]
			var sum float64
			for i, s := range middle {
				d := float64(s) - 0.5*math.Sin(2*math.Pi*1000*float64(i+4800)/48000)
				sum += d * d
			}
			if rms := math.Sqrt(sum / float64(len(middle))); rms > 0.006 {
				t.Errorf("differs from the tone by %.4f", rms)
			}
		})
	}
}

func TestReadWAVRefuses(t *testing.T) {
	good := wavFile{encoding: 1, channels: 1, rate: 8000, bits: 16, data: make([]byte, 100)}
	with := func(change func(*wavFile)) []byte {
		w := good
		change(&w)
		return w.bytes()
	}
	for want, in := range map[string][]byte{
		"ends before any sound":        nil,
		"does not begin with RIFF":     []byte("OggS this is something else"),
		"samples come before":          []byte("RIFF\x00\x00\x00\x00WAVEdata\x04\x00\x00\x00abcd"),
		"format has 4 bytes":           []byte("RIFF\x00\x00\x00\x00WAVEfmt \x04\x00\x00\x00abcd"),
		"no sound in it":               with(func(w *wavFile) { w.data = nil }),
		"µ-law":                        with(func(w *wavFile) { w.encoding, w.bits = 7, 8 }),
		"A-law":                        with(func(w *wavFile) { w.encoding, w.bits = 6, 8 }),
		"encoding 4660":                with(func(w *wavFile) { w.encoding = 0x1234 }),
		"64-bit PCM":                   with(func(w *wavFile) { w.bits = 64 }),
		"16-bit floating point":        with(func(w *wavFile) { w.encoding = 3 }),
		"0 channels":                   with(func(w *wavFile) { w.channels = 0 }),
		"3999 Hz":                      with(func(w *wavFile) { w.rate = 3999 }),
		"4294967295 Hz":                with(func(w *wavFile) { w.rate = math.MaxUint32 }),
		"unknown extensible encoding":  bytes.Replace(with(func(w *wavFile) { w.extensible = true }), []byte("\xaa\x00\x38"), []byte("\xab\x00\x38"), 1),
		"do not make 9 bytes":          bytes.Replace(good.bytes(), []byte("\x02\x00\x10\x00data"), []byte("\x09\x00\x10\x00data"), 1),
		"ends before any sound (skip)": append([]byte("RIFF\x00\x00\x00\x00WAVE"), "JUNK\xff\xff\xff\x7fabc"...),
	} {
		want, _, _ = strings.Cut(want, " (")
		c, err := voice.ReadWAV(bytes.NewReader(in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, error %v, want one about %q", c, err, want)
		}
	}
	broken := errors.New("broken pipe")
	if _, err := voice.ReadWAV(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a failing reader: %v", err)
	}
	missing := filepath.Join(t.TempDir(), "missing.wav")
	if _, err := voice.OpenWAV(missing); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("no such file: %v", err)
	}
}

func TestReadWAVIsBounded(t *testing.T) {
	all := uint32(math.MaxUint32)
	head := wavFile{encoding: 1, channels: 1, rate: 48000, bits: 8, size: &all}.bytes()
	silence, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer silence.Close()
	_, err = voice.ReadWAV(io.MultiReader(bytes.NewReader(head), silence))
	if err == nil || !strings.Contains(err.Error(), "longer than 10m") {
		t.Errorf("an endless WAV: %v", err)
	}
}

func FuzzReadWAV(f *testing.F) {
	odd, all := uint32(7), uint32(math.MaxUint32)
	short := encoded(1, 2, 48000, 24)[:600]
	f.Add(wavFile{encoding: 1, channels: 2, rate: 44100, bits: 24, data: short}.bytes())
	f.Add(wavFile{encoding: 3, channels: 1, rate: 8000, bits: 64, data: short}.bytes())
	f.Add(wavFile{encoding: 1, channels: 3, rate: 4001, bits: 8, size: &odd, data: short}.bytes())
	f.Add(wavFile{extensible: true, encoding: 1, channels: 2, rate: 384000, bits: 16, riff: &all, size: &all, before: string(chunk("odd ", []byte("abc"))), data: short}.bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := voice.ReadWAV(bytes.NewReader(in))
		if err != nil {
			return
		}
		if most := len(in)*12 + 12; len(c.Samples) > most {
			t.Fatalf("%d samples from %d bytes", len(c.Samples), len(in))
		}
		for i, s := range c.Samples {
			if !(s > -3 && s < 3) { // the resampler may overshoot; NaN is neither
				t.Fatalf("sample %d is %g", i, s)
			}
		}
	})
}
