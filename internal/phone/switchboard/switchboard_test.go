package switchboard_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/internal/phone/desk"
	"github.com/sottovoce/sotto/internal/phone/gate"
	"github.com/sottovoce/sotto/internal/phone/switchboard"
	"github.com/sottovoce/sotto/voice"
)

func memory() *network {
	return &network{doors: map[identity.Address]chan net.Conn{}, delay: 50 * time.Millisecond}
}

// A call as people know it: it rings, is answered, muted, held, written in and
// hung up; no microphone is open before and after.
func TestACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people := household(t, memory(), nil, "ann", "bob")
		ann, bob := people["ann"], people["bob"]
		mine := bob.dials("ann")
		if mine.Phase != api.Dialing || !mine.Outgoing || mine.Name != "ann" {
			t.Errorf("%+v", mine)
		}
		rings := ann.call("bob", api.Ringing)
		if rings.Outgoing || rings.Peer != bob.key.Address().Onion() {
			t.Errorf("%+v", rings)
		}
		bob.call("ann", api.Ringing)
		synctest.Wait()
		if _, loud := ann.rang(); loud != 1 {
			t.Error("it does not ring")
		}
		if n, _ := ann.microphones(); n != 0 {
			t.Error("a microphone is open while it rings")
		}
		ann.must(ann.Answer(""))
		ann.call("bob", api.Talking)
		bob.call("ann", api.Talking)
		good := bob.await("a rating", func(e api.Event) bool { return e.Call != nil && e.Call.Quality.Word != "" }).Call
		if good.Quality.R < 50 || good.DelayMS == 0 || len(good.Paths) == 0 || good.YouDB != -20 || good.ThemDB != -30 || !good.Reached {
			t.Errorf("%+v", good)
		}
		ann.must(ann.Mute("", true))
		if c := ann.Status().Calls[0]; !c.Muted || c.YouDB != -120 {
			t.Errorf("%+v", c)
		}
		ann.must(ann.Hold(rings.ID, true))
		bob.await("held", func(e api.Event) bool { return e.Call != nil && e.Call.Held })
		ann.must(ann.Hold("", false))
		ann.must(ann.Say("", "  is this\x1b[31m on? "))
		if text := bob.await("a text", func(e api.Event) bool { return e.Text != nil }).Text; text.Text != "is this[31m on?" || text.Mine || text.Call != mine.ID {
			t.Errorf("%+v", text)
		}
		bob.must(bob.HangUp(""))
		over := ann.call("bob", api.Over)
		if over.End == nil || over.End.Exit != 0 || over.End.Error != "" || over.TalkedMS == 0 {
			t.Errorf("%+v", over)
		}
		bob.call("ann", api.Over)
		for _, p := range people {
			if n, open := p.microphones(); n != 1 || open != 0 {
				t.Errorf("%s's microphone was opened %d times, and is open %d times", p.name, n, open)
			}
			if s := p.Status(); len(s.Calls) != 0 || len(s.Missed) != 0 {
				t.Errorf("%+v", s)
			}
		}
	})
}

// Whoever gives up reads that they did.
func TestWhoHungUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people := household(t, memory(), nil, "ann", "bob")
		people["bob"].dials("ann")
		people["bob"].call("ann", api.Ringing)
		people["bob"].must(people["bob"].HangUp(""))
		if e := people["bob"].call("ann", api.Over).End; e == nil || e.Error != desk.WhyGivenUp {
			t.Errorf("%+v", e)
		}
		if e := people["ann"].call("bob", api.Over).End; e == nil || e.Error != desk.WhyUnanswered {
			t.Errorf("%+v", e)
		}
	})
}

// Contacts that change count from when the phone was told: whoever is blocked as
// they ring does not ring any more, and is not told or listed; whoever is not to be
// answered without asking any more is not.
func TestChangedContactsCountAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept *contact.Book // ann's
		change := func(who identity.Address, f func(*contact.Contact)) {
			book, err := contact.Parse(kept.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if err := book.Change(who, f); err != nil {
				t.Fatal(err)
			}
			kept = book
		}
		people := household(t, memory(), func(name string, c *switchboard.Config) {
			if name == "ann" {
				kept = c.Gate.Book()
				c.Gate = gate.New(filepath.Join(t.TempDir(), "none"), kept, func() (*contact.Book, error) { return kept, nil }, contact.Policy{})
			}
		}, "ann", "bob")
		ann, bob := people["ann"], people["bob"]
		bob.dials("ann")
		ann.call("bob", api.Ringing)
		bob.call("ann", api.Ringing)
		change(bob.key.Address(), func(c *contact.Contact) { c.Blocked = true })
		ann.must(ann.Reread())
		if e := ann.call("bob", api.Over).End; e == nil || e.Error != desk.WhyUnwanted {
			t.Errorf("%+v", e)
		}
		synctest.Wait()
		if _, loud := ann.rang(); loud != 0 {
			t.Error("it rings on")
		}
		if c := bob.Status().Calls[0]; c.Phase != api.Ringing {
			t.Errorf("he was told: %+v", c)
		}
		if e := bob.call("ann", api.Over).End; e == nil || e.Error != call.ErrNoAnswer.Error() {
			t.Errorf("%+v", e)
		}
		if s := ann.Status(); len(s.Missed) != 0 || len(s.Calls) != 0 {
			t.Errorf("%+v", s)
		}
		bob.forget()
		ann.forget()
		for _, auto := range []bool{true, false} {
			change(bob.key.Address(), func(c *contact.Contact) { c.Blocked, c.Auto = false, auto })
			ann.must(ann.Reread())
		}
		bob.dials("ann")
		ann.call("bob", api.Ringing)
		bob.call("ann", api.Ringing)
		synctest.Wait()
		if n, _ := ann.microphones(); n != 0 {
			t.Error("it was answered without asking")
		}
	})
}

// A second contact rings meanwhile: answered, the first is on hold; the
// microphone stays the one that is open.
func TestCallWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people := household(t, memory(), nil, "ann", "bob", "cleo", "dora")
		ann, bob, cleo, dora := people["ann"], people["bob"], people["cleo"], people["dora"]
		bob.dials("ann")
		ann.call("bob", api.Ringing)
		ann.must(ann.Answer(""))
		bob.call("ann", api.Talking)
		cleo.dials("ann")
		ann.call("cleo", api.Ringing)
		synctest.Wait()
		if times, loud := ann.rang(); times != 1 || loud != 0 {
			t.Errorf("it rang %d times, and rings: %d", times, loud)
		}
		dora.dials("ann")
		if e := dora.call("ann", api.Over).End; e == nil || !e.Again || !strings.Contains(e.Error, "another call") {
			t.Errorf("%+v", e)
		}
		ann.await("missed", func(e api.Event) bool {
			return e.Missed != nil && e.Missed.Name == "dora" && e.Missed.Why == desk.WhyBusy
		})
		ann.must(ann.Answer(""))
		cleo.call("ann", api.Talking)
		bob.await("held", func(e api.Event) bool { return e.Call != nil && e.Call.Held })
		if err := ann.HangUp(""); err == nil || !strings.Contains(err.Error(), "say which") {
			t.Error(err)
		}
		ann.must(ann.Hold("", false)) // the only one that is on hold
		bob.await("not held any more", func(e api.Event) bool { return e.Call != nil && e.Call.Phase == api.Talking && !e.Call.Held })
		cleo.await("held", func(e api.Event) bool { return e.Call != nil && e.Call.Held })
		bob.must(bob.HangUp(""))
		ann.await("a reminder", func(e api.Event) bool { return e.Notice == "cleo is still on hold" })
		ann.must(ann.HangUp(""))
		cleo.call("ann", api.Over)
		ann.call("cleo", api.Over)
		if n, open := ann.microphones(); n != 1 || open != 0 {
			t.Errorf("the microphone was opened %d times, and is open %d times", n, open)
		}
	})
}

// Both dial at once: one call, which both see as theirs.
func TestGlare(t *testing.T) {
	for _, later := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond, 60 * time.Millisecond, 200 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			people := household(t, memory(), nil, "ann", "bob")
			ann, bob := people["ann"], people["bob"]
			calls := map[*person]string{ann: ann.dials("bob").ID}
			<-time.After(later)
			calls[bob] = bob.dials("ann").ID
			for p, other := range map[*person]string{ann: "bob", bob: "ann"} {
				talks := p.call(other, api.Talking)
				if talks.ID != calls[p] { // the other's: ours went on in it
					over := p.await("over", func(e api.Event) bool { return e.Call != nil && e.Call.ID == calls[p] && e.Call.Phase == api.Over })
					if over.Call.End.Instead != talks.ID {
						t.Errorf("after %v: %+v goes on as %s", later, over.Call, talks.ID)
					}
				}
			}
			<-time.After(10 * time.Second)
			for _, p := range people {
				if calls := p.Status().Calls; len(calls) != 1 || calls[0].Phase != api.Talking {
					t.Errorf("after %v: %+v", later, calls)
				}
				if len(p.Status().Missed) > 0 {
					t.Errorf("after %v: %+v", later, p.Status().Missed)
				}
			}
		})
	}
}

// Strangers: told of as the policy says, hushed when declined or when a contact
// calls, and nobody is told anything.
func TestStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people := household(t, memory(), nil, "ann", "stranger")
		ann, stranger := people["ann"], people["stranger"]
		stranger.dials(ann.key.Address().Onion())
		stranger.call("", api.Ringing)
		if m := ann.await("missed", func(e api.Event) bool { return e.Missed != nil }).Missed; m.Name != "" || m.Why != "strangers do not ring" || m.Peer != stranger.key.Address().Onion() {
			t.Errorf("%+v", m)
		}
		if err := ann.Answer(""); !errors.Is(err, desk.ErrNoCall) {
			t.Error(err)
		}
		// Called back while their call still rings: both have said yes, at the
		// latest when that has come to nothing.
		<-time.After(5 * time.Second)
		ann.dials(stranger.key.Address().Onion())
		stranger.call("", api.Talking)
		ann.call("", api.Talking)
		ann.must(ann.HangUp(""))
		ann.call("", api.Over)
	})
}

// A call that cannot be taken off hold, since that cannot be said to the other
// side, can be taken off later.
func TestHeldWhileNothingCanBeSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memory()
		people := household(t, n, nil, "ann", "bob")
		ann, bob := people["ann"], people["bob"]
		bob.dials("ann")
		ann.call("bob", api.Ringing)
		ann.must(ann.Answer(""))
		bob.call("ann", api.Talking)
		bob.must(bob.Hold("", true))
		ann.await("held", func(e api.Event) bool { return e.Call != nil && e.Call.Held })
		thaw, _ := n.freeze()
		var full error
		for size := 1000; size > 0; size /= 2 {
			for full = nil; full == nil; {
				full = bob.Say("1", strings.Repeat("x", size))
			}
		}
		if !errors.Is(full, control.ErrFull) {
			t.Fatal(full)
		}
		bob.must(bob.Hold("", false))
		bob.await("why not", func(e api.Event) bool { return e.Notice == "ann: "+control.ErrFull.Error() })
		if c := bob.Status().Calls[0]; !c.Holding {
			t.Errorf("%+v", c)
		}
		bob.forget()
		close(thaw)
		for bob.Say("1", "is this on?") != nil {
			<-time.After(time.Second)
		}
		ann.forget()
		bob.must(bob.Hold("", false))
		if c := bob.Status().Calls[0]; c.Holding {
			t.Errorf("on hold for ever: %+v", c)
		}
		ann.await("held no more", func(e api.Event) bool { return e.Call != nil && e.Call.Phase == api.Talking && !e.Call.Held })
	})
}

// Two calls that are recorded take turns in one file: whoever is on hold meanwhile
// adds nothing to it.
func TestTwoCallsAreRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "both.wav")
		var audio phone.Audio
		for _, err := range []error{audio.In.Set("silence"), audio.Out.Set(filepath.Join(t.TempDir(), "out.wav")), audio.Record.Set(path)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		sounds, err := phone.NewSounds(audio)
		if err != nil {
			t.Fatal(err)
		}
		people := household(t, memory(), func(name string, c *switchboard.Config) {
			if name != "ann" {
				return
			}
			c.RecordAll, c.Record = true, func(c *call.Call) (string, func(), error) {
				r, err := sounds.Record(c)
				if err != nil {
					return "", nil, err
				}
				return path, r.Stop, nil
			}
		}, "ann", "bob", "cleo")
		ann := people["ann"]
		const each = 5 * time.Second
		for _, name := range []string{"bob", "cleo"} {
			people[name].dials("ann")
			ann.call(name, api.Ringing)
			ann.must(ann.Answer(""))
			ann.await("recording "+name, func(e api.Event) bool { return e.Call != nil && e.Call.Name == name && e.Call.Recording })
			<-time.After(each)
		}
		for _, name := range []string{"bob", "cleo"} {
			people[name].must(people[name].HangUp(""))
			ann.call(name, api.Over)
		}
		if err := sounds.Close(); err != nil {
			t.Fatal(err)
		}
		is, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		// 48 kHz, two bytes a sample; before the hang-up nobody has been quite gone.
		if long := time.Duration(is.Size()) * time.Second / (2 * voice.SampleRate); long < 2*each-each/10 || long > 2*each+each/5 {
			t.Errorf("two calls of %v one after the other are %v long", each, long)
		}
	})
}

// A stranger who was declined rings on for them. Called meanwhile that is answered,
// and nobody is told that it is over.
func TestDeclinedAndCalledBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people := household(t, memory(), anybodyRings, "ann", "stranger")
		ann, stranger := people["ann"], people["stranger"]
		stranger.dials(ann.key.Address().Onion())
		ann.call("", api.Ringing)
		ann.must(ann.Decline(""))
		ann.call("", api.Over)
		if c := ann.dials(stranger.key.Address().Onion()); c.Outgoing || c.Phase == api.Over {
			t.Errorf("%+v", c)
		}
		if c := ann.Status().Calls; len(c) != 1 || c[0].Phase == api.Over {
			t.Errorf("%+v", c)
		}
		ann.call("", api.Talking)
	})
}

func anybodyRings(_ string, c *switchboard.Config) {
	book := c.Gate.Book()
	c.Gate = gate.New("", book, func() (*contact.Book, error) { return book, nil }, contact.Policy{Ring: contact.Anyone})
}

// Do not disturb, unanswered and declined calls, and those that cannot be made.
func TestWhatComesOfCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people := household(t, memory(), nil, "ann", "bob", "cleo")
		ann, bob := people["ann"], people["bob"]
		ann.Silent(true)
		if !ann.Status().Silent {
			t.Error("not silent")
		}
		bob.dials("ann")
		bob.call("ann", api.Ringing)
		if e := bob.call("ann", api.Over).End; !strings.Contains(e.Error, "nobody answered") {
			t.Errorf("%+v", e)
		}
		if m := ann.Status().Missed; len(m) != 1 || m[0].Why != desk.WhySilent {
			t.Errorf("%+v", m)
		}
		ann.Silent(false)
		ann.forget()
		bob.forget()
		bob.dials("ann")
		ann.call("bob", api.Ringing)
		bob.must(bob.HangUp(""))
		ann.await("missed", func(e api.Event) bool { return e.Missed != nil && e.Missed.Why == desk.WhyUnanswered })
		synctest.Wait()
		if _, loud := ann.rang(); loud != 0 {
			t.Error("it rings on")
		}
		bob.call("ann", api.Over)
		ann.call("bob", api.Over)
		ann.forget()
		bob.forget()
		bob.dials("ann")
		ann.call("bob", api.Ringing)
		ann.must(ann.Decline(""))
		if e := bob.call("ann", api.Over).End; !strings.Contains(e.Error, "declined") || e.Again {
			t.Errorf("%+v", e)
		}
		if e := ann.call("bob", api.Over).End; e.Error != "you declined" {
			t.Errorf("%+v", e)
		}
		people["cleo"].PutAway()
		<-time.After(time.Second)
		bob.dials("cleo")
		if e := bob.call("cleo", api.Over).End; !e.Again || e.Exit != 1 {
			t.Errorf("%+v", e)
		}
		for _, err := range []error{bob.Answer(""), bob.HangUp("7"), bob.Say("", "x"), bob.Mute("", true), bob.Hold("", true)} {
			if !errors.Is(err, desk.ErrNoCall) {
				t.Error(err)
			}
		}
		if _, err := bob.Call(t.Context(), "nobody"); !errors.Is(err, errName) {
			t.Error(err)
		}
	})
}

// Who is marked so, and everybody where nobody sits, is answered without asking.
func TestAnsweredWithoutAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people := household(t, memory(), func(name string, c *switchboard.Config) {
			c.AnswerAll = name == "machine"
			if bob, ok := c.Gate.Book().Named("bob"); ok && name == "ann" {
				_ = c.Gate.Book().Change(bob.Address, func(c *contact.Contact) { c.Auto = true })
			}
		}, "ann", "bob", "cleo", "machine")
		bob, cleo := people["bob"], people["cleo"]
		bob.dials("ann")
		bob.call("ann", api.Talking)
		bob.must(bob.HangUp(""))
		bob.call("ann", api.Over)
		cleo.dials("ann")
		cleo.call("ann", api.Ringing)
		if calls := people["ann"].Status().Calls; len(calls) != 1 || calls[0].Phase != api.Ringing {
			t.Errorf("%+v", calls)
		}
		cleo.must(cleo.HangUp(""))
		cleo.call("ann", api.Over)
		cleo.dials("machine")
		cleo.call("machine", api.Talking)
		bob.dials("machine")
		if e := bob.call("machine", api.Over).End; !e.Again {
			t.Errorf("%+v", e)
		}
	})
}

// Who listens and does not keep up is let go, and holds up nothing.
func TestASlowListenerIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann := household(t, memory(), nil, "ann")["ann"]
		events, stop := ann.Listen()
		defer stop()
		for range 2000 {
			ann.Notice("flood")
		}
		n := 0
		for range events {
			n++
		}
		if n < 100 || n > 1000 {
			t.Errorf("%d events were kept", n)
		}
		if first := ann.Status(); first.Phase != api.Up {
			t.Errorf("%+v", first)
		}
	})
}
