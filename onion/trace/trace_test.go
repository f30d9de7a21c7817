package trace_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/onion/trace"
)

const ms = time.Millisecond

func read(t *testing.T, rows string) trace.Trace {
	t.Helper()
	tr, err := trace.Read("test", strings.NewReader("sent_ms,arrived_ms\n"+rows))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestDelay(t *testing.T) {
	// The minimum, 10 ms, comes off. The row of 60 ms is missing.
	tr := read(t, "0,10\n20,50\n40,50\n80,200\n100,200\n")
	if got := tr.Length(); got != 120*ms {
		t.Errorf("Length %v", got)
	}
	for _, c := range []struct{ at, want time.Duration }{
		{-time.Second, 0},
		{0, 0},
		{19 * ms, 0}, // the row before's
		{20 * ms, 20 * ms},
		{30 * ms, 10 * ms}, // nothing overtakes the row of 40 ms
		{40 * ms, 0},
		{41 * ms, 0},
		{60 * ms, 130 * ms}, // missing: arrives with that of 80 ms
		{61 * ms, 129 * ms}, // a stall keeps its length
		{80 * ms, 110 * ms},
		{100 * ms, 90 * ms},
		{119 * ms, 71 * ms}, // the last row's arrival
		{120 * ms, 70 * ms}, // anew, behind the end of the first round
		{160 * ms, 30 * ms},
		{180 * ms, 130 * ms}, // as in the first round
		{240 * ms, 70 * ms},
	} {
		if got := tr.Delay(c.at); got != c.want {
			t.Errorf("Delay(%v) = %v, want %v", c.at, got, c.want)
		}
	}
	if got := (trace.Trace{}).Delay(time.Hour); got != 0 {
		t.Errorf("the zero trace delays by %v", got)
	}
}

// inOrder holds a trace to its promises over a few rounds: delays are not
// negative, what is sent later does not arrive earlier, and some frame of the
// first round arrives without delay.
func inOrder(t *testing.T, tr trace.Trace) {
	t.Helper()
	least, before := time.Duration(math.MaxInt64), time.Duration(0)
	for at := time.Duration(0); at < min(4*tr.Length(), time.Hour); at += 7 * ms {
		delay := tr.Delay(at)
		if delay < 0 || at+delay < before {
			t.Fatalf("at %v a delay of %v: arrives %v, after what arrived at %v", at, delay, at+delay, before)
		}
		before = at + delay
	}
	for at := time.Duration(0); at < tr.Length(); at += trace.Step {
		least = min(least, tr.Delay(at))
	}
	if least != 0 {
		t.Errorf("the least delay is %v", least)
	}
}

func TestOrderIsKept(t *testing.T) {
	// The end holds the next two rounds up.
	inOrder(t, read(t, "0,0\n20,20\n40,140\n"))
	inOrder(t, read(t, "0,500\n20,500\n40,500\n"))
	traces, err := trace.Open("model:3")
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range traces[:20] {
		inOrder(t, tr)
	}
}

func TestRecordingsAndPartners(t *testing.T) {
	traces := []trace.Trace{{Name: "lond-1-in"}, {Name: "lond-1-out"}, {Name: "lond-2-out"}, {Name: "odd"}, {Name: "by-train"}}
	for i, want := range []int{1, 0, -1, -1, -1} {
		got, ok := trace.Partner(traces, i)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("the partner of %s: %d, want %d", traces[i].Name, got, want)
		}
	}
	for i, want := range []string{"lond-1", "lond-1", "lond-2", "odd", "by-train"} {
		if got := traces[i].Recording(); got != want {
			t.Errorf("%s is of %s, want %s", traces[i].Name, got, want)
		}
	}
}
