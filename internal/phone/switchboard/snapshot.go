package switchboard

import (
	"slices"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/jitter"
)

// Status is the whole phone at this moment.
func (b *Board) Status() api.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.snapshot()
}

// snapshot is the same; b.mu is held.
func (b *Board) snapshot() api.Status {
	s := b.status
	s.Silent = b.desk.NoCalls
	s.Calls = []api.Call{}
	for _, l := range b.calls {
		if l.shown {
			s.Calls = append(s.Calls, b.describe(l))
		}
	}
	s.Missed = append([]api.Missed{}, b.missed...)
	return s
}

// quiet is the level of silence, in dBFS.
const quiet = -120

// stale is for how long nothing may come before what was measured of it is no
// longer shown: a call in which nothing comes has no delay and no level.
const stale = 2 * time.Second

// describe is a call at this moment; b.mu is held.
func (b *Board) describe(l *line) api.Call {
	who := b.config.Gate.At(l.peer)
	c := api.Call{
		ID: l.name, Peer: l.peer.Onion(), Name: who.Name, Verified: who.Verified, Outgoing: l.outgoing, OneTime: b.config.OneTime,
		Phase: l.phase, SinceMS: time.Since(l.entered).Milliseconds(), SetupMS: l.setup.Milliseconds(),
		YouDB: quiet, ThemDB: quiet, Paths: []api.Path{},
	}
	if l.phase == api.Over {
		c.End = l.end
	}
	if l.call == nil {
		return c
	}
	s := l.call.Status()
	if s.RoundTrip > 0 {
		l.trip = s.RoundTrip
	}
	c.TalkedMS, c.Voice = s.TalkedFor.Milliseconds(), s.Profile
	c.Muted, c.Holding, c.Held = s.Muted, s.Holding, s.Held
	c.Announced, c.Recording, c.Recorded = s.Announced, s.Recording, s.Recorded
	c.Reached, c.SilenceMS, c.RoundTripMS = s.Reached, s.Silence.Milliseconds(), l.trip.Milliseconds()
	c.ConcealedPC = s.Playout.ConcealedPercent()
	c.Sent, c.Received, c.Skipped = s.Sent, s.Received, s.Skipped
	for _, p := range s.Circuits {
		c.Paths = append(c.Paths, api.Path{ID: p.Path, LatenessMS: p.Lateness.Milliseconds(), Used: p.Used})
	}
	if s.Silence >= stale && l.phase != api.Over { // then it is what it was last
		c.RoundTripMS = 0
	}
	if s.Phase != call.Talking {
		return c
	}
	if l.lease.has.Load() == l.lease && b.config.Levels != nil {
		you, them := b.config.Levels()
		if c.ThemDB = max(quiet, them); !s.Muted {
			c.YouDB = max(quiet, you)
		}
	}
	c.ThereMS, c.UnheardMS, c.HeardMS = s.MouthToEarThere.Milliseconds(), s.Unheard.Milliseconds(), s.HeardUpTo.Milliseconds()
	if s.MouthToEar > 0 {
		l.delay = s.MouthToEar
	}
	if l.delay > 0 {
		c.DelayMS = l.delay.Milliseconds()
		c.Quality = quality(l.delay, l.lately(s))
	}
	if s.Silence >= stale {
		c.DelayMS, c.ThereMS, c.ThemDB = 0, 0, quiet
	}
	return c
}

// listened is what was heard by some moment, and how much of it was made up.
type listened struct{ at, heard, concealed time.Duration }

// window is over how long what is concealed counts for the quality: this and up
// to as much again.
const window = 5 * time.Second

// lately is the share of what was heard of late that was made up, in percent.
func (l *line) lately(s call.Status) float64 {
	now := listened{s.TalkedFor, s.Playout.Heard, s.Playout.Concealed}
	if now.at-l.heard[1].at > window {
		l.heard[0], l.heard[1] = l.heard[1], now
	}
	heard := now.heard - l.heard[0].heard
	if heard <= 0 {
		return 0
	}
	return 100 * float64(now.concealed-l.heard[0].concealed) / float64(heard)
}

// words are what ratings on the scale of 0 to 100 are called, from which on (after
// ITU-T G.109: high and best, medium, low, poor and worse).
var words = []struct {
	from float64
	word string
}{{80, "good"}, {70, "fair"}, {60, "poor"}, {0, "bad"}}

// quality is the E-model's rating, from the wideband scale brought to 0 to 100.
func quality(delay time.Duration, concealedPercent float64) api.Quality {
	r := min(100, max(0, jitter.Rating(delay, concealedPercent)*100/jitter.Best))
	i := slices.IndexFunc(words, func(w struct {
		from float64
		word string
	},
	) bool {
		return r >= w.from
	})
	return api.Quality{R: float64(int(r*10)) / 10, Word: words[i].word}
}
