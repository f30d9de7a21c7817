package switchboard_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// What was measured is not shown for long once nothing comes, and is again when it does.
func TestFiguresEndWithWhatComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memory()
		people := household(t, n, nil, "ann", "bob")
		ann, bob := people["ann"], people["bob"]
		ann.dials("bob")
		bob.call("ann", api.Ringing)
		bob.must(bob.Answer(""))
		ann.call("bob", api.Talking)
		known := func(e api.Event) bool {
			return e.Call != nil && e.Call.DelayMS > 0 && e.Call.RoundTripMS > 0 && e.Call.ThemDB == -30
		}
		ann.await("figures", known)
		thaw, _ := n.freeze()
		c := ann.await("silence", func(e api.Event) bool { return e.Call != nil && e.Call.SilenceMS >= 1500 }).Call
		if c.Reached || c.DelayMS == 0 || c.SilenceMS >= 2000 {
			t.Errorf("%+v", c)
		}
		c = ann.await("stale", func(e api.Event) bool { return e.Call != nil && e.Call.SilenceMS >= 2000 }).Call
		if c.DelayMS != 0 || c.ThereMS != 0 || c.RoundTripMS != 0 || c.ThemDB != -120 {
			t.Errorf("%+v", c)
		}
		close(thaw)
		ann.await("figures again", known)
	})
}

// Whoever calls anew has lost the call that is on and brings nothing: it makes room.
func TestCalledAnewByWhoWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memory()
		people := household(t, n, nil, "ann", "bob")
		ann, bob := people["ann"], people["bob"]
		lost := ann.dials("bob")
		bob.call("ann", api.Ringing)
		bob.must(bob.Answer(""))
		ann.call("bob", api.Talking)
		_, renew := n.freeze()
		bob.must(bob.HangUp("")) // of which ann hears nothing
		bob.call("ann", api.Over)
		bob.forget()
		renew()
		<-time.After(5 * time.Second)
		if c := ann.Status().Calls; len(c) != 1 || c[0].ID != lost.ID || c[0].Reached {
			t.Fatalf("%+v", c)
		}
		ann.forget()
		bob.dials("ann")
		ann.await("the new one", func(e api.Event) bool { return e.Call != nil && e.Call.Phase == api.Ringing && !e.Call.Outgoing })
		ann.must(ann.Answer(""))
		bob.call("ann", api.Talking)
		ann.call("bob", api.Over)
		if c := ann.Status().Calls; len(c) != 1 || c[0].ID == lost.ID || c[0].Phase != api.Talking {
			t.Errorf("%+v", c)
		}
	})
}
