package paths_test

import (
	"slices"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call/paths"
)

// circuits plays the network for a keeper: paths that are asked for open after
// a second.
type circuits struct {
	keeper  *paths.Keeper
	open    []paths.Standing
	pending []time.Duration // when dials end
	next    paths.ID
	fails   bool
	opened  []time.Duration
	closed  []paths.ID
}

func (c *circuits) run(from, to time.Duration, ringing bool) {
	for now := from; now < to; now += 200 * time.Millisecond {
		for len(c.pending) > 0 && c.pending[0] <= now {
			c.pending = c.pending[1:]
			if !c.fails {
				c.open = append(c.open, paths.Standing{Path: c.next})
				c.next++
			}
			c.keeper.Opened(!c.fails)
		}
		step := c.keeper.Tick(now, c.open, ringing)
		if step.Open {
			c.opened = append(c.opened, now)
			c.pending = append(c.pending, now+time.Second)
		}
		if step.Close {
			c.closed = append(c.closed, step.Path)
			c.open = slices.DeleteFunc(c.open, func(s paths.Standing) bool { return s.Path == step.Path })
		}
	}
}

func begin(want, audition int, first time.Duration) *circuits {
	return &circuits{keeper: paths.NewKeeper(want, audition, first), open: []paths.Standing{{Path: 0}}, next: 1}
}

func TestPathsJoinASecondApart(t *testing.T) {
	c := begin(4, 0, time.Second)
	c.run(0, time.Minute, true)
	if len(c.open) != 4 || len(c.opened) != 3 || len(c.closed) != 0 {
		t.Fatalf("%d open, asked at %v, closed %v", len(c.open), c.opened, c.closed)
	}
	for i, at := range c.opened[1:] {
		if at-c.opened[i] < time.Second {
			t.Errorf("asked at %v", c.opened)
		}
	}
	slow := begin(4, 8, 16*time.Second)
	slow.run(0, time.Minute, true)
	if len(slow.open) != 2 {
		t.Errorf("%d paths after a slow first dial", len(slow.open))
	}
}

func TestAnAuditionKeepsTheBest(t *testing.T) {
	c := begin(4, 8, time.Second)
	c.run(0, 12*time.Second, true)
	if len(c.open) != 7 {
		t.Fatalf("%d open while it rings", len(c.open))
	}
	for i := range c.open {
		c.open[i].Lateness = time.Duration((i*3)%7) * 10 * time.Millisecond // 0 30 60 20 50 10 40
	}
	c.run(12*time.Second, 20*time.Second, false)
	left := []paths.ID{}
	for _, s := range c.open {
		left = append(left, s.Path)
	}
	if !slices.Equal(left, []paths.ID{0, 1, 3, 5}) {
		t.Errorf("kept %v", left)
	}
}

func TestTheWorstIsReplacedNewOneFirst(t *testing.T) {
	c := begin(4, 0, time.Second)
	c.run(0, 20*time.Second, true)
	c.open[2].Lateness = time.Second
	c.run(20*time.Second, 23*time.Second, false)
	if len(c.opened) != 3 {
		t.Fatal("replaced at once: a stall of three seconds is not a bad circuit")
	}
	c.run(23*time.Second, 30*time.Second, false)
	if len(c.opened) != 4 || !slices.Equal(c.closed, []paths.ID{2}) || len(c.open) != 4 {
		t.Fatalf("asked at %v, closed %v, %d open", c.opened, c.closed, len(c.open))
	}
	// A peer that calls every path bad cannot make us build without end.
	for now := 30 * time.Second; now < time.Hour; now += time.Second {
		for i := range c.open {
			c.open[i].Lateness = time.Duration(i+1) * time.Second
		}
		c.run(now, now+time.Second, false)
	}
	if n := len(c.opened); n > 63 {
		t.Errorf("%d circuits in an hour", n)
	}
	for i, at := range c.opened[:len(c.opened)-7] {
		if c.opened[i+7]-at < 30*time.Second {
			t.Fatalf("eight circuits within 30 s, from %v", at)
		}
	}
}

func TestRedialsWithGrowingPauses(t *testing.T) {
	c := begin(4, 0, time.Second)
	c.run(0, 10*time.Second, false)
	asked := len(c.opened)
	c.open, c.fails = nil, true
	c.run(10*time.Second, 40*time.Second, false)
	var waits []time.Duration
	last := 10 * time.Second
	for _, at := range c.opened[asked:] {
		waits = append(waits, (at - last).Round(time.Second))
		last = at
	}
	if !slices.Equal(waits, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 8 * time.Second}) {
		t.Errorf("dialled after %v", waits)
	}
	c.fails = false
	c.run(40*time.Second, 55*time.Second, false)
	if len(c.open) < 2 {
		t.Errorf("%d open after it came back", len(c.open))
	}
}
