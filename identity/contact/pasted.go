package contact

import (
	"fmt"
	"strings"
	"unicode"
)

// FindCard reads the one card, or bare address, in a text as people get it: with
// words around, quoted, in brackets, broken over lines as a narrow terminal or a
// mail breaks it, or without the "sotto:" that a double click leaves out. Where
// there is a card, bare addresses beside it do not count; where there are cards
// of several people, or a damaged one, none is chosen. Errors are those of
// [ParseCard].
func FindCard(text string) (Card, error) {
	fields := strings.FieldsFunc(text, apart)
	var cards, addresses []Card
	var wrong error // the first address that is not one
	for i := 0; i < len(fields); i++ {
		field := trimmed(fields[i])
		if !beginsCard(field) {
			c, err := ParseCard(field)
			if err == nil {
				addresses = append(addresses, c)
			} else if wrong == nil && LooksLikeAddress(field) && (!strings.Contains(field, "://") || strings.Contains(field, ".onion")) {
				wrong = err
			}
			continue
		}
		c, used, err := joined(field, fields[i+1:])
		if err != nil {
			return Card{}, err
		}
		cards = append(cards, c)
		i += used
	}
	switch {
	case len(cards) > 0:
		return onlyOne(cards)
	case len(addresses) > 0:
		return onlyOne(addresses)
	case wrong != nil:
		return Card{}, wrong
	case len(fields) <= 1:
		return ParseCard(strings.Join(fields, ""))
	}
	return Card{}, fmt.Errorf("%w: there is none in this text; one begins with %s", ErrCard, cardScheme)
}

// apart says what stands between words: spaces, brackets, quotes, and what does
// not show.
func apart(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("<>()[]{}\"'`“”„‘’«»,;|*", r)
}

// trimmed is a word without what stands at its ends in a sentence, or before a
// card ("card=sotto:…").
func trimmed(word string) string {
	word = strings.TrimRight(word, ".!?:")
	for at := len(word) - len(cardScheme); at > 0; at-- {
		if strings.EqualFold(word[at:at+len(cardScheme)], cardScheme) {
			return word[at:]
		}
	}
	return word
}

// Lengths in characters: of a card with a key, and of what must follow the scheme
// for a word to be the beginning of a card.
const (
	longCard  = len(cardScheme) + 56 + 1 + 52 + 1 + 8
	cardBegun = 8
)

// beginsCard says whether a word is meant as a card and not as an address: by
// its first word, or by its parts.
func beginsCard(word string) bool {
	t := strings.ToLower(word)
	rest, scheme := strings.CutPrefix(t, cardScheme)
	if scheme {
		return len(rest) >= cardBegun && !strings.HasPrefix(rest, "//")
	}
	first, _, parts := strings.Cut(t, "-")
	return parts && len(first) == 56 && cardLetters(t)
}

func cardLetters(t string) bool {
	return !strings.ContainsFunc(t, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '2' || r > '7') && r != '-' })
}

// joined reads a card of a word and of so many of the next as it takes to make
// one whole. Its sum tells.
func joined(word string, next []string) (c Card, used int, err error) {
	text := strings.ToLower(word)
	if !strings.HasPrefix(text, cardScheme) {
		text = cardScheme + text
	}
	if c, err = ParseCard(text); err == nil {
		return c, 0, nil
	}
	for i, more := range next {
		if text += strings.ToLower(trimmed(more)); len(text) > longCard {
			break
		}
		if c, err := ParseCard(text); err == nil {
			return c, i + 1, nil
		}
	}
	return Card{}, 0, err
}

// onlyOne is the card that all of them are, or the one with a key of one person.
func onlyOne(cards []Card) (Card, error) {
	best := cards[0]
	for _, c := range cards[1:] {
		switch {
		case c.Address != best.Address || c.HasKey() && best.HasKey() && c != best:
			return Card{}, fmt.Errorf("%w: there are several in this text, give one", ErrCard)
		case c.HasKey():
			best = c
		}
	}
	return best, nil
}

// Unfinished says whether a text is the beginning of a card, the rest of which
// is on the next line.
func Unfinished(text string) bool {
	t := strings.ToLower(strings.Join(strings.FieldsFunc(text, apart), ""))
	rest, ours := strings.CutPrefix(t, cardScheme)
	if !ours || !cardLetters(rest) || len(t) >= longCard {
		return false
	}
	_, err := ParseCard(t)
	return err != nil
}
