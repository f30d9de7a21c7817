package trace_test

import (
	"testing"

	"github.com/sottovoce/sotto/onion/trace"
)

func TestARecordingIsOneCircuit(t *testing.T) {
	names := []string{"a-in", "a-out", "b-in", "b-out", "c-out", "d-in", "d-out", "e-in"}
	var traces []trace.Trace
	for _, name := range names {
		traces = append(traces, trace.Trace{Name: name})
	}
	orders := map[string]bool{}
	for seed := range uint64(50) {
		deck, again := trace.NewDeck(traces, seed), trace.NewDeck(traces, seed)
		order := ""
		for range 3 { // c and e make one circuit, or take the other way of another
			seen := map[string]bool{}
			for range 3 {
				there, back := deck.Draw()
				there2, back2 := again.Draw()
				if there.Name != there2.Name || back.Name != back2.Name {
					t.Fatal("a seed gives two orders")
				}
				for _, tr := range []trace.Trace{there, back} {
					if seen[tr.Name] {
						t.Errorf("seed %d: %s twice", seed, tr.Name)
					}
					seen[tr.Name] = true
				}
				switch there.Recording() {
				case "a", "b", "d":
					if back.Recording() != there.Recording() {
						t.Errorf("%s goes with %s", there.Name, back.Name)
					}
				}
				order += there.Name + " "
			}
			break
		}
		orders[order] = true
	}
	if len(orders) < 40 {
		t.Errorf("50 seeds give %d orders", len(orders))
	}
}

// All are drawn before any is drawn again, and the deck does not end.
func TestTheDeckGoesRound(t *testing.T) {
	traces := trace.TorModel().Recordings(1, 4)
	deck := trace.NewDeck(traces, 1)
	for round := range 3 {
		seen := map[string]bool{}
		for range 4 {
			there, _ := deck.Draw()
			seen[there.Recording()] = true
		}
		if len(seen) != 4 {
			t.Errorf("round %d: %d of 4 recordings", round, len(seen))
		}
	}
	for _, few := range [][]trace.Trace{nil, traces[:1]} {
		there, back := trace.NewDeck(few, 1).Delays()
		if there(0) < 0 || back(0) < 0 {
			t.Error("a delay under 0")
		}
	}
}
