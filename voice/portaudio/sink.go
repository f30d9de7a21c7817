package portaudio

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// mostPiece is the most samples that are pulled at once.
const mostPiece = voice.RingSize / 2

// Sink is a loudspeaker: a [voice.Sink]. It plays while Run runs.
type Sink struct {
	want   string
	tell   func(string)
	opened atomic.Pointer[hello]
	first  *process // until Run or Close takes it
	once   sync.Once
	taken  func(time.Time, uint64) // nil: nobody wants to know
	pulled uint64                  // samples so far
	asked  time.Duration           // latency, if the device had to be opened again; 0: never
}

// OpenSink opens the loudspeaker that want names (see [Find]). tell, if not
// nil, is told when it is lost and when there is sound again.
func OpenSink(want string, tell func(string)) (*Sink, error) {
	p, err := start(context.Background(), loudspeaker, want, latency)
	if err != nil {
		return nil, err
	}
	s := &Sink{want: want, tell: tell, first: p}
	s.opened.Store(&p.hello)
	return s, nil
}

// take gives the process that was begun first, once.
func (s *Sink) take() (p *process) {
	s.once.Do(func() { p = s.first })
	return p
}

// Run plays what pull gives until ctx ends. It can run once. pull is called from
// the caller's goroutine, for as much as the card is about to take.
func (s *Sink) Run(ctx context.Context, pull func([]float32)) error {
	for p := s.take(); p != nil; {
		s.carry(ctx, p, pull)
		if ctx.Err() != nil {
			p.stop()
			return nil
		}
		p.kill()
		if !p.relieved() {
			say(s.tell, "the loudspeaker has gone: %v", p.Device)
			s.asked = min(max(2*s.asked, 2*latency), mostAsked)
		}
		if p = s.wait(ctx, pull); p != nil {
			s.opened.Store(&p.hello)
			say(s.tell, "there is a loudspeaker again: %v", p.Device)
		}
	}
	return nil
}

// OnTaken has told called, from the goroutine that pulls, with how many of the
// samples pulled so far the card's callback had taken at some time. Between that
// and the ear lies what [Sink.Latency] says. It is set before Run.
func (s *Sink) OnTaken(told func(at time.Time, n uint64)) { s.taken = told }

// carry gives a device sound until it is lost, or ctx ends.
func (s *Sink) carry(ctx context.Context, p *process, pull func([]float32)) {
	alarm := voice.NewAlarm()
	defer alarm.Close()
	f := feed{rate: p.Rate}
	piece, before := make([]float32, mostPiece), s.pulled
	stood := time.Duration(0) // the last look at a device that stands still
	var rs *voice.Resampler
	out := piece
	if p.Rate != voice.SampleRate {
		rs, out = voice.NewResampler(voice.SampleRate, p.Rate), make([]float32, voice.RingSize/2)
	}
	for ctx.Err() == nil && !p.over() {
		now, taken := monotonic(), p.taken.Load()
		if called := time.Duration(p.called.Load()); now-called > standsFor && (s.asked > 0 || p.calls.Load() >= firstCalls) {
			// Nobody takes it: what is not heard now is not to be heard late, all of the
			// rest with it. What is said before a device first calls waits for it.
			n := uint64(min(mostPiece, max(0, now-max(stood, called+standsFor))*voice.SampleRate/time.Second))
			if n > 0 {
				pull(piece[:n])
			}
			s.pulled, before, stood, f.due = s.pulled+n, before+n, now, 0
			alarm.Wait(when(now + voice.PullTime))
			continue
		}
		zero := time.Duration(p.zero.Load())
		n, again := f.look(now, fed{p.ring.Written(), taken, zero, p.largest.Swap(0), p.missing.Swap(0)})
		if n > 0 {
			if called := time.Duration(p.called.Load()); taken > 0 && s.taken != nil && now-called < lostAfter/4 {
				// On the same line, but of now: a callback is a whole one ago.
				steady := (now - zero).Seconds() * voice.SampleRate
				s.taken(when(now), before+uint64(max(0, steady)))
			}
			sound := piece[:min(mostPiece, (n*voice.SampleRate+p.Rate-1)/p.Rate)]
			pull(sound)
			s.pulled += uint64(len(sound))
			if rs != nil {
				rs.Write(sound)
				sound = out[:rs.Read(out)]
			}
			p.ring.Write(sound)
		}
		alarm.Wait(when(again))
	}
}

// wait pulls for nobody, by the monotonic clock, until there is a loudspeaker.
func (s *Sink) wait(ctx context.Context, pull func([]float32)) *process {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	found := make(chan *process, 1)
	go func() { found <- again(ctx, loudspeaker, s.want, s.asked); cancel() }()
	pulled := func(out []float32) { pull(out); s.pulled += uint64(len(out)) }
	_ = (&voice.Clocked{}).Run(inner, pulled) // it keeps nothing, and so nothing can fail
	return <-found
}

// Device is what was opened last.
func (s *Sink) Device() Device { return s.opened.Load().Device }

// Latency is how long sound takes from the callback to the loudspeaker, by the
// device's own account.
func (s *Sink) Latency() time.Duration { return s.opened.Load().Latency }

// Close gives the device back, if Run never ran; else Run has.
func (s *Sink) Close() error {
	if p := s.take(); p != nil {
		p.stop()
	}
	return nil
}
