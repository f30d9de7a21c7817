package demo

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/opus"
)

// ear measures one direction of the call: from one party's mouth to the
// other's ear, both on this process's clock. No time travels in the records:
// frames are matched by their number.
type ear struct {
	mu       sync.Mutex
	captured map[uint32]time.Time // when a frame's first sample was spoken
	delays   []time.Duration
}

func newEar() *ear { return &ear{captured: map[uint32]time.Time{}} }

// said notes when the first sample of a frame was spoken.
func (e *ear) said(frame uint32, at time.Time) {
	e.mu.Lock()
	e.captured[frame] = at
	e.mu.Unlock()
}

// heard notes that a frame is played now. The decoder brings each sample
// LookAhead later than the frame it came in.
func (e *ear) heard(frame uint32, in time.Duration) {
	at := time.Now().Add(in)
	e.mu.Lock()
	defer e.mu.Unlock()
	if said, ok := e.captured[frame]; ok {
		e.delays = append(e.delays, at.Sub(said)+opus.LookAhead)
		delete(e.captured, frame)
	}
}

// newest is the delay of what was played last, 0 before anything was.
func (e *ear) newest() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.delays) == 0 {
		return 0
	}
	return e.delays[len(e.delays)-1]
}

// all are the delays of all frames played, in order.
func (e *ear) all() []time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.delays)
}

// Percentiles of a delay, in milliseconds.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// PercentilesOf takes them over delays in any order.
func PercentilesOf(all []time.Duration) Percentiles {
	if len(all) == 0 {
		return Percentiles{}
	}
	sorted := slices.Sorted(slices.Values(all))
	at := func(p float64) float64 { return ms(sorted[int(p*float64(len(sorted)-1)+0.5)]) }
	return Percentiles{P50: at(0.50), P95: at(0.95), P99: at(0.99)}
}

func ms(d time.Duration) float64 { return float64(d.Round(10*time.Microsecond)) / 1e6 }

// probe is one party's: what it says is noted for the other's ear, what it
// hears in its own.
type probe struct {
	mouth, ear *ear
	source     *source
}

func (p *probe) Captured(frame uint32) {
	if at := p.source.newest.Load(); at != nil {
		p.mouth.said(frame, *at)
	}
}

func (p *probe) Playing(frame uint32, in time.Duration) { p.ear.heard(frame, in) }

// source plays a clip as a microphone, and keeps what it said and when.
type source struct {
	player *voice.Player
	frames time.Duration             // read so far
	newest atomic.Pointer[time.Time] // when the newest frame's first sample was spoken
	level  voice.Level
	tape   *tape
}

func (s *source) Read(f *voice.Frame) (bool, error) {
	ok, err := s.player.Read(f)
	if ok {
		at := s.player.Started().Add(s.frames * voice.FrameTime)
		s.newest.Store(&at)
		s.frames++
		s.level.Add(f[:])
		s.tape.record(at, f[:])
	}
	return ok, err
}

// tape keeps sound with the moment it began, so that all four tapes of a call
// can be laid side by side.
type tape struct {
	mu      sync.Mutex
	began   time.Time
	samples []float32
}

func (t *tape) record(at time.Time, sound []float32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.samples == nil {
		t.began = at
	}
	t.samples = append(t.samples, sound...)
}

// start is when the tape began, zero if it never did.
func (t *tape) start() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.began
}

// since is the tape from zero on: silence before it began, in whole samples.
func (t *tape) since(zero time.Time) []float32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.samples == nil {
		return nil
	}
	before := max(0, int(t.began.Sub(zero).Seconds()*voice.SampleRate))
	return append(make([]float32, before), t.samples...)
}

func save(path string, samples []float32) error {
	w, err := voice.CreateWAV(path)
	if err != nil {
		return err
	}
	var f voice.Frame
	for len(samples) > 0 {
		n := copy(f[:], samples)
		clear(f[n:])
		samples = samples[n:]
		if err := w.WriteFrame(&f); err != nil {
			w.Close()
			return err
		}
	}
	return w.Close()
}

// statuses are a call's, looked at again and again while it lasts.
type statuses struct {
	mu    sync.Mutex
	trips []time.Duration
	last  call.Status
}

func (s *statuses) note(st call.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.Phase == call.Talking {
		s.last = st
		if st.RoundTrip > 0 {
			s.trips = append(s.trips, st.RoundTrip)
		}
	}
}
