package phone

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/voice"
)

// Recording keeps both voices of a call, mixed, in a file. Those of one run of
// sotto follow each other in one.
type Recording struct {
	sounds *Sounds
	call   *call.Call
	tape   *tape
	stop   chan struct{}
	ended  chan struct{} // closed when all is in the file
	once   sync.Once
}

// tape is the [call.Tape]. What goes out comes on the monotonic clock, a frame at
// a time; what is played is bridged to it, and added.
type tape struct {
	began  time.Time
	played voice.Bridge
	heard  voice.Frame
	mixed  chan voice.Frame
}

// tapeDepth is how many frames wait for a slow disk, 5 s; then the file has a
// gap.
const tapeDepth = 250

func newTape() *tape { return &tape{began: time.Now(), mixed: make(chan voice.Frame, tapeDepth)} }

func (t *tape) Heard(out []float32) { t.played.Write(time.Since(t.began), out) }

func (t *tape) Said(f *voice.Frame) {
	t.played.Take(time.Since(t.began), &t.heard)
	for i, s := range f {
		t.heard[i] = max(-1, min(1, t.heard[i]+s))
	}
	select {
	case t.mixed <- t.heard:
	default:
	}
}

// write keeps what is mixed until stop is closed, and then what still waits.
func (t *tape) write(to voice.FrameWriter, stop <-chan struct{}, failed func(error)) {
	keep := func(f voice.Frame) {
		if err := to.WriteFrame(&f); err != nil {
			failed(err)
		}
	}
	for {
		select {
		case f := <-t.mixed:
			keep(f)
		case <-stop:
			for {
				select {
				case f := <-t.mixed:
					keep(f)
				default:
					return
				}
			}
		}
	}
}

// turn is a recording's way into the file. Where more than one is on, the call that
// is on hold, which is silent, keeps nothing: there is one file for all.
type turn struct {
	*Sounds
	holds func() bool
}

func (t turn) WriteFrame(f *voice.Frame) error {
	t.recordMu.Lock()
	many, to := t.recordings > 1, t.recorded
	t.recordMu.Unlock()
	if many && t.holds() {
		return nil
	}
	return to.WriteFrame(f)
}

// Record keeps both voices of c from when the other side has acknowledged that
// it was told. The first recording makes the file. Errors wrap [ErrAudio] or
// come from the call.
func (s *Sounds) Record(c *call.Call) (*Recording, error) {
	s.recordMu.Lock()
	defer s.recordMu.Unlock()
	if s.recorded == nil {
		if !s.audio.Record.Given() {
			if err := s.audio.Record.Set(time.Now().Format("sotto-20060102-150405.opus")); err != nil {
				return nil, err
			}
		}
		s.audio.Record.whole()
		k, err := s.audio.Record.create(os.O_EXCL)
		if err != nil {
			return nil, fmt.Errorf("%w: nothing is recorded: %w", ErrAudio, err)
		}
		s.recorded = k
	}
	r := &Recording{sounds: s, call: c, tape: newTape(), stop: make(chan struct{}), ended: make(chan struct{})}
	if err := c.Record(r.tape); err != nil {
		return nil, err
	}
	s.recordings++
	path, k := s.audio.Record.path, s.recorded
	go func() {
		defer close(r.ended)
		r.tape.write(turn{s, func() bool { return c.Status().Holding }}, r.stop, func(err error) {
			_ = c.Record(nil) // and nobody is told any more that it is on
			if s.Warn != nil {
				s.Warn(fmt.Errorf("the recording ends here, the call goes on: %s: %w", path, err))
			}
		})
		if f, ok := k.(voice.Flusher); ok {
			_ = f.Flush() // the next frame would say what is wrong
		}
	}()
	return r, nil
}

// recordGrace is how long the end of a recording waits for its file, which may
// stand still.
const recordGrace = 2 * time.Second

// Stop ends the recording, which the other side is told.
func (r *Recording) Stop() {
	r.once.Do(func() {
		_ = r.call.Record(nil) // it is over at once, whether or not that can be told
		close(r.stop)
		select {
		case <-r.ended:
		case <-time.After(recordGrace):
		}
		r.sounds.recordMu.Lock()
		defer r.sounds.recordMu.Unlock()
		r.sounds.recordings--
	})
}

// RecordingPath is the file of recordings, its whole path; "" before the first that was given
// no name.
func (s *Sounds) RecordingPath() string {
	s.recordMu.Lock()
	defer s.recordMu.Unlock()
	return s.audio.Record.path
}

// recordable looks whether a recording could be made where it was asked for. It
// replaces nothing.
func (s *Sounds) recordable() error {
	path := s.audio.Record.path
	if path == "" {
		return nil
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already, and a recording replaces nothing: give another name", path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return writable(path)
}
