package desk

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sottovoce/sotto/identity"
)

// Addresses of the tests, by rank.
var me, ann, bob, cleo = identity.Address{5}, identity.Address{3}, identity.Address{7}, identity.Address{8}

func contact(d *Desk, id ID, from identity.Address) []Act {
	return d.Asks(Call{ID: id, Peer: from, Known: true, Rings: true})
}

func stranger(d *Desk, id ID, from identity.Address) []Act {
	return d.Asks(Call{ID: id, Peer: from, Rings: true})
}

// auto is a contact who is answered without asking.
func auto(d *Desk, id ID, from identity.Address) []Act {
	return d.Asks(Call{ID: id, Peer: from, Known: true, Auto: true, Rings: true})
}

// must is what an act of the person's gives.
func must(acts []Act, err error) []Act {
	if err != nil {
		panic(err)
	}
	return acts
}

func says(acts []Act) (text string) {
	for _, a := range acts {
		text += fmt.Sprintf("%v %d", a.Do, a.Call)
		if a.Why != "" {
			text += " (" + a.Why + ")"
		}
		text += "; "
	}
	return text
}

// Each line is an event, and what is to be done about it.
func TestWhatBecomesOfCalls(t *testing.T) {
	type step struct {
		acts []Act
		want string
	}
	for name, run := range map[string]func(d *Desk) []step{
		"who rings is blocked": func(d *Desk) []step {
			return []step{
				{contact(d, 1, ann), "ring 1; "},
				{d.Judged(Call{ID: 1, Peer: ann, Known: true, Rings: true}), ""},
				{d.Judged(Call{ID: 1, Peer: ann}), "hush 1 (" + WhyUnwanted + "); "},
				{d.Judged(Call{ID: 1, Peer: ann}), ""},
				{d.Over(1), ""},
			}
		},
		"who rings is a stranger now": func(d *Desk) []step {
			return []step{
				{contact(d, 1, ann), "ring 1; "},
				{d.Judged(Call{ID: 1, Peer: ann, Why: "why"}), "hush 1 (" + WhyUnwanted + "); missed 1 (why); "},
				{d.Over(1), ""},
			}
		},
		"who is talked to is blocked, and goes on": func(d *Desk) []step {
			return []step{
				{auto(d, 1, ann), "answer 1; "},
				{d.Judged(Call{ID: 1, Peer: ann}), ""},
				{must(d.HangUp(1)), "hang up 1; "},
			}
		},
		"a contact rings, and is answered": func(d *Desk) []step {
			return []step{
				{contact(d, 1, ann), "ring 1; "},
				{must(d.Answer(1)), "answer 1; "},
				{must(d.HangUp(1)), "hang up 1; "},
				{d.Over(1), ""},
			}
		},
		"nobody answers": func(d *Desk) []step {
			return []step{{contact(d, 1, ann), "ring 1; "}, {d.Over(1), "missed 1 (it was not answered); "}}
		},
		"declined, a contact is told and a stranger is not": func(d *Desk) []step {
			return []step{
				{contact(d, 1, ann), "ring 1; "},
				{must(d.Decline(1)), "decline 1; "},
				{stranger(d, 2, bob), "ring 2; "},
				{must(d.HangUp(2)), "hush 2 (" + WhyDeclined + "); "},
				{d.Over(1), ""},
				{d.Over(2), ""},
			}
		},
		"a contact waits while another talks": func(d *Desk) []step {
			return []step{
				{contact(d, 1, ann), "ring 1; "},
				{must(d.Answer(1)), "answer 1; "},
				{contact(d, 2, bob), "ring 2; "},
				{contact(d, 3, cleo), "busy 3; missed 3 (you were busy with another); "},
				{must(d.Answer(2)), "hold 1; answer 2; "},
				{contact(d, 4, cleo), "busy 4; missed 4 (you were busy with another); "},
				{must(d.Hold(1, false)), "hold 2; resume 1; "},
				{must(d.Hold(1, false)), ""},
				{must(d.HangUp(1)), "hang up 1; "},
				{must(d.Hold(2, false)), "resume 2; "},
			}
		},
		"who is not taken is told busy": func(d *Desk) []step {
			return []step{
				{contact(d, 1, ann), "ring 1; "},
				{must(d.Answer(1)), "answer 1; "},
				{contact(d, 2, bob), "ring 2; "},
				{must(d.Decline(2)), "busy 2; "},
			}
		},
		"where nobody sits no call waits": func(d *Desk) []step {
			d.NoWait = true
			return []step{
				{auto(d, 1, ann), "answer 1; "},
				{auto(d, 2, bob), "busy 2; missed 2 (you were busy with another); "},
			}
		},
		"strangers give way, and are told nothing": func(d *Desk) []step {
			return []step{
				{stranger(d, 1, ann), "ring 1; "},
				{stranger(d, 2, bob), "missed 2 (you were busy with another); "},
				{contact(d, 3, cleo), "hush 1 (a contact called meanwhile); missed 1 (a contact called meanwhile); ring 3; "},
				{must(d.Answer(3)), "answer 3; "},
				{stranger(d, 4, bob), "missed 4 (you were busy with another); "},
				{d.Over(1), ""},
			}
		},
		"a stranger who was answered does not": func(d *Desk) []step {
			return []step{
				{stranger(d, 1, ann), "ring 1; "},
				{must(d.Answer(1)), "answer 1; "},
				{contact(d, 2, bob), "ring 2; "},
			}
		},
		"do not disturb": func(d *Desk) []step {
			d.NoCalls = true
			return []step{
				{contact(d, 1, ann), "missed 1 (this phone is silent); "},
				{auto(d, 2, bob), "missed 2 (this phone is silent); "},
			}
		},
		"answered without asking, if nobody else is on": func(d *Desk) []step {
			return []step{
				{auto(d, 1, ann), "answer 1; "},
				{auto(d, 2, bob), "ring 2; "},
			}
		},
		"a call is made, and the other is held": func(d *Desk) []step {
			first := []step{{contact(d, 1, ann), "ring 1; "}, {must(d.Answer(1)), "answer 1; "}}
			d.Call(2, bob)
			return append(first, step{d.Proven(2), ""}, step{d.Talks(2), "hold 1; "}, step{d.Over(2), ""})
		},
		"one who rings is called": func(d *Desk) []step {
			first := contact(d, 1, ann)
			acts, id, err := d.Call(2, ann)
			if id != 1 || err != nil {
				panic(err)
			}
			return []step{{first, "ring 1; "}, {acts, "answer 1; "}}
		},
		"answering gives up the call that is made": func(d *Desk) []step {
			d.Call(1, ann)
			return []step{
				{contact(d, 2, bob), "ring 2; "},
				{must(d.Answer(2)), "cancel 1; answer 2; "},
				{d.Proven(1), "hang up 1; "},
				{d.Over(1), ""},
			}
		},
	} {
		d := Desk{Me: me}
		for i, s := range run(&d) {
			if got := says(s.acts); got != s.want {
				t.Errorf("%s, step %d: %q, not %q", name, i, got, s.want)
			}
		}
	}
}

func TestWhatCannotBeDone(t *testing.T) {
	d := Desk{Me: me}
	call := func(id ID, to identity.Address) error { _, _, err := d.Call(id, to); return err }
	if err := call(1, ann); err != nil {
		t.Fatal(err)
	}
	if err := call(2, ann); !errors.Is(err, ErrOn) {
		t.Error(err)
	}
	if err := call(2, bob); !errors.Is(err, ErrDialing) {
		t.Error(err)
	}
	d.Proven(1)
	d.Talks(1)
	contact(&d, 3, bob)
	must(d.Answer(3))
	if err := call(4, cleo); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	for what, err := range map[string]error{
		"answer": second(d.Answer(1)), "decline": second(d.Decline(3)), "hang up": second(d.HangUp(9)), "hold": second(d.Hold(9, true)),
	} {
		if !errors.Is(err, ErrNoCall) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second(_ []Act, err error) error { return err }

// Both dial at once: the smaller address's call survives, however far it is.
func TestGlare(t *testing.T) {
	for _, c := range []struct {
		name   string
		peer   identity.Address
		proven bool
		asks   string // when theirs asks to ring
		after  func(d *Desk) []Act
		then   string
	}{
		{"theirs survives, ours is on its way", ann, false, "cancel 1; answer 2; ", func(d *Desk) []Act { return d.Proven(1) }, "hang up 1; "},
		{"theirs survives, ours rings", ann, true, "hang up 1; answer 2; ", func(d *Desk) []Act { return d.Over(1) }, ""},
		{"ours survives", bob, true, "", func(d *Desk) []Act { return d.Talks(1) }, ""},
		{"ours could be stopped in time", bob, false, "cancel 1; ", func(d *Desk) []Act { return d.Over(1) }, "answer 2; "},
		{"ours could not", bob, false, "cancel 1; ", func(d *Desk) []Act { return append(d.Proven(1), d.Talks(1)...) }, ""},
		{"ours comes to nothing", bob, true, "", func(d *Desk) []Act { return d.Over(1) }, "answer 2; "},
		{"I do not want to any more", bob, true, "", func(d *Desk) []Act { return must(d.HangUp(1)) }, "hang up 1; ring 2; "},
	} {
		d := Desk{Me: me, NoCalls: true} // whom one calls may call
		d.Call(1, c.peer)
		if c.proven {
			d.Proven(1)
		}
		d.NoCalls = c.then != "hang up 1; ring 2; "
		if got := says(contact(&d, 2, c.peer)); got != c.asks {
			t.Errorf("%s: %q, not %q", c.name, got, c.asks)
		}
		if got := says(c.after(&d)); got != c.then {
			t.Errorf("%s, then: %q, not %q", c.name, got, c.then)
		}
	}
}

// Who may not ring, and was heard only since they were being called, neither rings
// nor is answered once that is taken back, whatever stands for others.
func TestWhoMayNotRing(t *testing.T) {
	for why, want := range map[string]string{"": "", "strangers do not ring": "missed 2 (strangers do not ring); "} {
		in := Call{ID: 2, Peer: bob, Auto: true, Why: why}
		late := Desk{Me: me}
		late.Call(1, bob)
		must(late.HangUp(1))
		if got := says(late.Asks(in)); got != want {
			t.Errorf("hung up before they ask: %q, not %q", got, want)
		}
		parked := Desk{Me: me}
		parked.Call(1, bob)
		parked.Proven(1)
		if got := says(parked.Asks(in)); got != "" {
			t.Errorf("parked: %q", got)
		}
		if got := says(must(parked.HangUp(1))); got != "hang up 1; "+want {
			t.Errorf("hung up while they are parked: %q", got)
		}
		over := Desk{Me: me}
		over.Call(1, bob)
		over.Proven(1)
		over.Asks(in)
		over.Talks(1)
		must(over.HangUp(1))
		if got := says(over.Over(1)); got != want {
			t.Errorf("hung up after talking: %q, not %q", got, want)
		}
		both := Desk{Me: me}
		both.Call(1, bob)
		both.Proven(1)
		both.Asks(in)
		if got := says(both.Over(1)); got != "answer 2; " {
			t.Errorf("ours comes to nothing: %q", got)
		}
	}
}
