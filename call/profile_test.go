package call_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/call/record"
)

// The profile of a call is the best that both sides will use, whoever of them
// wants less, and what the caller wants is not known from outside.
func TestTheLesserProfileWins(t *testing.T) {
	for _, c := range []struct{ caller, callee, want uint8 }{{0, 0, 0}, {1, 0, 1}, {0, 2, 2}, {2, 1, 2}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.caller.profile, w.callee.profile = c.caller, c.callee
			w.callee.onRing = func(c *call.Call) { c.Answer() }
			w.caller.onTalk = func(c *call.Call) { pass(offGrid); c.HangUp() }
			if a, b := w.run(context.Background()); a != nil || b != nil {
				t.Errorf("ended with %v and %v", a, b)
			}
			for who, p := range map[string]*party{"caller": w.caller, "callee": w.callee} {
				if p.made != record.Profiles[c.want] {
					t.Errorf("%d and %d: the %s uses %s, want %s", c.caller, c.callee, who, p.made.Name, record.Profiles[c.want].Name)
				}
			}
		})
	}
}
