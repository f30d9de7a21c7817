package bench

import (
	"fmt"
	"slices"
	"strings"
)

// scheme is a way to use circuits: it gives all that end a sends in a call.
type scheme struct {
	name     string
	circuits int
	run      func(*draw) []shipment
}

// All asks for every scheme; in the report it is the last of them, a record on
// every circuit at every tick.
const All = "all"

// Names are the schemes by name, in the order of the report.
var Names = []string{"single", "duplicate", "alternate", "donar-alternate", "donar-double", "sotto", All}

// pick gives the schemes asked for. Donar comes with its twelve links, and
// again with as many as the others have.
func (c *Config) pick() ([]scheme, error) {
	want := c.Schemes
	if len(want) == 0 || slices.Contains(want, All) {
		want = Names
	}
	var out []scheme
	for _, name := range Names {
		if slices.Contains(want, name) {
			out = append(out, c.schemes(name)...)
		}
	}
	for _, name := range want {
		if !slices.Contains(Names, name) {
			return nil, fmt.Errorf("no scheme %q: give one or more of %s", name, strings.Join(Names, ", "))
		}
	}
	return out, nil
}

func (c *Config) schemes(name string) []scheme {
	n := c.Circuits
	each := func(circuits int, at func(tick int) []int) []scheme {
		return []scheme{{name, circuits, func(d *draw) []shipment {
			var sent []shipment
			for tick := range d.out.common {
				for _, circuit := range at(tick) {
					sent = append(sent, shipment{tick, circuit})
				}
			}
			return sent
		}}}
	}
	switch name {
	case "single":
		return each(1, func(int) []int { return []int{0} })
	case "duplicate":
		both := []int{0, 1}[:min(2, n)]
		return each(len(both), func(int) []int { return both })
	case "alternate":
		return each(n, func(tick int) []int { return []int{tick % n} })
	case All:
		every := make([]int, n)
		for i := range every {
			every[i] = i
		}
		return each(n, func(int) []int { return every })
	case "sotto":
		out := []scheme{{name, n, func(d *draw) []shipment { return runSotto(d, n, 0) }}}
		if c.Audition > n {
			out = append(out, scheme{"sotto-audition", n, func(d *draw) []shipment { return runSotto(d, n, c.Audition) }})
		}
		return out
	}
	var out []scheme
	for _, links := range slices.Compact([]int{donarLinks, n}) {
		if links < 2 {
			continue // it needs a fast group and a slow one
		}
		out = append(out, scheme{name, links, func(d *draw) []shipment {
			return runDonar(d, min(links, len(d.out.arrives)), name == "donar-double")
		}})
	}
	return out
}
