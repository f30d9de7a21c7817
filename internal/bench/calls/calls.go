// Package calls makes real calls, one after the other, over one private Tor
// network whose circuits are as late as recorded ones, alternately with few
// circuits and with many, and compares how late speech is from mouth to ear.
//
//	round 1:  1 circuit ─ 4 circuits     both draw from the delays with seed + 1
//	round 2:  1 circuit ─ 4 circuits     … with seed + 2
//
// Everything is what a call has: tor, rendezvous circuits, codec, jitter buffer;
// only microphone and loudspeaker are files (package demo). A single call tells
// little: whether its one circuit stalls is luck. So the percentiles are taken
// over all frames of all calls with the same number of circuits, both ways.
// Times are in milliseconds in what is printed.
package calls

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/sottovoce/sotto/internal/demo"
	"github.com/sottovoce/sotto/onion/tornet"
)

// Config says which calls are made.
type Config struct {
	Tor      string        // path of the tor program; "": looked for
	Delays   string        // a folder of traces, or model:SEED
	Seed     uint64        // which circuits are drawn
	Circuits []int         // of the calls of one round, 1 to 8 each
	Rounds   int           // at least 1
	Talk     time.Duration // of each call
}

func (c *Config) check() error {
	if c.Rounds < 1 || len(c.Circuits) == 0 {
		return fmt.Errorf("give at least one round of one call")
	}
	for _, n := range c.Circuits {
		if n < 1 || n > 8 {
			return fmt.Errorf("a call has 1 to 8 circuits, not %d", n)
		}
	}
	if c.Talk < demo.LeastTalk || c.Talk > demo.MostTalk {
		return fmt.Errorf("give %v to %v of talk", demo.LeastTalk, demo.MostTalk)
	}
	return demo.Config{Delays: c.Delays}.Check()
}

// Report is what was measured, in the order of Config.Circuits.
type Report struct {
	Rounds int      `json:"rounds"`
	TalkMS float64  `json:"talk_ms"`
	Calls  []Figure `json:"calls"`
	// P99Ratio is that of the last of Calls over that of the first.
	P99Ratio float64 `json:"p99_ratio"`
}

// Figure is all calls of so many circuits together.
type Figure struct {
	Circuits     int              `json:"circuits"`
	MouthToEarMS demo.Percentiles `json:"mouth_to_ear_ms"`
	CallP99MS    []float64        `json:"call_p99_ms"` // of each call, both ways together
	ConcealedPct float64          `json:"concealed_pct"`

	delays []time.Duration
}

// Run makes the calls. say is told, now and then, how far it is.
func Run(ctx context.Context, c *Config, say func(string)) (_ *Report, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	network, err := tornet.Start(ctx, tornet.Config{Tor: c.Tor, Progress: func(p tornet.Progress) {
		say(fmt.Sprintf("the network starts: %d %%", p.Percent))
	}})
	if err != nil {
		return nil, err
	}
	defer func() {
		if bad := network.Close(); err == nil {
			err = bad
		}
	}()
	r := &Report{Rounds: c.Rounds, TalkMS: float64(c.Talk.Milliseconds())}
	for _, n := range c.Circuits {
		r.Calls = append(r.Calls, Figure{Circuits: n})
	}
	for round := range c.Rounds {
		for i := range r.Calls {
			f := &r.Calls[i]
			say(fmt.Sprintf("round %d of %d: a call of %v over %d circuits", round+1, c.Rounds, c.Talk, f.Circuits))
			got, err := demo.Run(ctx, demo.Config{
				Tor: c.Tor, Talk: c.Talk, Circuits: f.Circuits, Delays: c.Delays,
				Seed: c.Seed + uint64(round) + 1, Event: func(demo.Event) {},
			}, network, time.Now())
			if err != nil {
				return nil, fmt.Errorf("round %d, %d circuits: %w", round+1, f.Circuits, err)
			}
			f.add(got, c.Rounds)
		}
	}
	for i := range r.Calls {
		r.Calls[i].MouthToEarMS = demo.PercentilesOf(r.Calls[i].delays)
	}
	r.P99Ratio = r.Calls[len(r.Calls)-1].MouthToEarMS.P99 / r.Calls[0].MouthToEarMS.P99
	return r, nil
}

func (f *Figure) add(r *demo.Report, rounds int) {
	both := append(r.MouthToEar.Caller[:len(r.MouthToEar.Caller):len(r.MouthToEar.Caller)], r.MouthToEar.Callee...)
	f.delays = append(f.delays, both...)
	f.CallP99MS = append(f.CallP99MS, demo.PercentilesOf(both).P99)
	f.ConcealedPct += (r.ConcealedPct.Caller + r.ConcealedPct.Callee) / 2 / float64(rounds)
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	text := fmt.Sprintf("%d calls of %.0f s each, mouth to ear over all frames, ms\n%9s %6s %6s %6s %10s   p99 of each call\n",
		r.Rounds, r.TalkMS/1000, "circuits", "p50", "p95", "p99", "concealed")
	for _, f := range r.Calls {
		text += fmt.Sprintf("%9d %6.0f %6.0f %6.0f %8.2f %%  %.0f\n", f.Circuits,
			f.MouthToEarMS.P50, f.MouthToEarMS.P95, f.MouthToEarMS.P99, f.ConcealedPct, f.CallP99MS)
	}
	_, err := fmt.Fprintf(w, "%sp99 with %d circuits is %.2f of that with %d\n",
		text, r.Calls[len(r.Calls)-1].Circuits, r.P99Ratio, r.Calls[0].Circuits)
	return err
}
