package contact

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"slices"
	"strings"

	"github.com/sottovoce/sotto/identity"
)

// wordList is the English list of BIP 39, one word a line in alphabetical
// order: 2,048 words that differ in their first four letters. Licence (MIT) and
// source: docs/contacts.md.
//
//go:embed words.txt
var wordList string

var words = strings.Fields(wordList)

// WordCount is how many words two people compare: 132 bits.
const WordCount = 12

// Words are what two people compare to be sure that each has the other's
// address, and not one that somebody in between has put there. Both see the
// same: the first 132 bits of
//
//	SHA-256( "sotto words 1" ‖ smaller address (32 bytes) ‖ greater address (32) )
//
// as twelve numbers of eleven bits, most significant first.
func Words(a, b identity.Address) [WordCount]string {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	sum := sha256.Sum256(slices.Concat([]byte("sotto words 1"), a[:], b[:]))
	return [WordCount]string(spell(sum[:], WordCount))
}

// RandomWords are n words at random, 11 bits each: a passphrase.
func RandomWords(n int) []string {
	seed := make([]byte, (n*11+7)/8)
	rand.Read(seed)
	defer clear(seed)
	return spell(seed, n)
}

// spell writes the first n·11 bits as words.
func spell(bits []byte, n int) (out []string) {
	held, have := uint32(0), 0
	for _, b := range bits {
		held, have = held<<8|uint32(b), have+8
		if have >= 11 && len(out) < n {
			have -= 11
			out = append(out, words[held>>have&2047])
		}
	}
	return out
}

// WordsApart are the numbers, from 1, of the words that were heard otherwise
// than they are expected; all of them if there are more or fewer.
func WordsApart(want [WordCount]string, heard []string) (differ []int) {
	for i, w := range want {
		if len(heard) != len(want) || !means(heard[i], w) {
			differ = append(differ, i+1)
		}
	}
	return differ
}

// means says whether what was heard is that word: letters may be capital, and
// four are enough.
func means(heard, word string) bool {
	heard = strings.ToLower(heard)
	return heard == word || len(heard) >= 4 && strings.HasPrefix(word, heard)
}

// IsWord says whether what was heard is in the list.
func IsWord(heard string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return means(heard, w) })
}
