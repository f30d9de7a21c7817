package cli

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
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
			err := mine.edit("test", func() error {
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
