package call

import "testing"

// When too many calls wait for an answer the oldest stranger's makes room, and
// only where all are known the oldest of those.
func TestStrangersMakeRoomFirst(t *testing.T) {
	var l lobby
	var ended [2 * unanswered]func() bool
	enter := func(i int, known bool) {
		ctx, leave := l.enter(t.Context(), &Call{}, known)
		t.Cleanup(leave)
		ended[i] = func() bool { return ctx.Err() != nil }
	}
	want := func(i int, over bool) {
		t.Helper()
		if ended[i]() != over {
			t.Errorf("call %d is over: %v, not %v", i, !over, over)
		}
	}
	enter(0, true) // a contact, then strangers
	for i := range unanswered - 1 {
		enter(1+i, false)
	}
	want(1, false)
	enter(unanswered, false)
	want(0, false)
	want(1, true)
	for i := range unanswered - 1 { // contacts: one more than there is room for
		enter(unanswered+1+i, true)
	}
	want(0, false)
	want(unanswered, true)
	enter(2, true)
	want(0, true)
	want(unanswered+1, false)
}
