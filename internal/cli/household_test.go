package cli

import (
	"testing"

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
		if err := p.edit(t.Context(), "test", func() error { return p.book.Add(contact.Contact{Name: name, Card: contact.Card{Address: a}}) }); err != nil {
			t.Fatal(err)
		}
	}
	return p
}
