package listen

import (
	"math"
	"slices"
	"time"

	"github.com/sottovoce/sotto/jitter"
	"github.com/sottovoce/sotto/voice"
)

// Figures are what a buffer made of one trace; the package comment defines them.
type Figures struct {
	Trace     string     `json:"trace"`
	Buffer    string     `json:"buffer"`
	Delay     float64    `json:"delay_ms"`
	Concealed float64    `json:"concealed_pct"`
	Unplayed  float64    `json:"unplayed_pct"`
	Cut       float64    `json:"cut_pct"`
	Stretched float64    `json:"stretched_pct"`
	Recovery  []*float64 `json:"recovery_ms"` // of each stall, in order; null: not within the trace
	R         float64    `json:"r"`

	Squeezed   float64 `json:"squeezed_voiced_pct"`
	Slowed     float64 `json:"slowed_voiced_pct"`
	Fastest    float64 `json:"fastest_voiced"`   // times the speed it was said at
	SpeechCut  float64 `json:"speech_cut_pct"`   // speech that was not rendered, by samples: unplayed frames and parts of others
	Violations int     `json:"pause_violations"` // pauses cut below 60 ms
}

// Bounds of the definitions.
const (
	leastPause = 60 * voice.SampleRate / 1000 // samples
	splice     = voice.SampleRate / 1000      // samples that two sounds share where they are joined, and nobody misses
	stall      = 300 * time.Millisecond       // beyond the time between frames
	recovered  = 50.0                         // ms above the delay before the stall
	unlike     = 0.01                         // how far from 1 a speed counts
)

// account measures a listening. line is the delay over time, see [timeline].
func account(h *Heard, a *Arrivals, ks kinds) (f Figures, line []float64) {
	n := len(a.At)
	last := samples(a.last())
	pieces := h.pieces(last+samples(encore), int64(n)*voice.FrameSamples)
	frames := render(pieces, n)
	f = Figures{
		Delay: delay(pieces), Concealed: concealed(pieces, last), Stretched: frames.stretched(),
		Violations: violations(pieces, ks[:n*parts]),
	}
	frames.missing(&f, ks, reach(pieces))
	frames.voice(&f, ks)
	line = timeline(pieces)
	f.Recovery, f.Fastest = recovery(line, a), fastest(line, ks[:n*parts])
	f.R = R(f.Delay, f.Concealed)
	for _, v := range []*float64{&f.Delay, &f.Concealed, &f.Unplayed, &f.Cut, &f.Stretched, &f.R, &f.Squeezed, &f.Slowed, &f.Fastest, &f.SpeechCut} {
		*v = math.Round(*v*1000) / 1000
	}
	return f, line
}

// delay is the mean over what was made from received sound, in ms.
func delay(pieces []piece) float64 {
	var sum, n float64
	for _, p := range pieces {
		if p.of > 0 {
			sum += float64(p.samples) * (p.delay(0) + p.delay(p.samples-1)) / 2
			n += float64(p.samples)
		}
	}
	return share(sum, n) * 1000 / voice.SampleRate
}

// concealed is the share of made-up output between the first sound played and
// the last arrival, in percent.
func concealed(pieces []piece, last int64) float64 {
	first := slices.IndexFunc(pieces, func(p piece) bool { return p.of > 0 })
	if first < 0 {
		return 100
	}
	var made, all float64
	for _, p := range pieces[first:] {
		n := float64(max(0, min(p.at+p.samples, last)-p.at))
		all += n
		if p.of == 0 {
			made += n
		}
	}
	return 100 * share(made, all)
}

func share(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

// fastest is the highest speed of voiced speech over 100 ms on end of a
// [timeline]; 0 where there is none. What was cut out of it counts, too.
func fastest(line []float64, ks kinds) float64 {
	const window = 100 // ms
	highest := 0.0
	since := 0 // of sound on end
	for t, d := range line {
		if math.IsNaN(d) {
			since = t + 1
			continue
		}
		from := t - window
		if from < since {
			continue
		}
		speed := 1 - (d-line[from])/window
		if speed > highest && ks.all(voice.Voiced, float64(from)-line[from], float64(t)-d) {
			highest = speed
		}
	}
	return highest
}

// violations counts the pauses that were cut below what must be left of them.
func violations(pieces []piece, ks kinds) int {
	count := 0
	for from := 0; from < len(ks); from++ {
		if ks[from] != voice.Pause {
			continue
		}
		to := from
		for to < len(ks) && ks[to] == voice.Pause {
			to++
		}
		begin, end := int64(from)*part, int64(to)*part
		heard, rendered, both := between(pieces, begin, end)
		if both && end-begin-rendered > splice && heard < min(leastPause, end-begin)-splice {
			count++
		}
		from = to
	}
	return count
}

// R is the E-model's rating ([jitter.Rating]) for the delay and 150 ms, for what
// the delay leaves out, and what was concealed.
func R(delayMS, concealedPct float64) float64 {
	const base = 150
	return jitter.Rating(time.Duration((delayMS+base)*float64(time.Millisecond)), concealedPct)
}
