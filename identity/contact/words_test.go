package contact_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
)

// address makes the address of a key whose seed is n, 32 times.
func address(t testing.TB, n byte) identity.Address {
	t.Helper()
	key, err := identity.NewKey(bytes.NewReader(bytes.Repeat([]byte{n}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return key.Address()
}

// The list is the published one: its SHA-256 is the one known everywhere.
func TestTheListIsThePublishedOne(t *testing.T) {
	list, err := os.ReadFile("words.txt")
	if err != nil {
		t.Fatal(err)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(list)); sum != "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda" {
		t.Errorf("SHA-256 %s", sum)
	}
	words := strings.Fields(string(list))
	if len(words) != 2048 || !slices.IsSorted(words) {
		t.Errorf("%d words, sorted: %v", len(words), slices.IsSorted(words))
	}
	heads := map[string]string{}
	for _, w := range words {
		head := w[:min(4, len(w))]
		if other, taken := heads[head]; taken {
			t.Errorf("%s and %s begin alike", w, other)
		}
		heads[head] = w
	}
}

// Both see the same words, everybody else others. They are worked out here
// once more, by other means.
func TestWordsAreBoundToBothAddresses(t *testing.T) {
	list, err := os.ReadFile("words.txt")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(list))
	seen := map[string]bool{}
	for n := byte(1); n < 40; n++ {
		a, b := address(t, n), address(t, n+1)
		got := contact.Words(a, b)
		if got != contact.Words(b, a) {
			t.Fatal("each sees other words")
		}
		low, high := a[:], b[:]
		if bytes.Compare(low, high) > 0 {
			low, high = high, low
		}
		sum := sha256.Sum256([]byte("sotto words 1" + string(low) + string(high)))
		rest := new(big.Int).Rsh(new(big.Int).SetBytes(sum[:]), 256-132)
		for i := 11; i >= 0; i-- {
			index := new(big.Int)
			rest.DivMod(rest, big.NewInt(2048), index)
			if want := words[index.Int64()]; got[i] != want {
				t.Fatalf("word %d is %s, not %s", i, got[i], want)
			}
		}
		text := strings.Join(got[:], " ")
		if seen[text] {
			t.Fatal("two pairs share their words")
		}
		seen[text] = true
	}
	// A and −A share an X25519 key, and nothing else.
	a, b := address(t, 1), address(t, 2)
	minus := a
	minus[31] ^= 0x80
	if contact.Words(a, b) == contact.Words(minus, b) {
		t.Error("a mirrored address has the same words")
	}
}

// As docs/contacts.md has it.
func TestWordsOfThePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/contacts.md")
	if err != nil {
		t.Fatal(err)
	}
	a, b := address(t, 1), address(t, 2)
	got := contact.Words(a, b)
	for _, want := range []string{a.Onion(), b.Onion(), strings.Join(got[:], " ")} {
		if !strings.Contains(string(page), want) {
			t.Errorf("docs/contacts.md lacks %q", want)
		}
	}
}

func TestWordsThatWereHeard(t *testing.T) {
	want := contact.Words(address(t, 1), address(t, 2))
	all := strings.Join(want[:], " ")
	short := make([]string, len(want))
	for i, w := range want {
		short[i] = w[:min(4, len(w))]
	}
	for text, same := range map[string]bool{
		all: true, strings.ToUpper(all): true, "  " + strings.Join(short, "\n ") + " ": true,
		"": false, strings.Join(want[:11], " "): false, all + " zoo": false,
		strings.Replace(all, want[3], "zoo", 1): false, strings.Replace(all, want[0], want[0][:2], 1): false,
	} {
		if differ := contact.WordsApart(want, strings.Fields(text)); (len(differ) == 0) != same {
			t.Errorf("%q: %v", text, differ)
		}
	}
	heard := strings.Fields(all)
	heard[3], heard[10] = "zoo", want[10][:3]
	if differ := contact.WordsApart(want, heard); !slices.Equal(differ, []int{4, 11}) {
		t.Errorf("%v differ", differ)
	}
	for word, is := range map[string]bool{want[0]: true, strings.ToUpper(want[0][:4]): true, "zoo": true, "zoos": false, "ab": false, "": false} {
		if contact.IsWord(word) != is {
			t.Errorf("%q: %v", word, !is)
		}
	}
}

func TestRandomWords(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		w := contact.RandomWords(7)
		if len(w) != 7 {
			t.Fatalf("%d words", len(w))
		}
		text := strings.Join(w, " ")
		if seen[text] {
			t.Fatal("not random")
		}
		seen[text] = true
	}
	for n := range 25 {
		if len(contact.RandomWords(n)) != n {
			t.Errorf("%d words asked for", n)
		}
	}
}
