package phone

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/sottovoce/sotto/voice"
)

// Input is what is said in place of a microphone. Its zero value is the
// microphone. It is a flag by its text:
//
//	FILE, or -               WAV or Ogg Opus, by what is in it; - is standard input
//	raw:RATE:CHANNELS:s16le:FILE, or without FILE    bare samples, from standard input if there is no file
//	tone, or tone:HZ         a sine, without end
//	silence                  without end
type Input struct {
	spec   string
	path   string // "": no file
	format voice.Format
	tone   *voice.Clip
}

// Set reads the text.
func (i *Input) Set(spec string) error {
	in := Input{spec: spec, format: byContent}
	kind, rest, more := strings.Cut(spec, ":")
	switch {
	case spec == "silence":
	case kind == "tone":
		hz := 440
		if more {
			var err error
			if hz, err = strconv.Atoi(rest); err != nil {
				return fmt.Errorf("a tone of %q: a whole number of Hz, as in tone:440", rest)
			}
		}
		var err error
		if in.tone, err = voice.Tone(hz); err != nil {
			return err
		}
	case kind == "raw" && more:
		pcm, path, err := parseRaw(rest)
		if err != nil {
			return err
		}
		in.format, in.path = pcm.Open, path
	case spec == "":
		return errors.New("a file, - or one of raw:…, tone, silence")
	default:
		in.path = spec
	}
	*i = in
	return nil
}

func (i *Input) String() string { return i.spec }

// Type is how the flag's value is called.
func (*Input) Type() string { return "input" }

// Given says that it is not the microphone.
func (i *Input) Given() bool { return i.spec != "" }

// Standard says that it reads standard input.
func (i *Input) Standard() bool { return i.path == "-" }

// parseRaw reads RATE:CHANNELS:ENCODING:FILE, the encoding and the file being
// there or not.
func parseRaw(s string) (voice.PCM, string, error) {
	parts := strings.SplitN(s, ":", 4)
	path := "-"
	if len(parts) == 4 && parts[3] != "" {
		path = parts[3]
	}
	pcm, err := voice.ParsePCM(strings.Join(parts[:min(3, len(parts))], ":"))
	return pcm, path, err
}

// byContent is the format of WAV and of Ogg Opus.
func byContent(r io.Reader) (voice.Reader, error) {
	b := bufio.NewReader(r)
	switch head, err := b.Peek(4); {
	case string(head) == "OggS":
		return oggOpus(b)
	case len(head) == 4 && string(head) != "RIFF":
		return nil, errors.New("neither WAV nor Ogg Opus: convert it to one of them (bare samples are said as raw:48000:1:s16le:FILE)")
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	}
	return voice.WAV(b)
}

// load reads a file into memory.
func (i *Input) load() (*voice.Clip, error) {
	f, err := os.Open(i.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := voice.ReadClip(f, i.format)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", i.path, err)
	}
	return c, nil
}

// Output is where what is heard goes in place of a loudspeaker. Its zero value
// is the loudspeaker. It is a flag by its text:
//
//	FILE, or -               Ogg Opus if the name ends in .opus, .ogg or .oga, else WAV; - is standard output, WAV
//	opus:FILE, or opus:-     Ogg Opus, whatever the name
//	raw:RATE:CHANNELS:s16le:FILE, or without FILE    bare samples, to standard output if there is no file
type Output struct {
	spec, path string
	opus       bool
	pcm        *voice.PCM
}

// Set reads the text.
func (o *Output) Set(spec string) error {
	out := Output{spec: spec, path: spec}
	kind, rest, more := strings.Cut(spec, ":")
	switch {
	case kind == "raw" && more:
		pcm, path, err := parseRaw(rest)
		if err != nil {
			return err
		}
		out.pcm, out.path = &pcm, path
	case kind == "opus" && rest != "":
		out.opus, out.path = true, rest
	case spec == "":
		return errors.New("a file, - or one of opus:…, raw:…")
	default:
		switch strings.ToLower(filepath.Ext(spec)) {
		case ".opus", ".ogg", ".oga":
			out.opus = true
		}
	}
	*o = out
	return nil
}

func (o *Output) String() string { return o.spec }

// Type is how the flag's value is called.
func (*Output) Type() string { return "output" }

// Given says that it is not the loudspeaker.
func (o *Output) Given() bool { return o.spec != "" }

// Standard says that it writes standard output.
func (o *Output) Standard() bool { return o.path == "-" }

// whole makes the file's path one from / on, as far as it has one.
func (o *Output) whole() {
	if path, err := filepath.Abs(o.path); err == nil && !o.Standard() {
		o.path = path
	}
}

// keeper keeps frames until it is closed.
type keeper interface {
	voice.FrameWriter
	Close() error
}

// create makes or replaces the file, readable by its owner alone. flag is
// os.O_EXCL where nothing may be replaced, os.O_TRUNC else.
func (o *Output) create(flag int) (keeper, error) {
	if o.path == "-" {
		return o.write(standardOutput{os.Stdout})
	}
	f, err := os.OpenFile(o.path, os.O_RDWR|os.O_CREATE|flag, 0o600)
	if err != nil {
		return nil, err
	}
	var to io.WriteCloser = f
	if s, err := f.Stat(); err == nil && s.Mode().IsRegular() {
		err = f.Chmod(0o600) // one that was there may be open to all
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
	} else {
		to = struct{ io.WriteCloser }{f} // a pipe has no beginning to go back to
	}
	k, err := o.write(to)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return k, nil
}

// write keeps frames in w, and closes it.
func (o *Output) write(w io.WriteCloser) (k keeper, err error) {
	switch {
	case o.pcm != nil:
		k = o.pcm.NewWriter(w)
	case o.opus:
		k, err = newOggWriter(w)
	default:
		k, err = voice.NewWAVWriter(w)
	}
	if err != nil {
		return nil, err
	}
	return &closing{keeper: k, file: w}, nil
}

// standardOutput is one that stays open, and cannot be written to but at its end.
type standardOutput struct{ io.Writer }

func (standardOutput) Close() error { return nil }

// closing closes what a keeper writes to after it. It is for several goroutines.
type closing struct {
	mu sync.Mutex // held while it writes
	keeper
	file io.Closer
}

func (c *closing) WriteFrame(f *voice.Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keeper.WriteFrame(f)
}

// Flush has all that was written be in the file, where the format can.
func (c *closing) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, ok := c.keeper.(voice.Flusher); ok {
		return f.Flush()
	}
	return nil
}

// Close does not wait for a file that stands still.
func (c *closing) Close() error {
	if !c.mu.TryLock() {
		return voice.ErrStands
	}
	defer c.mu.Unlock()
	return errors.Join(c.keeper.Close(), c.file.Close())
}
