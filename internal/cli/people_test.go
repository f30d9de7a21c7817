package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/internal/api"
)

// Many who change the contacts at once, each with an old view of them: nothing
// is lost.
func TestNoChangeIsLost(t *testing.T) {
	p := household(t, nil)
	var group sync.WaitGroup
	for i := range 10 {
		mine, a := *p, newAddress(t)
		mine.book = &contact.Book{}
		group.Go(func() {
			err := mine.edit(t.Context(), "test", func() error {
				return mine.book.Add(contact.Contact{Name: fmt.Sprint("Nr ", i), Card: contact.Card{Address: a}})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if b, err := p.read(); err != nil || b.Len() != 10 {
		t.Errorf("%d of 10 are there, %v", b.Len(), err)
	}
}

// rereader is a phone of which nothing but [api.Phone.Reread] is asked.
type rereader struct {
	api.Phone
	reread func() error
}

func (r rereader) Reread() error { return r.reread() }

// A command that changes contacts returns when a phone that is up goes by them, and
// says so where it does not.
func TestAPhoneThatIsUpGoesByAChange(t *testing.T) {
	p := household(t, nil)
	socket, err := api.Listen(p.home)
	if err != nil {
		t.Fatal(err)
	}
	var counted *contact.Book
	var damaged error
	phone := rereader{reread: func() (err error) {
		counted, err = p.read()
		return errors.Join(err, damaged)
	}}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- (&api.Server{Phone: phone, Exit: exitCode}).Serve(ctx, socket) }()
	add := func(name string) error {
		return p.edit(t.Context(), "test", func() error {
			return p.book.Add(contact.Contact{Name: name, Card: contact.Card{Address: newAddress(t)}})
		})
	}
	if err := add("Ann"); err != nil || counted == nil || counted.Len() != 1 {
		t.Errorf("%+v, %v", counted, err)
	}
	damaged = errors.New("no")
	if err := add("Bob"); err == nil || !strings.Contains(err.Error(), "does not go by it yet: no") {
		t.Error(err)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := add("Cleo"); err != nil { // and no phone is up
		t.Error(err)
	}
}

// Whom somebody means: a name, an address, a card; and what is said if nobody.
func TestWhomIsMeant(t *testing.T) {
	ann, stranger := newAddress(t), newAddress(t)
	p := household(t, map[string]identity.Address{"Ann": ann, "Christopherjones": newAddress(t)})
	card := contact.Card{Address: ann}
	for text, want := range map[string]string{"ann": "Ann", ann.Onion(): "Ann", card.Text(): "Ann", strings.ToUpper(card.Text()): "Ann", "christopherjones": "Christopherjones", stranger.Onion(): ""} {
		if c, err := p.peer(text); err != nil || c.Name != want || want == "" && c.Address != stranger {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
	for text, want := range map[string]string{
		"bob": "not an onion address either", "anm": "did you mean Ann?", "expyuzz4wqqyqhjn.onion": "v2 onion address", card.Text()[:70]: "not a card", ann.Onion()[:55]: "55 characters",
	} {
		if c, err := p.peer(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
	for text, want := range map[string]string{"Ann": "Ann", "Ann B": "'Ann B'", "O'Neill": `'O'\''Neill'`, "Zoë": "Zoë", "a;b": "'a;b'"} {
		if got := quoted(text); got != want {
			t.Errorf("%s: %s, not %s", text, got, want)
		}
	}
}
