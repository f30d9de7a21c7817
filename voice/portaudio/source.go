package portaudio

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// Source is a microphone, open and running: a [voice.Source].
type Source struct {
	want   string
	tell   func(string)
	began  time.Time
	bridge voice.Bridge
	opened atomic.Pointer[hello]
	cancel context.CancelFunc
	ended  chan struct{}
}

// OpenSource opens the microphone that want names (see [Find]) and starts it.
// tell, if not nil, is told when it is lost and when there is sound again.
func OpenSource(want string, tell func(string)) (*Source, error) {
	ctx, cancel := context.WithCancel(context.Background())
	p, err := start(ctx, microphone, want)
	if err != nil {
		cancel()
		return nil, err
	}
	s := &Source{want: want, tell: tell, began: time.Now(), cancel: cancel, ended: make(chan struct{})}
	s.opened.Store(&p.hello)
	go s.run(ctx, p)
	return s, nil
}

// run carries sound to the bridge until ctx ends.
func (s *Source) run(ctx context.Context, p *process) {
	defer close(s.ended)
	for {
		s.carry(ctx, p)
		if ctx.Err() != nil {
			p.stop()
			return
		}
		p.kill()
		say(s.tell, "the microphone has gone, silence goes out in its place: %v", p.Device)
		if p = again(ctx, microphone, s.want); p == nil {
			return
		}
		s.opened.Store(&p.hello)
		say(s.tell, "there is a microphone again: %v", p.Device)
	}
}

// carry returns when the device is lost, or ctx ends.
func (s *Source) carry(ctx context.Context, p *process) {
	stop := context.AfterFunc(ctx, func() { p.out.SetReadDeadline(time.Now()) })
	defer stop()
	piece := make([]float32, mostPiece)
	for ctx.Err() == nil {
		n, err := p.number(ctx)
		if err != nil || n > mostPiece {
			return
		}
		age, err := readNumber(p.from)
		if err != nil {
			return
		}
		came := time.Since(s.began) - time.Duration(age)*time.Microsecond
		if _, err := io.ReadFull(p.from, p.bytes[:4*n]); err != nil {
			return
		}
		get(piece[:n], p.bytes[:])
		s.bridge.Write(came, piece[:n])
	}
}

// Read gives a frame every 20 ms of the monotonic clock, whatever the card's is
// like (see [voice.Bridge]), and none while the device is lost.
func (s *Source) Read(f *voice.Frame) (bool, error) {
	return s.bridge.Read(time.Since(s.began), f), nil
}

// Came is when the first sample of the frame last read came from the card. It is
// for the reader.
func (s *Source) Came() time.Time { return s.began.Add(s.bridge.Came()) }

// Device is what was opened last.
func (s *Source) Device() Device { return s.opened.Load().Device }

// Latency is how long sound takes from the microphone to the callback, by the
// device's own account.
func (s *Source) Latency() time.Duration { return s.opened.Load().Latency }

// Close stops the microphone and waits for its process to end.
func (s *Source) Close() error {
	s.cancel()
	<-s.ended
	return nil
}

func say(tell func(string), format string, args ...any) {
	if tell != nil {
		tell(fmt.Sprintf(format, args...))
	}
}
