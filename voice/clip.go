package voice

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// MaxClip is the longest clip that is read into memory, 115 MB. Longer
// sound goes through a [Stream].
const MaxClip = 10 * time.Minute

// Clip is sound in memory: 48 kHz, mono, full scale ±1.
type Clip struct {
	Samples []float32
}

// Duration says how long the clip plays.
func (c *Clip) Duration() time.Duration {
	return time.Duration(len(c.Samples)) * time.Second / SampleRate
}

// OpenWAV reads the WAV file at path. See [ReadWAV].
func OpenWAV(path string) (*Clip, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := ReadWAV(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// ReadWAV reads a whole WAV. See [WAV] and [ReadClip].
func ReadWAV(r io.Reader) (*Clip, error) { return ReadClip(r, WAV) }

// ReadClip reads all the sound of r, mixed down to one channel and resampled to
// 48 kHz. None at all, or more than [MaxClip], is an error.
func ReadClip(r io.Reader, f Format) (*Clip, error) {
	in, err := f(r)
	if err != nil {
		return nil, err
	}
	const most = int(MaxClip / time.Second * SampleRate)
	c := &Clip{}
	err = resample(in, func(s []float32) error {
		if len(c.Samples)+len(s) > most {
			return fmt.Errorf("sound longer than %v: cut it, or pass it on standard input", MaxClip)
		}
		c.Samples = append(c.Samples, s...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(c.Samples) == 0 {
		return nil, errors.New("a file with no sound in it")
	}
	return c, nil
}
