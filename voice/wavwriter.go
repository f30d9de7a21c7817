package voice

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// WAVWriter writes 16-bit mono at 48 kHz as it comes. In a file the header is
// brought up to date once a second and at the end, so that a crash or a full
// disk leaves a file that plays. In a pipe the sizes say "until the end".
//
// It is for one goroutine.
type WAVWriter struct {
	w      *bufio.Writer
	header io.WriterAt // nil in a pipe
	close  func() error
	bytes  int64 // of sound given to w
	failed bool
}

const (
	wavHeader = 44               // bytes before the sound
	wavSecond = 2 * SampleRate   // bytes of sound a second
	wavMost   = 4<<30 - 1<<20    // bytes of sound that 32-bit sizes can tell, 12 h
	wavFrame  = 2 * FrameSamples // bytes of sound a frame
)

// CreateWAV makes or replaces the file at path, a new one readable by its owner alone;
// "-" is standard output.
func CreateWAV(path string) (*WAVWriter, error) {
	if path == "-" {
		return NewWAVWriter(struct{ io.Writer }{os.Stdout})
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	w, err := NewWAVWriter(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	w.close = f.Close
	return w, nil
}

// NewWAVWriter writes a header to w and returns a writer that goes on from
// there. If w is an [io.WriterAt], as files are, the header is kept true. Close
// does not close w.
func NewWAVWriter(w io.Writer) (*WAVWriter, error) {
	out := &WAVWriter{w: bufio.NewWriterSize(w, wavSecond), close: func() error { return nil }}
	size := uint32(math.MaxUint32)
	if at, ok := w.(io.WriterAt); ok {
		out.header = at
		size = 0
	}
	out.w.Write(header(size))
	if err := out.w.Flush(); err != nil {
		return nil, fmt.Errorf("writing a WAV: %w", err)
	}
	return out, nil
}

// header is the 44 bytes that announce size bytes of sound.
func header(size uint32) []byte {
	riff := size
	if size != math.MaxUint32 {
		riff += wavHeader - 8
	}
	b := make([]byte, 0, wavHeader)
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, riff)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, wavPCM)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint32(b, SampleRate)
	b = binary.LittleEndian.AppendUint32(b, wavSecond)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	return binary.LittleEndian.AppendUint32(b, size)
}

// WriteFrame adds a frame. An error, such as a full disk, is given once; after
// it frames are dropped without a word, so that a call can go on.
func (w *WAVWriter) WriteFrame(f *Frame) error {
	if w.failed {
		return nil
	}
	if w.bytes+wavFrame > wavMost {
		return w.fail(errors.New("a WAV holds no more than 12 hours"))
	}
	for _, s := range f {
		v := int16(math.Round(float64(max(-1, min(s, math.MaxInt16/32768.0))) * 32768))
		w.w.WriteByte(byte(v))
		w.w.WriteByte(byte(v >> 8)) // the buffer remembers an error until Flush
	}
	w.bytes += wavFrame
	if w.header == nil || w.bytes%wavSecond < wavFrame { // whoever reads a pipe hears it now
		if err := w.sync(); err != nil {
			return w.fail(err)
		}
	}
	return nil
}

// Flush brings file and header up to date, as at the end of a call, where more may
// follow. An error is given once.
func (w *WAVWriter) Flush() error {
	if w.failed {
		return nil
	}
	if err := w.sync(); err != nil {
		return w.fail(err)
	}
	return nil
}

// sync writes out what waits and tells the header.
func (w *WAVWriter) sync() error {
	if err := w.w.Flush(); err != nil {
		// What did reach the file still counts, in whole samples.
		w.bytes = (w.bytes - int64(w.w.Buffered())) &^ 1
		return errors.Join(err, w.tell())
	}
	return w.tell()
}

func (w *WAVWriter) tell() error {
	if w.header == nil {
		return nil
	}
	_, err := w.header.WriteAt(header(uint32(w.bytes)), 0)
	return err
}

func (w *WAVWriter) fail(err error) error {
	w.failed = true
	return fmt.Errorf("writing a WAV: %w", err)
}

// Close finishes the file. It repeats no error that WriteFrame has given.
func (w *WAVWriter) Close() error {
	var err error
	if !w.failed {
		if err = w.sync(); err != nil {
			err = w.fail(err)
		}
		w.failed = true // nothing is kept after Close
	}
	return errors.Join(err, w.close())
}
