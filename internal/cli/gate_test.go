package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/identity/vault"
)

func newAddress(t *testing.T) identity.Address {
	t.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key.Address()
}

// household is an opened profile with contacts.
func household(t *testing.T, who map[string]identity.Address) *people {
	t.Helper()
	home := t.TempDir()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Create(home, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &people{home: home, vault: v, book: &contact.Book{}}
	for name, a := range who {
		if err := p.edit("test", func() error { return p.book.Add(contact.Contact{Name: name, Card: contact.Card{Address: a}}) }); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// What the gate decides does not wait for the screen, however many call: what
// cannot be told is counted.
func TestTheGateNeverWaits(t *testing.T) {
	ann, stranger := newAddress(t), newAddress(t)
	g := newGate(household(t, map[string]identity.Address{"Ann": ann}), contact.Policy{})
	for range 1000 { // and nobody follows
		if g.admit(stranger) {
			t.Fatal("a stranger rings")
		}
		if !g.admit(ann) {
			t.Fatal("a contact does not")
		}
	}
	if n := g.lost.Load(); n != int64(1000-cap(g.news)) {
		t.Errorf("%d were not told of", n)
	}
}

// Who is known keeps their place in the queue, and who is not listed as missed
// is not when the line is busy, either.
func TestTheGateKnowsContacts(t *testing.T) {
	ann, mallory, stranger := newAddress(t), newAddress(t), newAddress(t)
	p := household(t, map[string]identity.Address{"Ann": ann, "Mallory": mallory})
	if err := p.book.Block(contact.Card{Address: mallory}); err != nil {
		t.Fatal(err)
	}
	g := newGate(p, contact.Policy{})
	strict := newGate(p, contact.Policy{Ring: contact.Anyone, Missed: contact.Contacts})
	if !g.knows(ann) || g.knows(mallory) || g.knows(stranger) {
		t.Error("a contact who is not blocked is known, and nobody else")
	}
	if !g.lists(stranger) || strict.lists(stranger) || !strict.lists(ann) {
		t.Error("the policy says who is listed")
	}
}

// Strangers are told of every ten seconds at most, contacts always.
func TestStrangersDoNotFloodTheScreen(t *testing.T) {
	ann, stranger := newAddress(t), newAddress(t)
	g := newGate(household(t, map[string]identity.Address{"Ann": ann}), contact.Policy{})
	var screen bytes.Buffer
	show := newLive(&screen)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 100 { // one every 0.3 s, so four times ten seconds begin
		g.tell(show, missed{stranger, "why"}, now.Add(time.Duration(i)*300*time.Millisecond))
	}
	g.tell(show, missed{ann, "silence"}, now)
	// Nobody is left out: the last ones are told of when their time has come.
	told := strings.Count(screen.String(), "a stranger: ")
	g.tellRest(show, g.told.Add(9*time.Second))
	if n := strings.Count(screen.String(), "a stranger: "); n != told {
		t.Errorf("the last were told of too soon:\n%s", screen.String())
	}
	for range 2 {
		g.tellRest(show, g.told.Add(10*time.Second))
	}
	if n := strings.Count(screen.String(), "a stranger: "); n != told+1 || g.more != 0 {
		t.Errorf("told of the last %d times:\n%s", n-told, screen.String())
	}
	text := screen.String()
	if n := strings.Count(text, "missed a call from "+stranger.Onion()); n != 4 {
		t.Errorf("%d times:\n%s", n, text)
	}
	if !strings.Contains(text, "a stranger: why (and 33 more of strangers)") || !strings.Contains(text, "missed a call from Ann: silence (") {
		t.Error(text)
	}
}

// A contact that is added while the phone is up counts; one that cannot be read
// changes nothing.
func TestTheGateFollowsTheContacts(t *testing.T) {
	p := household(t, nil)
	g := newGate(p, contact.Policy{})
	read, write := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	lines := make(chan string, 10)
	var group sync.WaitGroup
	defer group.Wait()
	defer read.Close()
	defer cancel()
	group.Go(func() { g.follow(ctx, newLive(write)) })
	group.Go(func() {
		b := make([]byte, 4096)
		for {
			n, err := read.Read(b)
			if err != nil {
				return
			}
			lines <- string(b[:n])
		}
	})
	ann := newAddress(t)
	other := *p
	if err := other.edit("test", func() error {
		return other.book.Add(contact.Contact{Name: "Ann", Card: contact.Card{Address: ann}})
	}); err != nil {
		t.Fatal(err)
	}
	if text := <-lines; !strings.Contains(text, "contacts have changed: your contact rings") {
		t.Error(text)
	}
	if !g.admit(ann) || g.name(ann) != "Ann" {
		t.Error("she is not known")
	}
	if err := os.WriteFile(vault.ContactsPath(p.home), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text := <-lines; !strings.Contains(text, "contacts stay as they were: ") {
		t.Error(text)
	}
	if !g.admit(ann) {
		t.Error("she is forgotten")
	}
}

func TestTheGateSaysWhoRings(t *testing.T) {
	one := map[string]identity.Address{"Ann": newAddress(t)}
	two := map[string]identity.Address{"Ann": newAddress(t), "Bob": newAddress(t)}
	night, err := contact.ParseSpan("22:00-7:00")
	if err != nil {
		t.Fatal(err)
	}
	kept := household(t, two)
	kept.book.Policy = contact.Policy{Ring: contact.Anyone, Missed: contact.Contacts, Silent: []contact.Span{night}}
	for want, g := range map[string]*gate{
		"everybody rings, not at 22:00-07:00; strangers' calls are not listed": newGate(kept, contact.Policy{}),
		"your 2 contacts ring; strangers' calls are not listed":                newGate(kept, contact.Policy{Ring: contact.Contacts, Silent: []contact.Span{}}),
		"everybody rings":                                    newGate(household(t, one), contact.Policy{Ring: contact.Anyone}),
		"your contact rings":                                 newGate(household(t, one), contact.Policy{}),
		"your 2 contacts ring":                               newGate(household(t, two), contact.Policy{}),
		"your 2 contacts ring, not at 22:00-07:00":           newGate(household(t, two), contact.Policy{Silent: []contact.Span{night}}),
		"only contacts ring, and you have none: sotto conta": newGate(household(t, nil), contact.Policy{}),
	} {
		if got := g.describe(); !strings.HasPrefix(got, want) {
			t.Errorf("%q, not %q", got, want)
		}
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

// A one-time identity is called one wherever its call is shown.
func TestOneTimeCallsAreNamedAsSuch(t *testing.T) {
	for _, once := range []bool{true, false} {
		s := &session{once: once, name: "Ann"}
		r := s.report(nil)
		if r["one_time"] != once || r["name"] != "Ann" || strings.Contains(s.onceNote(), "one-time") != once {
			t.Errorf("once %v: %v, %q", once, r, s.onceNote())
		}
	}
}
