package listen

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sottovoce/sotto/voice"
)

// tape is a WAV being written, from the first pull on: what is heard so much
// later than it was said is as much later in the file. A nil one writes nothing.
type tape struct {
	wav   *voice.WAVWriter
	frame voice.Frame
	n     int // samples in frame
	err   error
}

// record begins a tape in the folder for sound, if there is one.
func (c *Config) record(name string) (*tape, error) {
	if c.Sound == "" {
		return nil, nil
	}
	if err := os.MkdirAll(c.Sound, 0o755); err != nil {
		return nil, fmt.Errorf("a folder for sound: %w", err)
	}
	w, err := voice.CreateWAV(filepath.Join(c.Sound, name+".wav"))
	if err != nil {
		return nil, fmt.Errorf("a file for sound: %w", err)
	}
	return &tape{wav: w}, nil
}

// write records a pull.
func (t *tape) write(sound []float32) {
	if t == nil || t.err != nil {
		return
	}
	if t.n += copy(t.frame[t.n:], sound); t.n == len(t.frame) {
		t.err, t.n = t.wav.WriteFrame(&t.frame), 0
	}
}

func (t *tape) close() error {
	if t == nil {
		return nil
	}
	return errors.Join(t.err, t.wav.Close())
}

// original records the speech as it was before the codec.
func (c *Config) original(s *speech) error {
	t, err := c.record("original")
	if err != nil || t == nil {
		return err
	}
	var f voice.Frame
	for k := range s.packets {
		s.frame(k, 0, &f)
		t.write(f[:])
	}
	return t.close()
}
