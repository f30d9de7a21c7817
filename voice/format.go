package voice

import (
	"errors"
	"io"
)

// Reader is sound as it comes from a file or a pipe: one channel, full scale
// ±1, at a rate of its own.
type Reader interface {
	Rate() int // Hz
	// Read fills out with samples and returns how many; io.EOF once none are
	// left, with no sample.
	Read(out []float32) (int, error)
}

// Format reads the beginning of a file as far as it must to know what follows.
// [WAV] is one, and so is the Open of a [PCM].
type Format func(io.Reader) (Reader, error)

// resample reads r to the end and gives what it read to take, at 48 kHz and a
// piece at a time, until take returns an error.
func resample(r Reader, take func([]float32) error) error {
	rate := r.Rate()
	rs := NewResampler(rate, SampleRate)
	in := make([]float32, rate/50) // 20 ms
	var out [FrameSamples + 16]float32
	var read, made int64
	drain := func(most int64) error {
		for made < most {
			n := rs.Read(out[:min(int64(len(out)), most-made)])
			if n == 0 {
				return nil
			}
			made += int64(n)
			if err := take(out[:n]); err != nil {
				return err
			}
		}
		return nil
	}
	for {
		n, err := r.Read(in)
		read += int64(n)
		length := (read*SampleRate + int64(rate) - 1) / int64(rate) // of the output, rounded up
		if errors.Is(err, io.EOF) {
			rs.Flush()
			return drain(length)
		}
		if err != nil {
			return err
		}
		rs.Write(in[:n])
		if err := drain(length); err != nil {
			return err
		}
	}
}
