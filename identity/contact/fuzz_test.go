package contact_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
)

// Whatever is pasted for a card: what is taken comes back from its own text,
// and is fit for use.
func FuzzCard(f *testing.F) {
	plain, keyed := cards(f)
	for _, c := range []contact.Card{plain, keyed} {
		f.Add(c.Text())
		f.Add(strings.ToUpper(c.Text()))
		f.Add(c.Text()[:70])
	}
	f.Add(plain.Address.Onion())
	f.Add("sotto://" + plain.Address.Onion())
	f.Fuzz(func(t *testing.T, text string) {
		c, err := contact.ParseCard(text)
		if err != nil {
			return
		}
		if again, err := contact.ParseCard(c.Text()); err != nil || again != c {
			t.Fatalf("%q is taken, and as %q is not: %v", text, c.Text(), err)
		}
		if _, err := identity.FromBytes(c.Address[:]); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(text)), "sotto:") && !strings.Contains(text, "//") && !strings.EqualFold(strings.TrimSpace(text), c.Text()) {
			t.Fatalf("%q has two spellings, the other being %q", text, c.Text())
		}
	})
}

// Whatever the seal of a list holds: it is refused, or is written again as it
// was.
func FuzzContacts(f *testing.F) {
	plain, keyed := cards(f)
	b := book(f, contact.Contact{Name: "Ann", Card: plain, Verified: true}, person(f, 2, "Zoë"))
	f.Add(b.Bytes())
	if err := b.Block(contact.Card{Address: address(f, 3), Key: keyed.Key}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	b.Policy = contact.Policy{Ring: contact.Anyone, Silent: []contact.Span{{From: 60, To: 0}, {From: 1, To: 1439}}}
	f.Add(b.Bytes())
	f.Add([]byte("sotto contacts 2\npolicy\tcontacts\tcontacts\t-\n"))
	f.Add([]byte("sotto contacts 3\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := contact.Parse(text)
		if err != nil {
			if !errors.Is(err, contact.ErrBook) && !errors.Is(err, contact.ErrNewer) {
				t.Fatal(err)
			}
			return
		}
		if got := b.Bytes(); len(text) > 0 && !bytes.Equal(got, text) {
			t.Fatalf("read %q, written %q", text, got)
		}
		for _, c := range b.List() {
			if got, ok := b.At(c.Address); !ok || got != c {
				t.Fatalf("%+v is not found by address", c)
			}
			if got, ok := b.Named(c.Name); c.Name != "" && (!ok || got != c) {
				t.Fatalf("%+v is not found by name", c)
			}
		}
	})
}

// A name, once clean, stays so, and shows no control over a terminal.
func FuzzName(f *testing.F) {
	for _, text := range []string{"Ann", " Zoë\u0308 de  la Croix", "\u202eann", "Ⅷ Аnn", "a \ufe0f b", "\x1b[2J"} {
		f.Add(text)
	}
	ann := book(f, person(f, 1, "Ann"), person(f, 2, "Ольга"))
	f.Fuzz(func(t *testing.T, text string) {
		name, err := contact.CleanName(text)
		if err != nil {
			if !errors.Is(err, contact.ErrName) {
				t.Fatal(err)
			}
			return
		}
		if again, err := contact.CleanName(name); err != nil || again != name {
			t.Fatalf("%q is clean as %q, and that as %q, %v", text, name, again, err)
		}
		if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e }) {
			t.Fatalf("%q", name)
		}
		ann.Doubts(name)
		ann.Near(name)
	})
}
