package gate_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/internal/phone/gate"
)

func newAddress(t *testing.T) identity.Address {
	t.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key.Address()
}

// household is a gate with contacts in a file, which save replaces.
func household(t *testing.T, book *contact.Book, over contact.Policy) (g *gate.Gate, save func(text []byte)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "contacts")
	save = func(text []byte) {
		t.Helper()
		if err := os.WriteFile(path+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	save(book.Bytes())
	return gate.New(path, book, func() (*contact.Book, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		return contact.Parse(text)
	}, over), save
}

func people(t *testing.T, who map[string]identity.Address) *contact.Book {
	t.Helper()
	book := &contact.Book{}
	for name, a := range who {
		if err := book.Add(contact.Contact{Name: name, Card: contact.Card{Address: a}}); err != nil {
			t.Fatal(err)
		}
	}
	return book
}

// Who rings, who is known, and who is listed as missed, and why.
func TestWhoRings(t *testing.T) {
	ann, mallory, stranger := newAddress(t), newAddress(t), newAddress(t)
	book := people(t, map[string]identity.Address{"Ann": ann, "Mallory": mallory})
	if err := book.Block(contact.Card{Address: mallory}); err != nil {
		t.Fatal(err)
	}
	always := contact.Span{From: 0, To: 1439}
	before := contact.Span{From: 1439, To: 0}
	for _, c := range []struct {
		over  contact.Policy
		from  identity.Address
		rings bool
		why   string
	}{
		{contact.Policy{}, ann, true, ""},
		{contact.Policy{}, mallory, false, ""},
		{contact.Policy{}, stranger, false, "strangers do not ring"},
		{contact.Policy{Ring: contact.Anyone}, stranger, true, ""},
		{contact.Policy{Missed: contact.Contacts}, stranger, false, ""},
		{contact.Policy{Silent: []contact.Span{always, before}}, ann, false, "this is a silent time"},
		{contact.Policy{Ring: contact.Anyone, Silent: []contact.Span{always, before}}, stranger, false, "this is a silent time"},
	} {
		g, _ := household(t, book, c.over)
		if rings, why := g.Judge(c.from); rings != c.rings || why != c.why {
			t.Errorf("%+v: rings %v, %q", c, rings, why)
		}
	}
	g, _ := household(t, book, contact.Policy{})
	strict, _ := household(t, book, contact.Policy{Ring: contact.Anyone, Missed: contact.Contacts})
	if !g.Knows(ann) || g.Knows(mallory) || g.Knows(stranger) || g.At(ann).Name != "Ann" || g.At(stranger).Name != "" {
		t.Error("a contact who is not blocked is known, and nobody else")
	}
	if !g.Lists(stranger) || strict.Lists(stranger) || !strict.Lists(ann) {
		t.Error("the policy says who is listed")
	}
}

// A contact that is added while the phone is up counts; one that cannot be read
// changes nothing.
func TestTheGateFollowsTheContacts(t *testing.T) {
	g, save := household(t, &contact.Book{}, contact.Policy{})
	ctx, cancel := context.WithCancel(t.Context())
	lines := make(chan string, 10)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() {
		g.Follow(ctx, func(text string) {
			if text != "" {
				lines <- text
			}
		})
	})
	ann := newAddress(t)
	save(people(t, map[string]identity.Address{"Ann": ann}).Bytes())
	if text := <-lines; text != "contacts have changed: 1 contact may ring" {
		t.Error(text)
	}
	<-g.Fresh()
	if rings, _ := g.Judge(ann); !rings || g.At(ann).Name != "Ann" {
		t.Error("she is not known")
	}
	save([]byte("damaged"))
	if text := <-lines; !strings.HasPrefix(text, "contacts stay as they were: ") {
		t.Error(text)
	}
	if rings, _ := g.Judge(ann); !rings {
		t.Error("she is forgotten")
	}
}

// Whoever has changed the contacts can have them read at once, without waiting
// for somebody who follows.
func TestTheGateReadsAtOnce(t *testing.T) {
	ann := newAddress(t)
	g, save := household(t, people(t, map[string]identity.Address{"Ann": ann}), contact.Policy{})
	save((&contact.Book{}).Bytes())
	if text, err := g.Reread(); err != nil || !strings.HasPrefix(text, "contacts have changed: only contacts may ring, and you have none") {
		t.Errorf("%q, %v", text, err)
	}
	if rings, _ := g.Judge(ann); rings {
		t.Error("she rings, and is no contact any more")
	}
	if text, err := g.Reread(); err != nil || text != "" {
		t.Errorf("nothing has changed: %q, %v", text, err)
	}
	save([]byte("damaged"))
	if _, err := g.Reread(); err == nil {
		t.Error("what is damaged was read")
	}
}

func TestTheGateSaysWhoRings(t *testing.T) {
	one := people(t, map[string]identity.Address{"Ann": newAddress(t)})
	two := people(t, map[string]identity.Address{"Ann": newAddress(t), "Bob": newAddress(t)})
	night, err := contact.ParseSpan("22:00-7:00")
	if err != nil {
		t.Fatal(err)
	}
	kept := people(t, map[string]identity.Address{"Ann": newAddress(t), "Bob": newAddress(t)})
	kept.Policy = contact.Policy{Ring: contact.Anyone, Missed: contact.Contacts, Silent: []contact.Span{night}}
	blocked := map[int]*contact.Book{1: people(t, map[string]identity.Address{"Ann": newAddress(t)}), 2: people(t, map[string]identity.Address{"Ann": newAddress(t), "Bob": newAddress(t)})}
	for _, book := range blocked {
		for _, c := range book.List() {
			if err := book.Block(c.Card); err != nil {
				t.Fatal(err)
			}
		}
		if err := book.Block(contact.Card{Address: newAddress(t)}); err != nil { // a stranger
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		want string
		book *contact.Book
		over contact.Policy
	}{
		{"everybody may ring, not at 22:00-07:00; strangers' calls are not listed", kept, contact.Policy{}},
		{"your 2 contacts may ring; strangers' calls are not listed", kept, contact.Policy{Ring: contact.Contacts, Silent: []contact.Span{}}},
		{"everybody may ring", one, contact.Policy{Ring: contact.Anyone}},
		{"1 contact may ring", one, contact.Policy{}},
		{"your 2 contacts may ring", two, contact.Policy{}},
		{"your 2 contacts may ring, not at 22:00-07:00", two, contact.Policy{Silent: []contact.Span{night}}},
		{"only contacts may ring, and you have none: sotto", &contact.Book{}, contact.Policy{}},
		{"only contacts may ring, and your only contact is blocked", blocked[1], contact.Policy{}},
		{"only contacts may ring, and all of yours are blocked", blocked[2], contact.Policy{}},
	} {
		if g, _ := household(t, c.book, c.over); !strings.HasPrefix(g.Describe(), c.want) {
			t.Errorf("%q, not %q", g.Describe(), c.want)
		}
	}
}

// What the gate says waits for nothing, however often it is asked.
func TestTheGateNeverWaits(t *testing.T) {
	g, _ := household(t, &contact.Book{}, contact.Policy{})
	stranger := newAddress(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 10_000 { // and nobody follows
			g.Judge(stranger)
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it waits")
	}
}
