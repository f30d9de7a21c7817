package switchboard_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/history"
	"github.com/sottovoce/sotto/internal/phone/switchboard"
)

// keeping makes phones keep a history in profiles of their own, all but those
// of the names without; it gives their folders.
func keeping(t *testing.T, warn func(error), without ...string) (dirs map[string]string, change func(string, *switchboard.Config)) {
	t.Helper()
	dirs = map[string]string{}
	return dirs, func(name string, c *switchboard.Config) {
		dirs[name] = filepath.Join(t.TempDir(), name)
		v, err := vault.Create(dirs[name], c.Calls.Key, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(without, name) {
			c.History = history.New(v, warn)
		}
	}
}

// kept are a phone's calls that are kept, a line each.
func (p *person) kept() (lines []string) {
	p.t.Helper()
	synctest.Wait() // what is told may be kept a moment later
	h, err := p.History()
	p.must(err)
	for _, c := range h.Calls {
		way := "from"
		if c.Outgoing {
			way = "to"
		}
		lines = append(lines, fmt.Sprintf("%s %s %ds %s", way, c.Name, c.TalkedMS/1000, c.How))
	}
	return lines
}

func (p *person) keeps(want ...string) {
	p.t.Helper()
	if got := p.kept(); !slices.Equal(got, want) {
		p.t.Errorf("%s keeps %q, not %q", p.name, got, want)
	}
}

// What has become of calls is kept, once each, by who wants that; nothing is
// written for who does not.
func TestCallsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dirs, change := keeping(t, func(err error) { t.Error(err) }, "cleo")
		var book *contact.Book // ann's
		people := household(t, memory(), func(name string, c *switchboard.Config) {
			change(name, c)
			if name == "ann" {
				book = c.Gate.Book()
			}
		}, "ann", "bob", "cleo", "stranger")
		ann, bob, cleo, stranger := people["ann"], people["bob"], people["cleo"], people["stranger"]
		began := time.Now()
		bob.dials("ann")
		ann.call("bob", api.Ringing)
		ann.must(ann.Answer(""))
		bob.call("ann", api.Talking)
		ann.call("bob", api.Talking)
		<-time.After(65 * time.Second)
		ann.must(ann.HangUp(""))
		bob.call("ann", api.Over)
		ann.call("bob", api.Over)
		bob.keeps("to ann 65s answered")
		ann.keeps("from bob 65s answered")
		if h, err := ann.History(); err != nil || !h.Kept || h.Calls[0].Peer != bob.key.Address().Onion() || h.Calls[0].Began.Sub(began).Abs() > 2*time.Second {
			t.Errorf("%+v, %v", h, err)
		}

		call := func(act func(), of, to *person) { // that does not come to a talk
			t.Helper()
			ann.forget()
			bob.forget()
			cleo.forget()
			of.dials(to.name)
			to.call(of.name, api.Ringing)
			act()
			of.call(to.name, api.Over)
			to.call(of.name, api.Over)
		}
		call(func() { ann.must(ann.Decline("")) }, bob, ann)
		call(func() { bob.must(bob.HangUp("")) }, bob, ann)
		call(func() {}, cleo, ann)
		call(func() {}, bob, ann)
		call(func() { cleo.must(cleo.Decline("")) }, ann, cleo)
		cleo.PutAway()
		<-time.After(time.Second)
		bob.dials("cleo")
		bob.call("cleo", api.Over)
		bob.keeps("to ann 65s answered", "to ann 0s declined", "to ann 0s cancelled", "to ann 0s no answer", "to cleo 0s failed")
		ann.keeps("from bob 65s answered", "from bob 0s declined", "from bob 0s missed", "from cleo 0s missed", "from bob 0s missed", "to cleo 0s declined")

		// Strangers are kept like others, if they are told of, and never who is
		// blocked.
		stranger.dials(ann.key.Address().Onion())
		ann.await("missed", func(e api.Event) bool { return e.Missed != nil && e.Missed.Name == "" })
		if got := ann.kept(); len(got) != 7 || got[6] != "from  0s missed" {
			t.Errorf("%q", got)
		}
		stranger.must(stranger.HangUp(""))
		stranger.call("", api.Over)
		ann.must(book.Block(contact.Card{Address: bob.key.Address()}))
		bob.dials("ann")
		<-time.After(2 * time.Minute)
		if got := ann.kept(); len(got) != 7 {
			t.Errorf("%q", got)
		}

		if h, err := cleo.History(); err != nil || h.Kept || h.Calls == nil || len(h.Calls) > 0 {
			t.Errorf("%+v, %v", h, err)
		}
		for name, want := range map[string]bool{"ann": true, "cleo": false} {
			files, err := os.ReadDir(dirs[name])
			if got := strings.Contains(fmt.Sprint(files), "history"); err != nil || got != want || !want && len(files) != 2 {
				t.Errorf("%s: %v, %v", name, files, err)
			}
		}
	})
}

// Two that dial each other at once are one call, and kept as one.
func TestGlareIsKeptAsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, change := keeping(t, func(err error) { t.Error(err) })
		people := household(t, memory(), change, "ann", "bob")
		ann, bob := people["ann"], people["bob"]
		ann.dials("bob")
		bob.dials("ann")
		ann.call("bob", api.Talking)
		bob.call("ann", api.Talking)
		<-time.After(10 * time.Second)
		ann.must(ann.HangUp(""))
		<-time.After(5 * time.Second)
		for _, p := range people {
			if got := p.kept(); len(got) != 1 || !strings.HasSuffix(got[0], "s answered") {
				t.Errorf("%q", got)
			}
		}
	})
}

// A history that cannot be saved is told of once, and harms no call; and a call
// that the end of the phone ends is kept.
func TestAHistoryThatCannotBeKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		warned := 0
		dirs, change := keeping(t, func(error) { warned++ })
		people := household(t, memory(), func(name string, c *switchboard.Config) {
			change(name, c)
			if name == "ann" {
				if err := os.WriteFile(vault.HistoryPath(dirs[name]), []byte("what is this?"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}, "ann", "bob")
		ann, bob := people["ann"], people["bob"]
		for range 2 {
			bob.dials("ann")
			ann.call("bob", api.Ringing)
			ann.must(ann.Answer(""))
			bob.call("ann", api.Talking)
			bob.must(bob.HangUp(""))
			bob.call("ann", api.Over)
			ann.call("bob", api.Over)
			ann.forget()
			bob.forget()
		}
		<-time.After(time.Minute)
		bob.dials("ann")
		ann.call("bob", api.Ringing)
		bob.PutAway()
		ann.call("bob", api.Over)
		if _, err := ann.History(); err == nil || warned != 1 {
			t.Errorf("warned %d times, %v", warned, err)
		}
		if left, err := os.ReadFile(vault.HistoryPath(dirs["ann"])); string(left) != "what is this?" {
			t.Errorf("%q, %v", left, err)
		}
		<-time.After(time.Second)
		if got := bob.kept(); len(got) != 3 || got[2] != "to ann 0s cancelled" {
			t.Errorf("%q", got)
		}
	})
}

// Nothing is kept of what a one-time identity does.
func TestAOneTimeIdentityKeepsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, change := keeping(t, func(err error) { t.Error(err) })
		people := household(t, memory(), func(name string, c *switchboard.Config) {
			change(name, c)
			c.OneTime = name == "bob"
		}, "ann", "bob")
		people["bob"].dials("ann")
		people["ann"].call("bob", api.Ringing)
		people["ann"].must(people["ann"].Decline(""))
		people["bob"].call("ann", api.Over)
		people["bob"].keeps()
	})
}
