package call

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/call/handshake"
	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/call/record"
)

// waiter is a stream that notes only that it was closed.
type waiter struct {
	net.Conn
	name   string
	closed bool
}

func (w *waiter) Close() error { w.closed = true; return nil }

// Those who only connect drive out nobody who was answered, and the other way
// round, as long as they are not more than half.
func TestWhoHasToMakeRoomAtTheDoor(t *testing.T) {
	for name, test := range map[string]struct {
		answered, silent int    // come first, in that order
		then             int    // more that stay silent
		gone             string // of the first ones
	}{
		"64 may wait":                     {answered: 10, silent: 54},
		"the oldest silent one":           {answered: 10, silent: 54, then: 1, gone: "silent 0"},
		"a flood of silent ones":          {answered: 20, silent: 2, then: 1000, gone: "silent 0, silent 1"},
		"the answered ones, if more":      {answered: 40, silent: 24, then: 1, gone: "answered 0"},
		"until they are half":             {answered: 34, silent: 30, then: 2, gone: "answered 0, answered 1"},
		"and then the silent ones again":  {answered: 34, silent: 30, then: 3, gone: "answered 0, answered 1, silent 0"},
		"answered ones alone, newest too": {answered: 64, then: 2, gone: "answered 0, answered 1"},
	} {
		d := newDoor()
		var all []*waiter
		come := func(n int, kind string) {
			for i := range n {
				w := &waiter{name: fmt.Sprintf("%s %d", kind, i)}
				all = append(all, w)
				d.enter(w)
				if kind == "answered" {
					d.promote(w)
				}
			}
		}
		come(test.answered, "answered")
		come(test.silent, "silent")
		come(test.then, "more")
		var gone []string
		left := 0
		for _, w := range all {
			if w.closed && !strings.HasPrefix(w.name, "more") {
				gone = append(gone, w.name)
			}
			if d.leave(w) == w.closed {
				t.Errorf("%s: %s was closed (%v) and could leave", name, w.name, w.closed)
			}
			if !w.closed {
				left++
			}
		}
		if got := strings.Join(gone, ", "); got != test.gone || left != min(halfOpen, len(all)) {
			t.Errorf("%s: gone are %q, %d are left", name, got, left)
		}
		if len(d.fresh)+len(d.answered) > 0 {
			t.Errorf("%s: some never left", name)
		}
	}
}

// What docs/protocol.md says of timers and limits is what this code does.
func TestTheLimitsAreThoseOfTheProtocol(t *testing.T) {
	b, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for what, much := range map[string]string{
		"handshake, at each side, from the stream's beginning":   fmt.Sprint(HandshakeTime.Seconds(), " s"),
		"join, at each side, from the stream's beginning":        fmt.Sprint(HandshakeTime.Seconds(), " s"),
		"unfinished handshakes and joins at a callee":            fmt.Sprint(halfOpen),
		"first messages a callee works on":                       fmt.Sprintf("%d a second, %d at once", greetings, greetBurst),
		"tick":                                                   fmt.Sprint(paths.Tick.Milliseconds(), " ms"),
		"records under one key":                                  "3,000",
		"records on a path, not reported as got":                 fmt.Sprint(paths.Cap),
		"paths in a call, over its whole life":                   fmt.Sprintf("%d: numbers 0 to %d", paths.Most, paths.Most-1),
		"joins of a caller":                                      fmt.Sprintf("%.0f s apart, out of a bucket of %d that gets one more every %.0f s", paths.JoinSpacing.Seconds(), paths.Burst, paths.Refill.Seconds()),
		"the same at the callee":                                 fmt.Sprintf("a bucket alike, without the 1 s between; %d open at a time", paths.Burst+3),
		"redials, while no path is open or nothing came for 3 s": "after 1, 2, 4, 8, 8, … s, at most 3 under way",
		"tags ahead of the highest burned":                       fmt.Sprint(ahead),
		"pieces of the control stream not acknowledged":          fmt.Sprint(control.Window),
		"a control message":                                      "1,024 bytes",
		"*ring* from the caller":                                 fmt.Sprintf("%.0f s after m3", MuteTime.Seconds()),
		"answer":                                                 fmt.Sprintf("%.0f s after m3, at each side (both may; the two cross)", RingTime.Seconds()),
		"calls at a callee that nobody has answered":             fmt.Sprint(unanswered),
		"no record opened, on any path":                          fmt.Sprint(SilentTime.Seconds(), " s"),
		"after the hang-up":                                      fmt.Sprint(CloseTime.Milliseconds(), " ms"),
	} {
		row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(what) + ` \| (.*?) \|`).FindStringSubmatch(page)
		if row == nil || row[1] != much {
			t.Errorf("%s: the code says %q, the page %q", what, much, row)
		}
	}
	if record.PerKey != 3000 || control.MaxMessage != 1024 || deadTime.Seconds() != 3 || record.Size != handshake.Block {
		t.Error("a constant that the page has in words is another")
	}
}
