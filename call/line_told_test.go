package call_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/identity"
)

// A call that the person here is not told of, and one that they let ring: the
// same writes at the same times on the same streams, at both ends, joins and a
// new beginning after all paths broke included.
func TestACallNobodyIsToldOfLooksUnanswered(t *testing.T) {
	logs := map[bool][2][]write{}
	for _, told := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			ctx, cancel := context.WithCancel(t.Context())
			rang := 0
			line := call.Line{
				Config: w.callee.config(),
				Handle: func(ctx context.Context, c *call.Call) {
					rang++
					if err := w.callee.live(ctx, c); !errors.Is(err, call.ErrNoAnswer) {
						t.Errorf("the callee's end: %v", err)
					}
				},
				Told: func(a identity.Address) bool {
					if a != w.caller.key.Address() {
						t.Error("asked for somebody else")
					}
					return told
				},
			}
			served := make(chan error, 1)
			go func() { served <- line.Serve(ctx, w.net.listen(w.callee)) }()
			w.caller.onRing = func(*call.Call) {
				pass(20*time.Second + offGrid)
				w.net.fail(true, w.caller)
				pass(2 * time.Second)
				w.net.mend()
			}
			if err := w.caller.dial(ctx, w.callee.key.Address()); !errors.Is(err, call.ErrNoAnswer) {
				t.Errorf("the caller's end: %v", err)
			}
			pass(2 * time.Second)
			cancel()
			if err := <-served; err != nil {
				t.Error(err)
			}
			if (rang == 1) != told {
				t.Errorf("told: %v, rang %d times", told, rang)
			}
			if n := len(w.caller.wires()); n < 8 {
				t.Errorf("only %d paths in all", n)
			}
			logs[told] = [2][]write{w.caller.log(), w.callee.log()}
		})
	}
	for side, name := range []string{"caller", "callee"} {
		if a, b := logs[true][side], logs[false][side]; !slices.Equal(a, b) || len(a) < 2000 {
			t.Errorf("the %s's %d writes are not those %d of a call that nobody answers", name, len(b), len(a))
		}
	}
}
