package phone

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/portaudio"
)

// SoundCheck tries a microphone and a loudspeaker with nobody called: it records
// for a while, plays that back, and measures how long sound takes around, with
// chirps.
//
//	chirp ─▶ pull ─▶ callback takes it ─▶ loudspeaker ~ air ~ microphone ─▶ callback brings it ─▶ Read
//	         └───────────────────────── RoundTrip ─────────────────────────────────────────────────┘
//	                 └────────────────── Devices ──────────────────────────────┘
type SoundCheck struct {
	Mic, Speaker string        // as in Audio
	Long         time.Duration // of the recording
	// Event is told how far it is, a few times a second; it must not block.
	Event func(SoundEvent)
}

// SoundEvent is how far a check is.
type SoundEvent struct {
	Stage SoundStage
	Left  time.Duration // of the recording, or of its playing
	Level float64       // of the microphone, dBFS
}

// SoundStage is what a check does.
type SoundStage string

// The stages, in order.
const (
	SoundOpening   SoundStage = "opening"
	SoundRecording SoundStage = "recording"
	SoundPlaying   SoundStage = "playing"
	SoundChirping  SoundStage = "chirping"
)

// SoundReport is what a check found. Levels are dBFS.
type SoundReport struct {
	Microphone  string        `json:"microphone"`
	Loudspeaker string        `json:"loudspeaker"`
	Level       float64       `json:"level_dbfs"` // of the recording
	Peak        float64       `json:"peak_dbfs"`
	Chirps      int           `json:"chirps_heard"` // of three
	RoundTrip   time.Duration `json:"-"`            // from sotto to the air and back; 0: no chirp was heard
	Devices     time.Duration `json:"-"`            // of it, between the cards' callbacks
	RoundTripMS float64       `json:"round_trip_ms"`
	DevicesMS   float64       `json:"devices_ms"`
}

const (
	chirps       = 3
	chirpLong    = 300 * time.Millisecond
	chirpEvery   = 1200 * time.Millisecond // what comes later than a second is not found
	chirpLoud    = 0.25                    // of full scale
	chirpAlike   = 0.6                     // correlation of loudness with what was played, from which it is one
	firstSound   = 6 * time.Second         // a device that brings nothing for so long does not work
	soundPicture = 100 * time.Millisecond  // between events
)

// chirp rises from 300 to 3,000 Hz, with soft ends, and is followed by silence.
func chirp() []float32 {
	out := make([]float32, int(chirpEvery*voice.SampleRate/time.Second)*5/6)
	n := int(chirpLong * voice.SampleRate / time.Second)
	phase := 0.0
	for i := range n {
		x := float64(i) / float64(n)
		phase += 2 * math.Pi * 300 * math.Pow(10, x) / voice.SampleRate
		out[i] = float32(chirpLoud * math.Sin(phase) * min(1, 20*x, 20*(1-x)))
	}
	return out
}

// Run does all of it. Errors wrap [ErrAudio]; when ctx ends it is that.
func (s SoundCheck) Run(ctx context.Context) (*SoundReport, error) {
	r, err := s.run(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAudio, err)
	}
	return r, nil
}

func (s SoundCheck) run(ctx context.Context) (*SoundReport, error) {
	s.Event(SoundEvent{Stage: SoundOpening})
	var lost error
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tell := func(text string) { cancel(errors.New(text)) }
	speaker, err := portaudio.OpenSink(s.Speaker, tell)
	if err != nil {
		return nil, fmt.Errorf("loudspeaker: %w", err)
	}
	defer speaker.Close()
	mic, err := portaudio.OpenSource(s.Mic, tell)
	if err != nil {
		return nil, fmt.Errorf("microphone: %w", err)
	}
	defer mic.Close()
	d := &deck{}
	speaker.OnTaken(d.took)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel(nil)
	group.Go(func() { speaker.Run(ctx, d.pull) })
	c := &check{SoundCheck: s, mic: mic, deck: d, report: SoundReport{
		Microphone: mic.Device().String(), Loudspeaker: speaker.Device().String(),
	}}
	if lost = c.measure(ctx); lost == nil && ctx.Err() != nil {
		lost = context.Cause(ctx)
	}
	return &c.report, lost
}

// check is one under way.
type check struct {
	SoundCheck
	mic    *portaudio.Source
	deck   *deck
	report SoundReport
	level  voice.Level
	shown  time.Time
}

func (c *check) measure(ctx context.Context) error {
	c.report.Level, c.report.Peak = voice.Quiet, voice.Quiet
	if c.listen(ctx, SoundOpening, voice.FrameTime).sound == nil {
		return errors.Join(context.Cause(ctx), fmt.Errorf("the microphone brings nothing: %v", c.mic.Device()))
	}
	took := c.listen(ctx, SoundRecording, c.Long)
	c.report.Level, c.report.Peak = levels(took.sound)
	c.deck.play(took.sound)
	c.listen(ctx, SoundPlaying, c.Long+time.Second/4)
	var trips, devices []time.Duration
	sent := chirp()
	for range chirps {
		c.deck.play(sent)
		took := c.listen(ctx, SoundChirping, chirpEvery)
		if trip, device, ok := c.deck.around(sent, took); ok {
			trips, devices = append(trips, trip), append(devices, device)
		}
	}
	if c.report.Chirps = len(trips); len(trips) > 0 {
		slices.Sort(trips)
		slices.Sort(devices)
		c.report.RoundTrip, c.report.Devices = trips[len(trips)/2], devices[len(devices)/2]
		c.report.RoundTripMS = float64(c.report.RoundTrip.Microseconds()) / 1e3
		c.report.DevicesMS = float64(c.report.Devices.Microseconds()) / 1e3
	}
	return nil
}

// taking is what was heard: when its first sample came, and when each frame was
// read.
type taking struct {
	sound []float32
	came  time.Time
	read  []time.Time
}

// listen reads the microphone until so much has come, or nothing does.
func (c *check) listen(ctx context.Context, stage SoundStage, long time.Duration) (t taking) {
	ticker := time.NewTicker(voice.FrameTime)
	defer ticker.Stop()
	want := int(long * voice.SampleRate / time.Second)
	last := time.Now()
	var f voice.Frame
	for len(t.sound) < want && time.Since(last) < firstSound {
		select {
		case <-ctx.Done():
			return t
		case <-ticker.C:
		}
		for {
			ok, err := c.mic.Read(&f)
			if err != nil || !ok {
				break
			}
			if last = time.Now(); t.sound == nil {
				t.came = c.mic.Came()
			}
			t.sound, t.read = append(t.sound, f[:]...), append(t.read, last)
			c.level.Add(f[:])
		}
		if time.Since(c.shown) > soundPicture {
			c.shown = time.Now()
			left := time.Duration(want-len(t.sound)) * time.Second / voice.SampleRate
			c.Event(SoundEvent{Stage: stage, Left: max(0, left), Level: c.level.RMS()})
		}
	}
	return t
}

// levels are of the whole, and of its loudest sample.
func levels(sound []float32) (rms, peak float64) {
	var sum, most float64
	for _, v := range sound {
		sum += float64(v) * float64(v)
		most = max(most, math.Abs(float64(v)))
	}
	return max(voice.Quiet, 10*math.Log10(sum/float64(max(1, len(sound))))), max(voice.Quiet, 20*math.Log10(most))
}

// deck gives a loudspeaker what is to be played, and silence else.
type deck struct {
	mu     sync.Mutex
	next   []float32
	pulled uint64    // samples so far
	at     uint64    // which of them next began with
	given  time.Time // when that was pulled
	zero   time.Time // when sample 0 was taken, by the earliest callback of late
	fresh  bool      // next has not begun
}

func (d *deck) play(sound []float32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next, d.fresh, d.zero = sound, true, time.Time{}
}

func (d *deck) pull(out []float32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fresh {
		d.fresh, d.at, d.given = false, d.pulled, time.Now()
	}
	n := copy(out, d.next)
	d.next = d.next[n:]
	clear(out[n:])
	d.pulled += uint64(len(out))
}

func (d *deck) took(at time.Time, n uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	zero := at.Add(-time.Duration(n) * time.Second / voice.SampleRate)
	if d.zero.IsZero() || zero.Before(d.zero) {
		d.zero = zero
	}
}

// around finds what was played last in what was heard from then on, and how long
// it took: from pull to Read, and from callback to callback.
func (d *deck) around(sent []float32, t taking) (trip, device time.Duration, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := voice.Compare(sent, t.sound)
	frame := int(m.Lag / voice.FrameTime)
	if m.Envelope < chirpAlike || m.Lag < 0 || frame >= len(t.read) || d.zero.IsZero() {
		return 0, 0, false
	}
	taken := d.zero.Add(time.Duration(d.at) * time.Second / voice.SampleRate)
	return t.read[frame].Sub(d.given), t.came.Add(m.Lag).Sub(taken), true
}
