package portaudio

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// Source is a microphone, open and running: a [voice.Source].
type Source struct {
	want   string
	tell   func(string)
	began  time.Duration // of the monotonic clock
	bridge voice.Bridge
	opened atomic.Pointer[hello]
	cancel context.CancelFunc
	ended  chan struct{}

	mu        sync.Mutex // of the card: its memory goes with its process
	card      *process   // nil while the device is lost
	at        uint64     // samples of its ring that were read,
	calls     uint64     // and callbacks that were heard of
	resampler *voice.Resampler
	in        [voice.FrameSamples]float32
	out       [8 * voice.FrameSamples]float32 // from 6 kHz on
}

// OpenSource opens the microphone that want names (see [Find]) and starts it.
// tell, if not nil, is told when it is lost and when there is sound again.
func OpenSource(want string, tell func(string)) (*Source, error) {
	ctx, cancel := context.WithCancel(context.Background())
	p, err := start(ctx, microphone, want, latency)
	if err != nil {
		cancel()
		return nil, err
	}
	s := &Source{want: want, tell: tell, began: monotonic(), cancel: cancel, ended: make(chan struct{})}
	s.use(p)
	go s.run(ctx, p)
	return s, nil
}

// run looks after the device until ctx ends.
func (s *Source) run(ctx context.Context, p *process) {
	defer close(s.ended)
	for asked := latency; ; {
		p.wait(ctx)
		s.leave()
		if ctx.Err() != nil {
			p.stop()
			return
		}
		p.kill()
		if !p.relieved() {
			asked = min(2*asked, mostAsked)
			say(s.tell, "the microphone has gone, silence goes out in its place: %v", p.Device)
		}
		if p = again(ctx, microphone, s.want, asked); p == nil {
			return
		}
		s.use(p)
		say(s.tell, "there is a microphone again: %v", p.Device)
	}
}

// use takes a device's sound from now on.
func (s *Source) use(p *process) {
	s.opened.Store(&p.hello)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.card, s.at, s.calls, s.resampler = p, 0, 0, nil
	if p.Rate != voice.SampleRate {
		s.resampler = voice.NewResampler(p.Rate, voice.SampleRate)
	}
}

func (s *Source) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.card = nil
}

// Read gives a frame every 20 ms of the monotonic clock, whatever the card's is
// like (see [voice.Bridge]), and none while the device is lost.
func (s *Source) Read(f *voice.Frame) (bool, error) {
	s.mu.Lock()
	if s.card != nil {
		s.carry(s.card)
	}
	s.mu.Unlock()
	return s.bridge.Read(monotonic()-s.began, f), nil
}

// carry carries what came since it was last called to the bridge.
func (s *Source) carry(p *process) {
	calls := p.calls.Load()
	if calls == s.calls {
		return
	}
	s.calls = calls
	zero, end := time.Duration(p.zero.Load()), p.ring.Written()
	if end-s.at > voice.RingSize/2 {
		s.at = end - voice.RingSize/2 // nobody has read for long
	}
	for s.at < end {
		in := s.in[:min(uint64(len(s.in)), end-s.at)]
		p.ring.Copy(in, s.at)
		s.at += uint64(len(in))
		if s.resampler != nil {
			s.resampler.Write(in)
			in = s.out[:s.resampler.Read(s.out[:])]
		}
		s.bridge.Put(in)
	}
	s.bridge.AtOnce(int(p.largest.Swap(0)) * voice.SampleRate / p.Rate)
	s.bridge.Mark(zero+long(end, p.Rate)-s.began, s.bridge.Written())
}

// Came is when the first sample of the frame last read came from the card. It is
// for the reader.
func (s *Source) Came() time.Time { return when(s.began + s.bridge.Came()) }

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
