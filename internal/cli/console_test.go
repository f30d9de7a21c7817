package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/desk"
)

// shows is what a console writes for events, the changing line after each.
func shows(c *console, events ...api.Event) string {
	var out bytes.Buffer
	c.live = newLive(&out)
	for _, e := range events {
		c.take(e)
		c.draw()
	}
	return out.String()
}

func statusEvent(s api.Status) api.Event { s.PID = 1; return api.Event{Status: &s} }
func callEvent(c api.Call) api.Event     { return api.Event{Call: &c} }

// What a person reads of a phone that is up, from its start to a call's end.
func TestTheConsoleTells(t *testing.T) {
	up := api.Status{Phase: api.Up, Address: "x.onion", Rings: "1 contact may ring"}
	ring := api.Call{ID: "1", Name: "ann", Verified: true, Peer: "y.onion", Phase: api.Ringing}
	talk, over := ring, ring
	talk.Phase, talk.Reached, talk.Paths, talk.Recorded = api.Talking, true, []api.Path{{}}, true
	over.Phase, over.TalkedMS, over.End = api.Over, 65_000, &api.End{}
	text := shows(&console{}, statusEvent(api.Status{Phase: api.Starting, Tor: api.Tor{Percent: 50, Summary: "half"}}),
		statusEvent(api.Status{Phase: api.Publishing}), statusEvent(up), callEvent(ring), callEvent(talk),
		api.Event{Text: &api.Text{Call: "1", Text: "hello"}}, api.Event{Text: &api.Text{Call: "1", Text: "hi", Mine: true}}, callEvent(over), api.Event{Notice: "a device is gone"})
	for _, want := range []string{
		"tor [############------------]  50 %  half\n", "publishing your address …\n", "you are up at x.onion\n1 contact may ring\nwaiting for calls, q ends\n",
		"a call from ann (verified)\n", "the other side records this call\n", "talking: m mutes, p is push-to-talk, h holds, r records, q hangs up\n", "ann records",
		"ann (verified): hello\nyou: hi\n", "the call with ann (verified) is over after 1:05\nwaiting for calls, q ends\na device is gone\n",
	} {
		i := strings.Index(text, want)
		if i < 0 {
			t.Fatalf("%q does not follow in\n%s", want, text)
		}
		text = text[i:]
	}
}

// A phone that is up and has lost its way into Tor says so, and when it is back.
func TestTheConsoleTellsThatThePhoneIsOffline(t *testing.T) {
	up := api.Status{Phase: api.Up, Address: "x.onion", Rings: "your contact rings"}
	cut := up
	cut.Tor = api.Tor{Percent: 100, Offline: true, Warning: "no way into the Tor network"}
	text := shows(&console{}, statusEvent(up), statusEvent(cut), statusEvent(cut), statusEvent(up))
	if !strings.Contains(text, "tor: no way into the Tor network\n") || strings.Count(text, "tor: ") != 2 || !strings.Contains(text, "offline, nobody can call, q ends\n") || !strings.Contains(text, "tor: there is a way into the Tor network again\n") {
		t.Errorf("%q", text)
	}
	if got := standing(cut); got != "offline, cannot be called: no way into the Tor network" {
		t.Error(got)
	}
}

// How calls end, and what is not said twice.
func TestHowTheConsoleTellsEnds(t *testing.T) {
	ring := api.Call{ID: "1", Peer: "y.onion", Phase: api.Ringing}
	for end, want := range map[string]string{
		desk.WhyDeclined: desk.WhyDeclined + "\n", "you declined": "you declined\n",
		desk.WhyUnanswered: "not in your contacts\n", desk.WhyContact: "not in your contacts\n",
	} {
		over := ring
		over.Phase, over.End = api.Over, &api.End{Exit: 5, Error: end}
		if text := shows(&console{}, callEvent(ring), callEvent(over)); !strings.HasSuffix(text, want) {
			t.Errorf("%s: %q", end, text)
		}
	}
	out := api.Call{ID: "1", Peer: "y.onion", Name: "ann", Outgoing: true, Phase: api.Dialing}
	over := out
	over.Phase, over.End = api.Over, &api.End{Exit: 4, Error: "nobody is there"}
	if text := shows(&console{}, statusEvent(api.Status{Phase: api.Up}), callEvent(out), callEvent(over)); !strings.Contains(text, "calling ann\n") || !strings.Contains(text, "the call with ann has ended: nobody is there\n") {
		t.Error(text)
	}
}

// Who holds, records and writes has a name, where one is known.
func TestWhoDoesWhat(t *testing.T) {
	for who, name := range map[string]string{"ann": "ann", "the other side": ""} {
		talk := api.Call{ID: "1", Name: name, Phase: api.Talking, Reached: true, Paths: []api.Path{{}}, Held: true, Recorded: true}
		text := shows(&console{}, callEvent(talk), api.Event{Text: &api.Text{Call: "1", Text: "hello"}})
		for _, want := range []string{who + " has put you on hold  ", who + " records  ", who + ": hello\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q:\n%s", want, text)
			}
		}
	}
}

// q that is pressed twice to hang up does not end the phone.
func TestASecondQ(t *testing.T) {
	talk := api.Call{ID: "1", Name: "ann", Phase: api.Talking}
	over := talk
	over.Phase, over.End = api.Over, &api.End{}
	c := &console{}
	shows(c, callEvent(talk), callEvent(over))
	if err := c.press(t.Context(), 'q'); err != nil {
		t.Error(err)
	}
	c.ended = c.ended.Add(-settle)
	if err := c.press(t.Context(), 'q'); err != errHungUp {
		t.Errorf("it does not end: %v", err)
	}
}

// The one call that a command is about, which may go on in another.
func TestTheConsoleFollowsOneCall(t *testing.T) {
	mine := api.Call{ID: "1", Outgoing: true, OneTime: true, Phase: api.Dialing}
	other := api.Call{ID: "2", Phase: api.Talking, OneTime: true}
	gone, over := mine, other
	gone.Phase, gone.End = api.Over, &api.End{Instead: "2"}
	over.Phase, over.End = api.Over, &api.End{Exit: 6, Error: "lost"}
	c := &console{only: "1"}
	text := shows(c, statusEvent(api.Status{Phase: api.Calling, Calls: []api.Call{mine}}), callEvent(other), callEvent(gone), api.Event{Missed: &api.Missed{}})
	if c.last != nil || c.only != "2" || !strings.Contains(text, "reaching the other side … 0:00\ntalking (one-time identity): m mutes") || strings.Contains(text, "missed") {
		t.Errorf("%+v\n%s", c, text)
	}
	if shows(c, callEvent(over)); c.last == nil || c.last.End.Exit != 6 {
		t.Errorf("%+v", c.last)
	}
	r := report(*c.last, &api.Error{Text: "lost", Exit: 6})
	if r["one_time"] != true || r["exit"] != 6 || r["error"] != "lost" {
		t.Error(r)
	}
}

// Strangers are told of every ten seconds at most, contacts always.
func TestStrangersDoNotFloodTheScreen(t *testing.T) {
	var screen bytes.Buffer
	var q strangeness
	show := newLive(&screen)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	for i := range 100 { // one every 0.3 s, so three times ten seconds begin
		q.tell(show, api.Missed{At: now.Add(time.Duration(i) * 300 * time.Millisecond), Peer: "x.onion", Why: "why"})
	}
	q.tell(show, api.Missed{At: now, Peer: "y.onion", Name: "Ann", Why: "silence"})
	q.tell(show, api.Missed{At: now, Peer: "y.onion", Name: "Ann", Why: desk.WhyUnanswered})
	// Nobody is left out: the last ones are told of when their time has come.
	for _, late := range []time.Duration{quietFor - 1, quietFor, 2 * quietFor} {
		q.rest(show, q.told.Add(late))
	}
	text := screen.String()
	if n := strings.Count(text, "missed a call from x.onion"); n != 4 || q.more != 0 {
		t.Errorf("%d times:\n%s", n, text)
	}
	if !strings.Contains(text, "a stranger: why (and 33 more of strangers) (") || !strings.Contains(text, "missed a call from Ann: silence (") || !strings.Contains(text, "missed a call from Ann (") {
		t.Error(text)
	}
}

func TestCommonBeginnings(t *testing.T) {
	for _, c := range []struct {
		begun string
		names []string
		want  string
	}{
		{"x", nil, "x"},
		{"a", []string{"Ann"}, "Ann"},
		{"a", []string{"Ann", "Anna", "anker"}, "An"},
		{"ö", []string{"Örn", "Öre"}, "Ör"},
		{"", []string{"Ann", "Bob"}, ""},
		{"ann", []string{"Ann", "Anna"}, "Ann"},
	} {
		if got := common(c.begun, c.names); got != c.want {
			t.Errorf("%q of %q: %q, not %q", c.begun, c.names, got, c.want)
		}
	}
}
