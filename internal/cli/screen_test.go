package cli

import "testing"

// Who has the screen while others call: a contact drives out a stranger who
// only rings, and nobody else drives out anybody.
func TestAContactComesBeforeAStrangerWhoOnlyRings(t *testing.T) {
	for _, c := range []struct {
		first, second holder
		want          bool
	}{
		{holder{stranger: true}, holder{}, true},
		{holder{stranger: true, answered: true}, holder{}, false},
		{holder{stranger: true}, holder{stranger: true}, false},
		{holder{}, holder{}, false},
		{holder{}, holder{stranger: true}, false},
	} {
		var s screen
		first, second, yielded := c.first, c.second, 0
		first.answered = false
		first.yield = func() { yielded++ }
		first.keys, second.keys = make(chan byte, 1), make(chan byte, 1)
		if s.press('y') || !s.claim(&first) || c.first.answered && !s.settle(&first) {
			t.Fatal("the screen was free")
		}
		if got := s.claim(&second); got != c.want || (yielded == 1) != c.want {
			t.Errorf("%+v, then %+v: %v, %d have yielded", c.first, c.second, got, yielded)
		}
		has, hasNot := &first, &second
		if c.want {
			has, hasNot = hasNot, has
		}
		for range 2 { // there is room for one
			if !s.press('y') {
				t.Error("a key goes nowhere")
			}
		}
		if len(has.keys) != 1 || len(hasNot.keys) != 0 {
			t.Error("the keys go elsewhere")
		}
		if s.settle(hasNot) || s.release(hasNot) {
			t.Error("who does not have it answers")
		}
		if !s.settle(has) || !s.release(has) || s.press('y') {
			t.Error("who has it does not")
		}
	}
}
