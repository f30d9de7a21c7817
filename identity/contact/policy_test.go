package contact_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
)

func TestJudge(t *testing.T) {
	b := book(t, person(t, 1, "Ann"), person(t, 2, "Bob"))
	for _, n := range []byte{2, 3} {
		if err := b.Block(contact.Card{Address: address(t, n)}); err != nil {
			t.Fatal(err)
		}
	}
	night, err := contact.ParseSpan("22:00-07:00")
	if err != nil {
		t.Fatal(err)
	}
	zone := time.FixedZone("far away", -7*3600)
	day, late := time.Date(2026, 1, 2, 12, 0, 0, 0, zone), time.Date(2026, 1, 2, 23, 30, 0, 0, zone)
	who := map[string]identity.Address{
		"a contact": address(t, 1), "a stranger": address(t, 9), "somebody blocked": address(t, 2), "a blocked stranger": address(t, 3),
		"a contact's mirror": mirrored(address(t, 1)), "the mirror of somebody blocked": mirrored(address(t, 2)),
	}
	strict := contact.Policy{Missed: contact.Contacts}
	open := contact.Policy{Ring: contact.Anyone}
	quiet := contact.Policy{Ring: contact.Anyone, Silent: []contact.Span{{From: 600, To: 601}, night}}
	for _, c := range []struct {
		policy contact.Policy
		who    string
		at     time.Time
		want   contact.Verdict
	}{
		{contact.Policy{}, "a contact", day, contact.Ring},
		{contact.Policy{}, "a stranger", day, contact.Missed},
		{contact.Policy{}, "a contact's mirror", day, contact.Missed},
		{contact.Policy{Ring: contact.Contacts}, "a stranger", day, contact.Missed},
		{strict, "a stranger", day, contact.Nothing},
		{strict, "a contact", late, contact.Ring},
		{open, "a stranger", late, contact.Ring},
		{quiet, "a stranger", day, contact.Ring},
		{quiet, "a contact", late, contact.Missed},
		{quiet, "a stranger", late, contact.Missed},
		{contact.Policy{Missed: contact.Contacts, Silent: []contact.Span{night}}, "a contact", late, contact.Missed},
		{contact.Policy{Missed: contact.Contacts, Silent: []contact.Span{night}}, "a stranger", late, contact.Nothing},
		{open, "somebody blocked", day, contact.Nothing},
		{open, "a blocked stranger", day, contact.Nothing},
		{open, "the mirror of somebody blocked", day, contact.Nothing},
	} {
		if got := c.policy.Judge(b, who[c.who], c.at); got != c.want {
			t.Errorf("%+v, %s at %v: %v, not %v", c.policy, c.who, c.at.Format("15:04"), got, c.want)
		}
	}
}

// A policy is a line of the list; the default is none, and a list without it is
// as it was before there were any.
func TestAPolicyIsKeptInTheList(t *testing.T) {
	night, noon := contact.Span{From: 1320, To: 420}, contact.Span{From: 720, To: 780}
	for want, p := range map[string]contact.Policy{
		"sotto contacts 1\n":                                                    {Ring: contact.Contacts, Missed: contact.Anyone, Silent: []contact.Span{}},
		"sotto contacts 2\npolicy\tanyone\tanyone\t-\n":                         {Ring: contact.Anyone},
		"sotto contacts 2\npolicy\tcontacts\tcontacts\t-\n":                     {Missed: contact.Contacts},
		"sotto contacts 2\npolicy\tcontacts\tanyone\t22:00-07:00,12:00-13:00\n": {Silent: []contact.Span{night, noon}},
	} {
		b := book(t, person(t, 1, "Ann"))
		b.Policy = p
		text := string(b.Bytes())
		if !strings.HasPrefix(text, want+"sotto:") {
			t.Errorf("%+v: %q", p, text)
		}
		again, err := contact.Parse([]byte(text))
		if err != nil || again.Len() != 1 || again.Policy.Plain().Ring != p.Plain().Ring || again.Policy.Plain().Missed != p.Plain().Missed || !slices.Equal(again.Policy.Silent, p.Silent) {
			t.Errorf("%q: %+v, %v", text, again, err)
		}
		for n := range len(want) { // every damage to its beginning
			for bit := range 8 {
				broken := []byte(text)
				broken[n] ^= 1 << bit
				if b, err := contact.Parse(broken); err == nil && string(b.Bytes()) != string(broken) {
					t.Errorf("%q is read as %q", broken, b.Bytes())
				}
			}
			if n := n; n > 0 {
				if b, err := contact.Parse([]byte(text[:n])); err == nil && string(b.Bytes()) != text[:n] {
					t.Errorf("%q is read as %q", text[:n], b.Bytes())
				}
			}
		}
	}
	for _, wrong := range []string{
		"policy\tcontacts\tanyone\t-", "policy\tanyone\tanyone", "policy\tanyone\tanyone\t-\t", "policy\tnobody\tanyone\t-", "policy\t\tcontacts\t-",
		"policy\tanyone\tanyone\t", "policy\tanyone\tanyone\tno", "policy\tanyone\tanyone\t7:00-8:00", "policy\tanyone\tanyone\t07:00-07:00", "policies\tanyone\tanyone\t-",
		"policy\tanyone\tanyone\t" + strings.Repeat("07:00-08:00,", 24) + "07:00-08:00",
	} {
		if _, err := contact.Parse([]byte("sotto contacts 2\n" + wrong + "\n")); !errors.Is(err, contact.ErrBook) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if _, err := contact.Parse([]byte("sotto contacts 4\npolicy\n")); !errors.Is(err, contact.ErrNewer) {
		t.Error(err)
	}
}

// Who is answered without asking is marked so in a list of its own version, with
// the policy, default or not.
func TestAutoIsKeptInTheList(t *testing.T) {
	ann := person(t, 1, "Ann")
	ann.Auto, ann.Verified = true, true
	b := book(t, ann)
	text := string(b.Bytes())
	if !strings.HasPrefix(text, "sotto contacts 3\npolicy\tcontacts\tanyone\t-\nsotto:") || !strings.Contains(text, "\tverified,auto\tAnn\n") {
		t.Errorf("%q", text)
	}
	again, err := contact.Parse([]byte(text))
	if err != nil || string(again.Bytes()) != text {
		t.Errorf("%q: %v", text, err)
	}
	if c, ok := again.Named("ann"); !ok || !c.Auto || !c.Verified || c.Blocked {
		t.Errorf("%+v", c)
	}
	for _, wrong := range []string{
		strings.Replace(text, "contacts 3\npolicy\tcontacts\tanyone\t-\n", "contacts 1\n", 1),
		strings.Replace(text, "contacts 3", "contacts 2", 1),
		strings.Replace(text, "contacts 3\npolicy\tcontacts\tanyone\t-\n", "contacts 3\n", 1),
		strings.Replace(text, ",auto", "", 1),
		strings.Replace(text, "verified,auto", "auto,verified", 1),
	} {
		if _, err := contact.Parse([]byte(wrong)); !errors.Is(err, contact.ErrBook) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestOnePolicyOverAnother(t *testing.T) {
	night := []contact.Span{{From: 1320, To: 420}}
	kept := contact.Policy{Ring: contact.Anyone, Missed: contact.Contacts, Silent: night}
	same := kept.With(contact.Policy{})
	other := kept.With(contact.Policy{Ring: contact.Contacts, Missed: contact.Anyone, Silent: []contact.Span{}})
	if same.Ring != contact.Anyone || same.Missed != contact.Contacts || same.Times(", ") != "22:00-07:00" {
		t.Errorf("%+v", same)
	}
	if other.Ring != contact.Contacts || other.Missed != contact.Anyone || other.Times(", ") != "" {
		t.Errorf("%+v", other)
	}
	if none, err := contact.ParseSpans([]string{"no"}); none == nil || len(none) != 0 || err != nil {
		t.Errorf("%v, %v", none, err)
	}
	if _, err := contact.ParseSpans([]string{"22:00-07:00", "no"}); !errors.Is(err, contact.ErrPolicy) {
		t.Error(err)
	}
}

func TestSpans(t *testing.T) {
	for _, c := range []struct {
		text string
		in   []string
		out  []string
	}{
		{"22:00-07:30", []string{"22:00", "23:59", "00:00", "07:29"}, []string{"07:30", "12:00", "21:59"}},
		{"09:00-17:00", []string{"09:00", "12:00", "16:59"}, []string{"08:59", "17:00", "00:00"}},
		{"00:00-23:59", []string{"00:00", "23:58"}, []string{"23:59"}},
		{"7:05 - 7:06", []string{"07:05"}, []string{"07:04", "07:06"}},
	} {
		s, err := contact.ParseSpan(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		for want, times := range map[bool][]string{true: c.in, false: c.out} {
			for _, at := range times {
				clock, err := time.Parse("15:04", at)
				if err != nil || s.Holds(clock) != want {
					t.Errorf("%s at %s: %v, %v", c.text, at, !want, err)
				}
			}
		}
		if again, err := contact.ParseSpan(s.String()); err != nil || again != s {
			t.Errorf("%s comes back as %v, %v", c.text, again, err)
		}
	}
	for _, text := range []string{"", "22:00", "22:00-", "25:00-07:00", "22-7", "10:00-10:00", "22:00-07:00-08:00", "now-then"} {
		if s, err := contact.ParseSpan(text); !errors.Is(err, contact.ErrPolicy) {
			t.Errorf("%q: %v, %v", text, s, err)
		}
	}
	var w contact.Who
	if err := w.Set("friends"); !errors.Is(err, contact.ErrPolicy) {
		t.Error(err)
	}
	for _, text := range []string{"contacts", "anyone"} {
		if err := w.Set(text); err != nil || w.String() != text {
			t.Errorf("%s: %v", text, err)
		}
	}
}
