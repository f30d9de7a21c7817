package listen

import (
	"math"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// fixed plays each frame so long after it was sent, or not at all.
func fixed(a *Arrivals, wait time.Duration) Heard {
	return plan(a, func(int) time.Duration { return wait })
}

// plan plays frame k at its playout delay, which may change between frames:
// more leaves a gap, less cuts what comes before. Frames that come later than
// that are made up.
func plan(a *Arrivals, delay func(k int) time.Duration) Heard {
	n := len(a.At)
	due := make([]int64, n)
	until := make([]int64, n+1) // when the frame must have ended: the next are not to wait
	until[n] = math.MaxInt64
	for k := n - 1; k >= 0; k-- {
		due[k] = samples(time.Duration(k)*voice.FrameTime + delay(k))
		until[k] = min(until[k+1], due[k])
	}
	var h Heard
	h.Start = until[0]
	at := h.Start
	for k, came := range a.At {
		if gap := until[k] - at; gap > 0 {
			h.Runs = append(h.Runs, voice.Run{Samples: int(gap)})
			at = until[k]
		}
		room := int(min(voice.FrameSamples, until[k+1]-at))
		if room <= 0 {
			continue
		}
		r := voice.Run{Samples: room}
		if came != Never && samples(came) <= due[k] {
			r.Media, r.Of = int64(k)*voice.FrameSamples, room
		}
		h.Runs = append(h.Runs, r)
		at += int64(room)
	}
	h.End = at
	return h
}

// ramjee is the algorithm with spike detection of Ramjee, Kurose, Towsley and
// Schulzrinne, "Adaptive playout mechanisms for packetized audio applications
// in wide-area networks" (INFOCOM 1994, algorithm 4), with the gain that they
// and Moon et al. (1998) use. The delay changes where a talk spurt begins, and
// never into the spurt before.
func ramjee(a *Arrivals, ks kinds) Heard {
	waits := make([]time.Duration, len(a.At))
	var e estimate
	arrived := a.order()
	wait := time.Duration(-1)
	spoken := time.Duration(0) // when the last speech has been played
	for k, came := range a.At {
		begins := k == 0 || ks.speech(k) && !ks.speech(k-1)
		sent := time.Duration(k) * voice.FrameTime
		if begins {
			// What is known when the spurt's first frame is there: all that came by then.
			for len(arrived) > 0 && came != Never && a.At[arrived[0]] <= came {
				i := arrived[0]
				e.add(ms(a.At[i]) - float64(i)*frameMS)
				arrived = arrived[1:]
			}
			wait = max(time.Duration((e.mean+4*e.spread)*float64(time.Millisecond)).Truncate(time.Millisecond), spoken-sent)
		}
		waits[k] = wait
		if ks.speech(k) {
			spoken = sent + wait + voice.FrameTime
		}
	}
	return plan(a, func(k int) time.Duration { return waits[k] })
}

// estimate follows the network's delay, in ms. The paper counts in samples of
// 8 kHz: its 800 are 100 ms, its 63 are 7.875 ms.
type estimate struct {
	mean, spread float64
	before       [2]float64 // the last delay, and the one before that
	seen         int
	spike        bool
	slope        float64
}

const ramjeeGain = 0.998002

func (e *estimate) add(n float64) {
	defer func() { e.before[1], e.before[0], e.seen = e.before[0], n, e.seen+1 }()
	if e.seen == 0 {
		e.mean, e.before[0] = n, n
		return
	}
	if !e.spike {
		if math.Abs(n-e.before[0]) > 2*e.spread+100 {
			e.spike, e.slope = true, 0
		}
	} else {
		e.slope = e.slope/2 + math.Abs(2*n-e.before[0]-e.before[1])/8
		if e.slope <= 63./8 {
			e.spike = false
			return
		}
	}
	if e.spike {
		e.mean += n - e.before[0]
	} else {
		e.mean = ramjeeGain*e.mean + (1-ramjeeGain)*n
	}
	e.spread = ramjeeGain*e.spread + (1-ramjeeGain)*math.Abs(e.mean-n)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
