// Package listen measures what a listener hears of a call: speech is encoded,
// its frames arrive as they did in a trace, and a playout buffer makes of them
// what it can. It runs in virtual time and gives the same figures every time.
//
//	speech ─▶ Opus ─▶ arrivals ─▶ [playout.Ear]: jitter, decoder, stretch ─▶ Run, Run, … ─▶ figures
//	                     └──────▶ rivals: a fixed delay, Ramjee et al. ────▶ Run, Run, … ─▶ figures
//
// The listener's clock pulls 10 ms at a time, at 5, 15, 25 … ms of the trace's
// clock: a sound card keeps some phase to the sender's, and this is the mean of
// all. Before a pull the buffer gets all that has come by then.
//
// All figures follow from the runs ([voice.Run]: which received samples each
// piece of output stands for) by definitions that hold for every buffer:
//
//   - Frame k is sent at 20·k ms, and the fastest frame of a trace takes 0 ms. So
//     the i-th sample of frame k could at best be heard at 20·k + i/48 ms. Delay
//     is by how much later it was heard: buffering, the wait for the pull and what
//     the stretch holds back count; what no buffer can change does not (collecting
//     a frame, the codec's look-ahead, the circuit's least delay). It is the mean
//     over all output that is not concealed.
//   - Concealed is output that was not made from received sound: made up, noise,
//     waiting, what is repeated, and the part of a slowed run beyond twice its
//     length. It is a share of all output from the first sound played to the last
//     arrival.
//   - Unplayed is the share of the speech frames of which less than half was
//     rendered. What is speech the detector says, of the speech before the codec.
//   - Cut is pauses' sound that was not rendered, a share of all sound up to the
//     last played; a run squeezed beyond double speed renders no more than that.
//     A pause is a violation if something of it is missing, and what is heard
//     between the speech before and after is under 60 ms (or the whole pause's
//     length, if that is less).
//   - Stretched is the share of output that is not concealed and belongs to
//     frames that sounded longer or shorter than they are, by over 1 %. Squeezed
//     and slowed voiced speech are shares of the voiced frames rendered (those that
//     are voiced from end to end). The fastest is the highest speed over any 100 ms
//     of output made of voiced speech alone.
//   - Recovery: a stall is 300 ms and more without an arrival beyond the 20 ms
//     that are between frames. From the first arrival after it, it is the time
//     until sound is heard with a delay at most 50 ms above the mean of the second
//     before the stall.
//   - After the last arrival buffers play on for 5 s. That counts for delay,
//     unplayed and cut, not for concealed.
//   - R rates the conversation by delay and concealment (ITU-T G.107; see [R]).
package listen

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sottovoce/sotto/jitter"
	"github.com/sottovoce/sotto/voice"
)

// Never is the arrival of a frame that did not come.
const Never = time.Duration(math.MaxInt64)

const (
	phase   = voice.PullTime / 2 // of the listener's pulls
	encore  = 5 * time.Second    // how long buffers play on after the last arrival
	frameMS = float64(voice.FrameTime / time.Millisecond)
)

// Arrivals is one direction of a call: when each of its frames came, above the
// least delay.
type Arrivals struct {
	Name string
	At   []time.Duration // of frame k, which was sent at 20·k ms; or Never
}

// order gives the frames in the order in which they came; of those that came
// together the oldest is first.
func (a *Arrivals) order() []int {
	var came []int
	for k, at := range a.At {
		if at != Never {
			came = append(came, k)
		}
	}
	slices.SortStableFunc(came, func(i, j int) int { return cmp.Compare(a.At[i], a.At[j]) })
	return came
}

// last is when the last frame came; 0 if none did.
func (a *Arrivals) last() time.Duration {
	last := time.Duration(0)
	for _, at := range a.At {
		if at != Never {
			last = max(last, at)
		}
	}
	return last
}

// Heard is what a buffer played: an unbroken output, and how it was made.
type Heard struct {
	Start int64 // when it began, in samples since the first frame was sent
	End   int64 // when the listening ended
	Runs  []voice.Run

	Targets [][2]float64 // when, in s, and what delay the buffer aimed at, in ms; if it says so
}

// Config says what is replayed.
type Config struct {
	Arrivals []Arrivals
	Speech   *voice.Clip // said over and over
	Buffers  []string    // see [Parse]
	Jitter   jitter.Config
	Sound    string // a folder for what is heard, or ""
	Explain  string // a folder for jitter's decisions, or ""
}

// Run replays all of it. progress, if not nil, is told how many of how many
// listenings are done, from several goroutines.
func Run(ctx context.Context, c *Config, progress func(done, of int)) (*Report, error) {
	buffers, err := c.parse()
	if err != nil {
		return nil, err
	}
	frames := 0
	for _, a := range c.Arrivals {
		frames = max(frames, len(a.At))
	}
	speech, err := newSpeech(c.Speech.Samples, frames)
	if err != nil {
		return nil, err
	}
	if err := c.original(speech); err != nil {
		return nil, err
	}
	n := len(buffers) * len(c.Arrivals)
	report := &Report{Traces: make([]Figures, n), arrivals: c.Arrivals, views: make([]view, n)}
	errs := make([]error, len(report.Traces))
	var next, done atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(report.Traces) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				a, b := &c.Arrivals[i%len(c.Arrivals)], buffers[i/len(c.Arrivals)]
				var h Heard
				if h, errs[i] = b.hear(a, speech); errs[i] == nil {
					var line []float64
					report.Traces[i], line = account(&h, a, speech.kinds)
					report.views[i] = see(line, h.Targets)
					report.Traces[i].Trace, report.Traces[i].Buffer = a.Name, b.name
				}
				if n := int(done.Add(1)); progress != nil {
					progress(n, len(report.Traces))
				}
			}
		})
	}
	group.Wait()
	if err := cmp.Or(append(errs, ctx.Err())...); err != nil {
		return nil, err
	}
	report.summarise()
	if s, ok := report.Summary[Sotto]; ok {
		took, err := cost(c.Jitter, c.Arrivals, speech)
		if err != nil {
			return nil, err
		}
		s.Cost = &took
		report.Summary[Sotto] = s
	}
	return report, nil
}

// samples is how many samples sound in d.
func samples(d time.Duration) int64 { return int64(d * voice.SampleRate / time.Second) }
