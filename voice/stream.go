package voice

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// Stream is a [Source] that reads sound as it comes, from a pipe or from a file
// of any length. Run reads; at most [streamDepth] frames wait, and then the
// pipe does. Frames come out no faster than one every 20 ms. When the pipe runs
// dry the call hears silence, and the time lost is not caught up beyond
// [streamCredit] frames, else a writer that paused would be played too fast.
type Stream struct {
	in     io.ReadCloser
	format Format
	frames chan Frame
	done   chan struct{}
	failed chan error

	started time.Time
	given   int64 // frames that the clock has been charged for
}

const (
	streamDepth  = 10 // frames, 200 ms
	streamCredit = 3  // frames
)

// OpenStream opens the file at path, "-" being standard input, whose beginning
// is looked at by Run.
func OpenStream(path string, format Format) (*Stream, error) {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		return NewStream(f, format), nil
	}
	// A second description of the same pipe: unlike file 0 itself it can be
	// waited for and interrupted.
	f, err := os.Open("/dev/stdin")
	if err != nil { // a socket cannot be opened again
		fd, err := syscall.Dup(0)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		syscall.CloseOnExec(fd)
		syscall.SetNonblock(fd, true)
		f = os.NewFile(uintptr(fd), "/dev/stdin")
	}
	return NewStream(f, format), nil
}

// NewStream makes a stream of in, which must return from Read when it is
// closed, as files of pipes and sockets do.
func NewStream(in io.ReadCloser, format Format) *Stream {
	return &Stream{
		in:      in,
		format:  format,
		frames:  make(chan Frame, streamDepth),
		done:    make(chan struct{}),
		failed:  make(chan error, 1),
		started: time.Now(),
	}
}

// Run reads until the end of the input, which is not an error, or until ctx
// ends, and closes the input. What went wrong also comes once from Read.
func (s *Stream) Run(ctx context.Context) error {
	defer close(s.frames)
	stop := context.AfterFunc(ctx, func() { s.in.Close() })
	err := s.read(ctx)
	if stop() {
		s.in.Close()
	}
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		err = fmt.Errorf("reading sound: %w", err)
		s.failed <- err
	}
	return err
}

func (s *Stream) read(ctx context.Context) error {
	in, err := s.format(s.in)
	if err != nil {
		return err
	}
	var f Frame
	n := 0
	send := func() error {
		select {
		case s.frames <- f:
			n = 0
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err = resample(in, func(out []float32) error {
		for len(out) > 0 {
			k := copy(f[n:], out)
			n, out = n+k, out[k:]
			if n == len(f) {
				if err := send(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil || n == 0 {
		return err
	}
	clear(f[n:])
	return send()
}

// Done is closed once the last frame has been read.
func (s *Stream) Done() <-chan struct{} { return s.done }

// Read gives the next frame if it is due and has come. After the end it gives
// silence at the same pace.
func (s *Stream) Read(f *Frame) (bool, error) {
	due := int64(time.Since(s.started) / FrameTime)
	if due <= s.given {
		return false, nil
	}
	var ok, open bool
	select {
	case *f, open = <-s.frames:
		ok = true
	default:
	}
	if !ok {
		s.given = max(s.given, due-streamCredit)
		return false, nil
	}
	s.given++
	if open {
		return true, nil
	}
	return true, s.end(f)
}

// end is every frame after the last: silence, and the reason once.
func (s *Stream) end(f *Frame) error {
	*f = Frame{}
	select {
	case <-s.done:
	default:
		close(s.done)
	}
	select {
	case err := <-s.failed:
		return err
	default:
		return nil
	}
}
