package bench

import (
	"fmt"
	"html/template"
	"time"

	"github.com/sottovoce/sotto/internal/bench/chart"
)

// picture holds what the page shows besides the table.
type picture struct {
	config   Config
	circuits [][]float64 // first call: delay of each circuit at each tick, ms
	call     []float64   // first call: delay of each frame under the last scheme of ours, ms
	name     string
}

// paint keeps the first call of sotto, or of the last scheme where sotto was not
// asked for.
func paint(c *Config, schemes []scheme, outcomes [][]outcome, first draw) picture {
	shown := len(schemes) - 1
	for i, s := range schemes {
		if s.name == "sotto" {
			shown = i
		}
	}
	p := picture{config: *c, name: schemes[shown].name}
	ticks := len(first.out.common)
	skip := 0
	if c.Audition > 0 {
		skip = int(ringing / (20 * time.Millisecond))
	}
	for _, arrives := range first.out.arrives[:min(schemes[shown].circuits, len(first.out.arrives))] {
		line := make([]float64, 0, ticks)
		for n := skip; n < ticks; n++ {
			line = append(line, ms(arrives[n]-sentAt(n)-first.out.base))
		}
		p.circuits = append(p.circuits, line)
	}
	for _, d := range outcomes[shown][0].delays {
		if d == never {
			d = sentAt(ticks)
		}
		p.call = append(p.call, ms(d))
	}
	return p
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// topDelay is the delay at the top of a picture, ms.
const topDelay = 600.0

// overTime is one call: every circuit faint, the call bold.
func (p *picture) overTime() template.HTML {
	c := chart.New("Delay above the base in one call, ms: each circuit faint, "+p.name+" bold", "seconds of the call", chart.Labels(float64(len(p.call))*0.02, 6), delayLabels())
	draw := func(class string, ms []float64) {
		c.Line(class, len(ms), func(i int) (float64, float64) {
			return float64(i) / float64(len(p.call)), ms[i] / topDelay
		})
	}
	for _, circuit := range p.circuits {
		draw("faint", circuit[:min(len(circuit), len(p.call))])
	}
	draw("bold", p.call)
	return c.HTML()
}

// overCalls is the distribution over calls of their 99th percentile, a line a
// scheme.
func (r *Report) overCalls() template.HTML {
	c := chart.New("99th percentile of a call's delay: share of calls at or under it", "ms above the base", delayLabels(), []string{"0", "25 %", "50 %", "75 %", "100 %"})
	for k, s := range r.Schemes {
		n := len(s.p99s)
		c.Line(fmt.Sprintf("s%d", k%palette), 2*n+1, func(i int) (float64, float64) {
			if i == 2*n {
				return 1, float64(below(s.p99s)) / float64(n)
			}
			return s.p99s[i/2] / topDelay, min(float64(i/2+i%2), float64(below(s.p99s))) / float64(n)
		})
	}
	return c.HTML()
}

// below is how many values fit the picture.
func below(sorted []float64) int {
	n := 0
	for n < len(sorted) && sorted[n] <= topDelay {
		n++
	}
	return n
}

func delayLabels() []string { return chart.Labels(topDelay, 6) }
