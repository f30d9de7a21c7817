package bench

import (
	"fmt"
	"time"

	"github.com/sottovoce/sotto/internal/bench/listen"
	"github.com/sottovoce/sotto/onion/trace"
)

// singles are traces as the only circuit of a call each.
func singles(source string) ([]listen.Arrivals, error) {
	traces, err := trace.Open(source)
	if err != nil {
		return nil, err
	}
	var all []listen.Arrivals
	for _, t := range traces {
		a := listen.Arrivals{Name: t.Name, At: make([]time.Duration, t.Length()/trace.Step)}
		for k := range a.At {
			a.At[k] = sentAt(k) + t.Delay(sentAt(k))
		}
		all = append(all, a)
	}
	return all, nil
}

// arrivals are those of the drawn calls, each both ways.
func (c *Config) arrivals() ([]listen.Arrivals, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	recordings, err := c.recordings()
	if err != nil {
		return nil, err
	}
	var all []listen.Arrivals
	for i := range c.Calls {
		out := drawCall(c, recordings, i)
		in := draw{out: out.back, back: out.out}
		all = append(all, out.arrivals(fmt.Sprintf("call-%03d-out", i), c.Circuits), in.arrivals(fmt.Sprintf("call-%03d-in", i), c.Circuits))
	}
	return all, nil
}

// arrivals are those of each frame's first copy from a at b, above the least
// delay of all.
func (d *draw) arrivals(name string, circuits int) listen.Arrivals {
	delays := d.out.heard(runSotto(d, circuits, 0))
	least := never
	for _, late := range delays {
		least = min(least, late)
	}
	a := listen.Arrivals{Name: name, At: make([]time.Duration, len(delays))}
	for k, late := range delays {
		a.At[k] = listen.Never
		if late != never {
			a.At[k] = sentAt(k) + late - least
		}
	}
	return a
}
