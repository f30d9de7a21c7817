// Package bench measures what anyone can repeat: schemes for sending a call
// over several Tor circuits, replayed side by side on recorded delays. What a
// listener hears of them is for package listen below; what they are drawn from
// is the same.
//
// A call draws its circuits from the traces with a seed, the same for every
// scheme, and runs both ways at once: end a sends to end b and b to a, each on
// its own side of the recordings, and what one end hears of the other comes in
// the other's records. A circuit keeps its order and never loses anything:
//
//	tick n ──▶ record on circuit c ──▶ arrives at 20 n + base + extra + trace + common
//
// A record sent at tick n holds frames n, n-1 … n-5, so a frame may come by six
// records. What is measured is the time from a frame's capture (20 n) to its
// first arrival, less the base, in the direction from a to b; which side of a
// recording that is, the seed says. The call is as long as the shortest trace
// of its draw, and its last five frames do not count: the records that might
// have brought them lie beyond the end. Times are in milliseconds in all that is
// printed.
//
// sotto's scheme is not a model of it: it is [paths.Scheduler] and
// [paths.Receiver], the values that run on the wire.
package bench

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sottovoce/sotto/onion/trace"
)

// Config says what is replayed.
type Config struct {
	Traces     string // a folder, or model:SEED
	Schemes    []string
	Circuits   int
	Calls      int
	Seed       uint64
	Base       time.Duration // each way
	Spread     time.Duration // at most so much more, by circuit
	Correlated float64       // share of one more trace that every circuit has in common
	Audition   int           // circuits tried while it rings; 0: none
}

// ringing is how long it rings where there is an audition: the frames before
// are not counted, for any scheme.
const ringing = 10 * time.Second

// Run replays all calls for every scheme. progress, if not nil, is told how many
// of how many calls are done, from several goroutines.
func Run(ctx context.Context, c *Config, progress func(done, of int)) (*Report, error) {
	recordings, err := c.recordings()
	if err != nil {
		return nil, err
	}
	schemes, err := c.pick()
	if err != nil {
		return nil, err
	}
	outcomes := make([][]outcome, len(schemes)) // [scheme][call]
	for i := range outcomes {
		outcomes[i] = make([]outcome, c.Calls)
	}
	var first draw
	var next, done atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < c.Calls && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				d := drawCall(c, recordings, i)
				if i == 0 {
					first = d
				}
				for k, s := range schemes {
					outcomes[k][i] = replay(&d, s, c)
				}
				if n := int(done.Add(1)); progress != nil {
					progress(n, c.Calls)
				}
			}
		})
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return report(c, schemes, outcomes, first), nil
}

// recordings reads what the calls are drawn from.
func (c *Config) recordings() ([]recording, error) {
	traces, err := trace.Open(c.Traces)
	if err != nil {
		return nil, err
	}
	all := pair(traces)
	if need := max(c.Circuits, c.Audition) + 1; len(all) < need {
		return nil, fmt.Errorf("%s holds %d recordings, and a call of this size draws %d: give fewer circuits or more traces", c.Traces, len(all), need)
	}
	return all, nil
}

// outcome is one call under one scheme.
type outcome struct {
	delays []time.Duration // of each frame, in order
	excess []time.Duration // the same, less what all circuits have in common
	cells  int             // sent by one end
	ticks  int
}

func replay(d *draw, s scheme, c *Config) outcome {
	sent := s.run(d)
	first := 0
	if c.Audition > 0 {
		first = int(ringing / trace.Step)
	}
	delays := d.out.heard(sent)
	o := outcome{cells: len(sent), ticks: len(d.out.common)}
	first = min(first, len(delays))
	o.delays = delays[first:]
	o.excess = make([]time.Duration, len(o.delays))
	for i, t := range o.delays {
		o.excess[i] = t
		if t != never {
			o.excess[i] = t - d.out.common[first+i]
		}
	}
	return o
}
