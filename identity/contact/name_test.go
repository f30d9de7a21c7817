package contact_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/identity/contact"
)

func TestCleanName(t *testing.T) {
	for text, want := range map[string]string{
		"Ann": "Ann", "  Ann \t de\u00a0la  Croix\n": "Ann de la Croix", "Zoë": "Zoë", "Zoe\u0308": "Zoe\u0308",
		"李小龍": "李小龍", "Ольга": "Ольга", "عمر": "عمر", "❤\ufe0f Ann": "❤ Ann", "a \ufe0f b": "a b", "007": "007", "christopherjones": "christopherjones",
		strings.Repeat("ä", 64): strings.Repeat("ä", 64),
	} {
		if got, err := contact.CleanName(text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for what, text := range map[string]string{
		"nothing": "", "spaces": " \t ", "a line break inside a word": "An\x00n", "an escape sequence": "Ann\x1b[2J", "right to left": "\u202enna",
		"an isolate": "\u2066Ann", "a joiner": "A\u200dnn", "no width": "An\u200bn", "a soft hyphen": "An\u00adn", "a byte order mark": "\ufeffAnn",
		"a filler": "Ann\u3164", "a tag": "Ann\U000e0041", "private use": "Ann\ue000", "not UTF-8": "An\xffn", "an accent alone": "\u0301nn", "an accent on a space": "Ann \u0301n",
		"a tower": "A" + strings.Repeat("\u0301", 4) + "nn", "too long": strings.Repeat("ä", 65), "far too long": strings.Repeat("\ufe0f", 600),
		"a flag": "--once", "an address": address(t, 1).Onion(), "one without .onion": address(t, 1).Onion()[:56], "nearly one": address(t, 1).Onion()[:55],
		"a v2 address": "expyuzz4wqqyqhjn.onion", "a card": contact.Card{Address: address(t, 1)}.Text(), "a URL": "http://ann",
	} {
		if got, err := contact.CleanName(text); !errors.Is(err, contact.ErrName) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
}

// What could be taken for a contact, or is written to look like something
// else, raises a doubt; ordinary names of all the world raise none.
func TestDoubts(t *testing.T) {
	var people []contact.Contact
	for i, name := range []string{"Ann", "Paypal", "Zoë", "Bill", "Marie Curie", "Οδυσσέας", "Сергей", "Ольга", "Ⅷ"} {
		people = append(people, person(t, byte(i+1), name))
	}
	b := book(t, people...)
	for name, like := range map[string]string{
		"Аnn": "Ann", "Аnп": "", "Ann.": "Ann", "A nn": "Ann", "Ａｎｎ": "Ann", "𝐀𝐧𝐧": "Ann", "𝓐𝓷𝓷": "Ann", "Ⓐⓝⓝ": "Ann", "Änn": "Ann", "A\u0301nn": "Ann",
		"Раураl": "Paypal", "PаypaI": "Paypal", "Paypa1": "Paypal", "Zoe": "Zoë", "Zoe\u0308": "Zoë", "ΖΟΕ": "Zoë", "BiII": "Bill", "8ill": "",
		"Rnarie Curie": "Marie Curie", "Маriе Сuriе": "Marie Curie", "Marie-Curie": "Marie Curie", "Cepгeй": "Сергей", "Oльга": "Ольга",
	} {
		doubts := strings.Join(b.Doubts(name), "; ")
		if like != "" && !strings.Contains(doubts, `looks like "`+like+`"`) || like == "" && strings.Contains(doubts, "looks like") {
			t.Errorf("%q, which looks like %q: %s", name, like, doubts)
		}
	}
	for name, mixes := range map[string]string{
		"Аnn": "Cyrillic and Latin", "Раураl": "Cyrillic and Latin", "Οδ1Ann": "Greek", "Сергеj": "Cyrillic and Latin",
	} {
		if doubts := strings.Join(b.Doubts(name), "; "); mixes != "Greek" && !strings.Contains(doubts, "mixes "+mixes) {
			t.Errorf("%q: %s", name, doubts)
		}
	}
	for _, name := range []string{
		"Anna", "ann", "Bob", "Jürgen Müller", "Nguyễn Thị", "Đặng", "Łukasz", "Ελένη", "Наталья", "Հայկ", "דוד", "عمر", "राम", "สมชาย", "田中 さくら", "カタカナ語",
		"김철수", "Anna Иванова", "Tor 2", "O'Neill", "Jean-Luc", "🦊",
	} {
		if doubts := b.Doubts(name); len(doubts) > 0 {
			t.Errorf("%q: %s", name, doubts)
		}
	}
}

func TestNear(t *testing.T) {
	b := book(t, person(t, 1, "Ann"), person(t, 2, "Alexander"), person(t, 3, "Bob"))
	for text, want := range map[string]string{"Anm": "Ann", "an": "Ann", "alex": "Alexander", "Alexandre": "Alexander", "bоb": "Bob", "Zacharias": "", "x": "", "": ""} {
		if got := b.Near(text); got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}
