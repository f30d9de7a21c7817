package phone

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/term"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/clean"
	"github.com/sottovoce/sotto/voice/portaudio"
)

// ErrAudio says that sound cannot be had as asked for.
var ErrAudio = errors.New("no sound")

// Audio says where sound comes from and goes to. Its zero value is the default
// microphone and loudspeaker.
type Audio struct {
	Mic     string // name or number of a microphone; "": the default
	Speaker string // name or number of a loudspeaker; "": the default
	In      Input  // in place of the microphone
	Out     Output // in place of the loudspeaker
	Record  Output // where recordings go; its zero value is a name made of the time

	Sidetone Sidetone     // whether people hear themselves, from a microphone in a loudspeaker
	Clean    clean.Config // what is not to be done for a microphone; files are left as they are
}

// Sounds are the sounds of one process. One call at a time has them open; more may
// be recorded.
type Sounds struct {
	// Said and Heard measure what goes out and what is played.
	Said, Heard voice.Level
	// Warn, if set before the first call, is told of a file that takes no more,
	// once, and of a device that goes or comes, while the call goes on. It must
	// not block.
	Warn func(error)

	audio Audio
	alarm func() voice.Alarm // wakes a file in place of the loudspeaker; nil: the runtime's timers do
	clip  *voice.Clip
	out   keeper

	recordMu   sync.Mutex
	recorded   keeper // nil before the first recording
	recordings int    // that are on

	done chan struct{}
	once sync.Once
}

// NewSounds looks at everything that can be looked at before a call: that
// files are there and whole, that devices exist. It opens no microphone.
// Errors wrap [ErrAudio].
func NewSounds(a Audio) (*Sounds, error) {
	s := &Sounds{audio: a, done: make(chan struct{}), alarm: voice.NewAlarm}
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAudio, err)
	}
	return s, nil
}

func (s *Sounds) prepare() (err error) {
	if !s.audio.In.Given() || !s.audio.Out.Given() {
		devices, err := portaudio.Devices()
		if err != nil {
			return err
		}
		if !s.audio.In.Given() {
			if _, find := portaudio.Find(devices, s.audio.Mic, true); find != nil {
				err = fmt.Errorf("microphone: %w; a file can stand in: --in FILE.wav", find)
			}
		}
		if !s.audio.Out.Given() {
			if _, find := portaudio.Find(devices, s.audio.Speaker, false); find != nil {
				err = errors.Join(err, fmt.Errorf("loudspeaker: %w; a file can stand in: --out FILE.wav", find))
			}
		}
		if err != nil {
			return err
		}
	}
	if err := s.recordable(); err != nil {
		return err
	}
	if same(s.audio.In.path, s.audio.Out.path) {
		return errors.New("--in and --out are the same file: what is said would be lost")
	}
	if out := s.audio.Out; out.path != "" && !out.Standard() && filepath.Clean(out.path) == filepath.Clean(s.audio.Record.path) {
		return errors.New("--out and --record are the same file: give one of them another name")
	}
	if in := &s.audio.In; in.path != "" && !in.Standard() {
		if s.clip, err = in.load(); err != nil {
			return err
		}
	}
	switch out := &s.audio.Out; {
	case !out.Given():
		return nil
	case !out.Standard():
		return writable(out.path)
	case term.IsTerminal(int(os.Stdout.Fd())):
		return errors.New("sound would be written to the terminal: send it elsewhere, as in --out - > heard.wav")
	}
	return nil
}

// same reports whether two paths lead to one regular file.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && x.Mode().IsRegular() && os.SameFile(x, y)
}

// writable looks whether a file could be written, and whether there is room, without
// touching one that is there: it is replaced when a call has been answered, not before.
func writable(path string) error {
	if s, err := os.Stat(path); err == nil && s.Mode()&fs.ModeNamedPipe != 0 {
		return nil // opening it would wait for who reads it
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	there := err == nil
	switch {
	case there:
		_, err := f.Write(nil) // a device may refuse already
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	f, err = os.CreateTemp(filepath.Dir(path), ".sotto-")
	if err != nil {
		if there {
			return nil // a folder that takes no other
		}
		var why *fs.PathError
		if errors.As(err, &why) {
			err = why.Err // the name is nobody's
		}
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = f.Write(make([]byte, 1<<12))
	if err = errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// warn tells of a file that takes no more.
func (s *Sounds) warn(err error) {
	if s.Warn != nil {
		s.Warn(fmt.Errorf("what is heard is not kept any more, the call goes on: %s: %w", s.audio.Out.path, err))
	}
}

// note tells of a device that comes or goes.
func (s *Sounds) note(text string) {
	if s.Warn != nil {
		s.Warn(errors.New(text))
	}
}

// Done is closed when all of the file to be said has been said.
func (s *Sounds) Done() <-chan struct{} { return s.done }

// Close finishes the files that were written. No call is on any more.
func (s *Sounds) Close() error {
	var failed error
	for _, f := range []struct {
		keeper
		path string
	}{{s.out, s.audio.Out.path}, {s.recorded, s.audio.Record.path}} {
		if f.keeper == nil {
			continue
		}
		if err := f.Close(); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%w: %s: %w", ErrAudio, f.path, err))
		}
	}
	return failed
}

// Open opens microphone and loudspeaker, or what stands in for them.
func (s *Sounds) Open(ctx context.Context) (call.Sound, error) {
	sound, err := s.open(ctx)
	if err != nil {
		return call.Sound{}, fmt.Errorf("%w: %w", ErrAudio, err)
	}
	return sound, nil
}

func (s *Sounds) open(ctx context.Context) (call.Sound, error) {
	var closers []func()
	done := func() {
		for _, c := range closers {
			c()
		}
	}
	var sink voice.Sink
	var speaker *portaudio.Sink // nil: a file stands in
	if s.audio.Out.Given() {
		if s.out == nil { // the first call; those that follow are added to it
			out, err := s.audio.Out.create(os.O_TRUNC)
			if err != nil {
				return call.Sound{}, err
			}
			s.out = out
		}
		sink = &voice.Clocked{To: s.out, Failed: s.warn, Alarm: s.alarm}
	} else {
		var err error
		if speaker, err = portaudio.OpenSink(s.audio.Speaker, s.note); err != nil {
			return call.Sound{}, fmt.Errorf("loudspeaker: %w", err)
		}
		closers = append(closers, func() { speaker.Close() })
		sink = speaker
	}
	var source voice.Source
	fromMic := false
	switch {
	case s.audio.In.tone != nil:
		source = s.audio.In.tone.Play(true)
	case s.audio.In.spec == "silence":
		source = voice.Silence()
	case s.clip != nil:
		player := s.clip.Play(false)
		closers = append(closers, s.tellWhenSaid(player.Done()))
		source = player
	case s.audio.In.Standard():
		stream, err := voice.OpenStream("-", s.audio.In.format)
		if err != nil {
			done()
			return call.Sound{}, err
		}
		inner, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() { stream.Run(inner); close(ended) }()
		closers = append(closers, func() { cancel(); <-ended }, s.tellWhenSaid(stream.Done()))
		source = stream
	case ctx.Err() != nil: // hung up while the loudspeaker was opened
		done()
		return call.Sound{}, ctx.Err()
	default:
		mic, err := portaudio.OpenSource(s.audio.Mic, s.note)
		if err != nil {
			done()
			return call.Sound{}, fmt.Errorf("microphone: %w", err)
		}
		closers = append(closers, func() { mic.Close() })
		cleaned, err := newCleaning(mic, s.cleanConfig())
		if err != nil {
			done()
			return call.Sound{}, err
		}
		closers = append(closers, cleaned.cleaner.Close)
		source, fromMic = cleaned, true
		if speaker != nil {
			sink = listeningSink{speaker, cleaned}
		}
	}
	opened := call.Sound{Source: meteredSource{source, &s.Said}, Close: done}
	if speaker != nil && fromMic && s.audio.Sidetone.wanted(speaker.Device().Name) {
		side := &sidetone{}
		opened.Said, sink = side.Said, sidetoneSink{sink, side}
	}
	opened.Sink = meteredSink{sink, &s.Heard}
	return opened, nil
}

// cleanConfig is what is done for a microphone: without a loudspeaker there is
// no echo.
func (s *Sounds) cleanConfig() clean.Config {
	c := s.audio.Clean
	c.NoEcho = c.NoEcho || s.audio.Out.Given()
	return c
}

// tellWhenSaid closes done once said is, and returns how to end the waiting.
func (s *Sounds) tellWhenSaid(said <-chan struct{}) (end func()) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-said:
			s.once.Do(func() { close(s.done) })
		case <-stop:
		}
	}()
	return func() { close(stop); <-ended }
}

type meteredSource struct {
	voice.Source
	level *voice.Level
}

func (m meteredSource) Read(f *voice.Frame) (bool, error) {
	ok, err := m.Source.Read(f)
	if ok {
		m.level.Add(f[:])
	}
	return ok, err
}

type meteredSink struct {
	voice.Sink
	level *voice.Level
}

func (m meteredSink) Run(ctx context.Context, pull func([]float32)) error {
	return m.Sink.Run(ctx, func(out []float32) { pull(out); m.level.Add(out) })
}
