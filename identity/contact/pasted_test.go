package contact_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
)

// A card as it comes by mail, chat, a narrow terminal, or a double click.
func TestACardIsFoundInAText(t *testing.T) {
	plain, keyed := cards(t)
	onion := plain.Address.Onion()
	for _, want := range []contact.Card{plain, keyed} {
		text := want.Text()
		for _, pasted := range []string{
			text, "\ufeff" + text, "\u200b" + text + "\u200b\n", "\n\n" + strings.ToUpper(text) + "\r\n",
			"Hi Ann,\n\nhere is my card: " + text + ".\nBye, Bob (by sotto://phone)", "> > " + text, "<" + text + ">", "“" + text + "”!",
			"card=" + text, text[len("sotto:"):], "my card:" + text + ", and again:\n" + text,
			text[:20] + "\n" + text[20:], text[:62] + "\r\n" + text[62:], text[:63] + "\n> " + text[63:66] + "\n> " + text[66:], text[:len(text)-3] + " " + text[len(text)-3:],
			"from " + onion + ": " + text, "see https://example.org/x\n" + text,
		} {
			if got, err := contact.FindCard(pasted); err != nil || got != want {
				t.Errorf("%q: %v, %v", pasted, got, err)
			}
		}
	}
	for _, pasted := range []string{onion, "sotto://" + onion, "I am at HTTP://" + onion + "/.", "> " + onion[:56]} {
		if got, err := contact.FindCard(pasted); err != nil || got != plain {
			t.Errorf("%q: %v, %v", pasted, got, err)
		}
	}
	if got, err := contact.FindCard(plain.Text() + "\n" + keyed.Text()); err != nil || got != keyed {
		t.Errorf("with and without a key: %v, %v", got, err)
	}
}

// None is chosen of several people's, and a damaged one is not stepped over.
func TestNoCardIsGuessed(t *testing.T) {
	plain, keyed := cards(t)
	other := contact.Card{Address: newKey(t, 2).Address()}
	otherKey := keyed
	otherKey.Key = [32]byte{9}
	text := keyed.Text()
	for pasted, want := range map[string]error{
		plain.Text() + "\n" + other.Text():                  contact.ErrCard,
		plain.Address.Onion() + " " + other.Address.Onion(): contact.ErrCard,
		keyed.Text() + " " + otherKey.Text():                contact.ErrCard,
		text[:len(text)-1] + " or " + other.Text():          contact.ErrCard,
		text[:len(text)-1] + "x " + plain.Address.Onion():   contact.ErrCard,
		text[:70] + " " + text[71:]:                         contact.ErrCard,
		"Hi Ann, here is my card.":                          contact.ErrCard,
		"":                                                  identity.ErrAddress,
		"sotto:":                                            contact.ErrCard,
		"ann":                                               identity.ErrAddress,
		"look at expyuzz4wqqyqhjn.onion":                    identity.ErrV2,
		"I am " + "a" + plain.Address.Onion()[1:] + ", ann": identity.ErrChecksum,
	} {
		if got, err := contact.FindCard(pasted); !errors.Is(err, want) {
			t.Errorf("%q: %v, %v", pasted, got, err)
		}
	}
}

func TestACardMayGoOnInTheNextLine(t *testing.T) {
	plain, keyed := cards(t)
	for text, want := range map[string]bool{
		plain.Text(): false, keyed.Text(): false, keyed.Text()[:80]: true, " " + strings.ToUpper(keyed.Text()[:62]) + " ": true, plain.Text()[:70]: true,
		keyed.Text() + "a": false, plain.Address.Onion(): false, "sotto://" + plain.Address.Onion(): false, "Here is my card:": false, "": false,
	} {
		if contact.Unfinished(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// Whatever text is searched: what is found stands in it, and is fit for use.
func FuzzFindCard(f *testing.F) {
	plain, keyed := cards(f)
	for _, c := range []contact.Card{plain, keyed} {
		f.Add("Hi,\r\n> " + c.Text()[:70] + "\r\n> " + c.Text()[70:])
		f.Add(fmt.Sprintf("<%s> (%s)", c.Text()[6:], c.Address.Onion()))
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := contact.FindCard(text)
		if err != nil {
			return
		}
		letters := func(s string) string {
			return strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'z' || r >= '2' && r <= '7' {
					return r
				}
				return -1
			}, strings.ToLower(s))
		}
		address, found := c.Address.Onion()[:56], letters(text)
		if !strings.Contains(found, address) {
			t.Fatalf("%q: %s", text, c.Text())
		}
		if again, err := contact.FindCard(c.Text()); err != nil || again != c {
			t.Fatalf("%q as %q: %v", text, c.Text(), err)
		}
		if _, err := identity.FromBytes(c.Address[:]); err != nil {
			t.Fatal(err)
		}
	})
}
