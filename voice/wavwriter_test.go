package voice_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// ramp is a frame that tells its number and its place.
func ramp(n int) *voice.Frame {
	var f voice.Frame
	for i := range f {
		f[i] = float32(n)/128 + float32(i)/32768
	}
	return &f
}

func writeFrames(t *testing.T, w *voice.WAVWriter, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := w.WriteFrame(ramp(n % 100)); err != nil {
			t.Fatal(err)
		}
	}
}

func wantFrames(t *testing.T, c *voice.Clip, frames int) {
	t.Helper()
	if len(c.Samples) != frames*voice.FrameSamples {
		t.Fatalf("%d samples, want %d frames", len(c.Samples), frames)
	}
	for n := range frames {
		if got := voice.Frame(c.Samples[n*voice.FrameSamples:]); got != *ramp(n % 100) {
			t.Fatalf("frame %d is not what was written", n)
		}
	}
}

func TestWAVWriterFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "heard.wav")
	w, err := voice.CreateWAV(path)
	if err != nil {
		t.Fatal(err)
	}
	writeFrames(t, w, 0, 120)
	// As a crash here would leave it: two whole seconds, and it plays.
	c, err := voice.OpenWAV(path)
	if err != nil {
		t.Fatal(err)
	}
	wantFrames(t, c, 100)
	writeFrames(t, w, 120, 133)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err = voice.OpenWAV(path); err != nil {
		t.Fatal(err)
	}
	wantFrames(t, c, 133)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v: others may listen", info.Mode(), err)
	}
}

func TestWAVWriterPipe(t *testing.T) {
	var pipe bytes.Buffer
	w, err := voice.NewWAVWriter(&pipe)
	if err != nil {
		t.Fatal(err)
	}
	writeFrames(t, w, 0, 60)
	if want := 44 + 60*2*voice.FrameSamples; pipe.Len() != want {
		t.Errorf("%d bytes came through of %d: whoever listens waits", pipe.Len(), want)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := voice.ReadWAV(&pipe)
	if err != nil {
		t.Fatal(err)
	}
	wantFrames(t, c, 60)
}

func TestWAVWriterClips(t *testing.T) {
	var pipe bytes.Buffer
	w, err := voice.NewWAVWriter(&pipe)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteFrame(&voice.Frame{9, -9}), w.Close()); err != nil {
		t.Fatal(err)
	}
	c, err := voice.ReadWAV(&pipe)
	if err != nil || c.Samples[0] < 0.999 || c.Samples[1] != -1 {
		t.Errorf("%v, error %v: too loud must clip, not wrap", c.Samples[:2], err)
	}
}

// fullDisk is a file with no room beyond a limit.
type fullDisk struct {
	*os.File
	room int
}

var errFull = errors.New("no space left on device")

func (d *fullDisk) Write(b []byte) (int, error) {
	n, err := d.File.Write(b[:min(len(b), d.room)])
	d.room -= n
	if err == nil && n < len(b) {
		err = errFull
	}
	return n, err
}

func TestWAVWriterFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "full.wav")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	const frames = 75
	w, err := voice.NewWAVWriter(&fullDisk{f, 44 + frames*2*voice.FrameSamples})
	if err != nil {
		t.Fatal(err)
	}
	var told []error
	for n := range 500 {
		if err := w.WriteFrame(ramp(n % 100)); err != nil {
			told = append(told, err)
		}
	}
	if len(told) != 1 || !errors.Is(told[0], errFull) {
		t.Errorf("told %v, want the full disk once", told)
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Errorf("Close tells it again: %v", err)
	}
	c, err := voice.OpenWAV(path)
	if err != nil {
		t.Fatal(err)
	}
	wantFrames(t, c, frames)
}

func TestWAVWriterNoRoomAtAll(t *testing.T) {
	if _, err := voice.CreateWAV("/dev/full"); err == nil {
		t.Error("no error for a device that is full")
	}
	if _, err := voice.CreateWAV(filepath.Join(t.TempDir(), "no", "such", "folder.wav")); err == nil {
		t.Error("no error for a folder that does not exist")
	}
}

func BenchmarkWAVWriter(b *testing.B) {
	w, err := voice.NewWAVWriter(io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	f := ramp(3)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.WriteFrame(f); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAllOfACallIsInTheFile looks at a file that may go on with another call.
func TestAllOfACallIsInTheFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "heard.wav")
		w, err := voice.CreateWAV(path)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		if err := (&voice.Clocked{To: w}).Run(ctx, func([]float32) {}); err != nil {
			t.Fatal(err)
		}
		c, err := voice.OpenWAV(path)
		if err != nil || c.Duration() < 2460*time.Millisecond {
			t.Errorf("%v, error %v", c.Duration(), err)
		}
	})
}
