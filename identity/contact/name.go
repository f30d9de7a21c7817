package contact

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sottovoce/sotto/identity"
)

// ErrName says that a text cannot be a name.
var ErrName = errors.New("this cannot be a name")

// maxName is how long a name may be, in characters.
const maxName = 64

// CleanName is a name as it is kept: trimmed, with single spaces, without
// variation selectors. Refused is what does not show (control characters,
// changes of direction, joiners), what stacks, what could be taken for an
// address or a flag, and what is too long.
func CleanName(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", fmt.Errorf("%w: it is not UTF-8", ErrName)
	}
	if len(text) > 16*maxName {
		return "", fmt.Errorf("%w: it is longer than %d characters", ErrName, maxName)
	}
	var clean []string
	for _, word := range strings.Fields(text) {
		word, err := cleanWord(word)
		if err != nil {
			return "", err
		}
		if word != "" {
			clean = append(clean, word)
		}
	}
	name := strings.Join(clean, " ")
	switch {
	case name == "":
		return "", fmt.Errorf("%w: it is empty", ErrName)
	case utf8.RuneCountInString(name) > maxName:
		return "", fmt.Errorf("%w: it is longer than %d characters", ErrName, maxName)
	case name[0] == '-':
		return "", fmt.Errorf("%w: it begins with -, like a flag", ErrName)
	case LooksLikeAddress(name):
		return "", fmt.Errorf("%w: it looks like an address", ErrName)
	}
	return name, nil
}

func cleanWord(word string) (string, error) {
	var b strings.Builder
	stacked := 3 // nothing is there that could carry an accent
	for _, r := range word {
		switch {
		case r > ' ' && r < 0x7F: // most are, and tables take time
			stacked = 0
		case unicode.Is(unicode.Variation_Selector, r):
			continue
		case !unicode.IsPrint(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
			return "", fmt.Errorf("%w: it has a character that does not show (U+%04X)", ErrName, r)
		case !unicode.Is(unicode.M, r):
			stacked = 0
		case stacked == 3:
			return "", fmt.Errorf("%w: its accents are stacked too high", ErrName)
		default:
			stacked++
		}
		b.WriteRune(r)
	}
	return b.String(), nil
}

// LooksLikeAddress says whether somebody who entered this meant an address or a
// card, right or wrong, and not a name.
func LooksLikeAddress(text string) bool {
	t := strings.ToLower(strings.TrimSpace(text))
	if strings.Contains(t, ".onion") || strings.Contains(t, "://") || strings.HasPrefix(t, cardScheme) {
		return true
	}
	if len(t) < 40 {
		return false
	}
	_, err := identity.Parse(t)
	return err == nil || !strings.ContainsFunc(t, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '2' || r > '7') })
}

// errBoast is about a name, perhaps in a list that somebody else has made, that
// would show as "Ann (verified)" without that.
var errBoast = fmt.Errorf("%w: it says that somebody is verified, which sotto contacts verify alone does", ErrName)

func boasts(name string) bool { return strings.Contains(skeleton(name), skeleton("verified")) }

// fold makes names alike that differ in capital letters.
func fold(name string) string { return strings.ToLower(name) }

// Doubts are reasons to look twice at a name before it is used: a word of mixed
// scripts, or one that looks like a contact's. What is asked is how it looks,
// so the table of lookalikes is small: Latin with accents, Greek, Cyrillic,
// Armenian, Cherokee, full-width, mathematical and circled letters, and what
// is narrow or round. It is no match for all of Unicode (UTS 39).
func (b *Book) Doubts(name string) (doubts []string) {
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		if s := scripts(word); len(s) > 1 {
			doubts = append(doubts, fmt.Sprintf("%q mixes %s letters", word, strings.Join(s, " and ")))
		}
	}
	shape := skeleton(name)
	for _, c := range b.people {
		if c.Name != "" && fold(c.Name) != fold(name) && skeleton(c.Name) == shape {
			doubts = append(doubts, fmt.Sprintf("%q looks like %q, whom you know", name, c.Name))
		}
	}
	return doubts
}

// scripts are those that a word's letters are of. Those of China, Japan and
// Korea go together.
func scripts(word string) (found []string) {
	for _, r := range word {
		for name, table := range unicode.Scripts {
			if name == "Common" || name == "Inherited" || !unicode.Is(table, r) {
				continue
			}
			if name == "Hiragana" || name == "Katakana" || name == "Hangul" || name == "Bopomofo" {
				name = "Han"
			}
			if !slices.Contains(found, name) {
				found = append(found, name)
			}
			break // a character has one script
		}
	}
	slices.Sort(found)
	return found
}

// skeleton is the same for names that look alike.
func skeleton(name string) string {
	var b strings.Builder
	for _, r := range name {
		r = unicode.ToLower(plain(r))
		switch {
		case unicode.IsMark(r) || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r < 128 && r != '|' && r != '$':
			continue // accents, spaces, dots and dashes
		case strings.ContainsRune("1|i", r):
			r = 'l'
		case r == '0':
			r = 'o'
		case r == '$' || r == '5':
			r = 's'
		}
		b.WriteRune(r)
	}
	return strings.NewReplacer("rn", "m", "vv", "w").Replace(b.String())
}

// plain is the ASCII letter or digit that r looks like, or r.
func plain(r rune) rune {
	switch {
	case r < 0xC0:
		return r
	case r < 0x250:
		return from(accented, r, 0xC0)
	case r >= 0x1E00 && r < 0x1F00:
		return from(accentedMore, r, 0x1E00)
	case r >= 0xFF01 && r <= 0xFF5E: // full width
		return r - 0xFEE0
	case r >= 0x1D400 && r <= 0x1D6A3: // mathematical alphabets
		return rune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[(r-0x1D400)%52])
	case r >= 0x1D7CE && r <= 0x1D7FF: // and digits
		return '0' + (r-0x1D7CE)%10
	case r >= 0x24B6 && r <= 0x24E9: // circled
		return 'a' + (r-0x24B6)%26
	}
	if p, ok := lookalikes[r]; ok {
		return p
	}
	return r
}

// from looks r up in a row of ASCII that begins at first; a dot is r itself.
func from(row string, r, first rune) rune {
	if p := row[r-first]; p != '.' {
		return rune(p)
	}
	return r
}

// accented are the base letters of U+00C0 to U+024F, and others that look like
// one; accentedMore those of U+1E00 to U+1EFF.
const (
	accented = "AAAAAA.CEEEEIIIIDNOOOOO.OUUUUYP.aaaaaa.ceeeeiiiidnooooo.ouuuuypyAaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGg" +
		"HhHhIiIiIiIiIi..JjKk.LlLlLl..LlNnNnNn.NnOoOoOo..RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzsbB......" +
		"........E.f....IKkl....OOo.............Uu............................AaIiOoUuUuUuUuUu.AaAa....GgKkOo" +
		"Oo..j...Gg..NnAa....AaAaEeEeIiIiOoOoRrRrUuUuSsTt..Hh......AaEeOoOoOoOoYy...j........................"
	accentedMore = "AaBbBbBbCcDdDdDdDdDdEeEeEeEeEeFfGgHhHhHhHhHhIiIiKkKkKkLlLlLlLlMmMmMmNnNnNnNnOoOoOoOoPpPpRrRrRrRrSsSs" +
		"SsSsSsTtTtTtTtUuUuUuUuUuVvVvWwWwWwWwWwXxXxYyZzZzZzhtwy.s....AaAaAaAaAaAaAaAaAaAaAaAaEeEeEeEeEeEeEeEe" +
		"IiIiOoOoOoOoOoOoOoOoOoOoOoOoUuUuUuUuUuUuUuYyYyYyYy......"
)

// lookalikes are letters of other alphabets, each beside the Latin one.
var lookalikes = pairs(
	"АВЕЁЅІЇЈКМНОРСТУЎХҮԌԚԜӀЗабвгеёѕіїјкмнорстуўхүһԁԛԝӏзь", "ABEESIIJKMHOPCTYYXYGQWI3a6breesiijkmhopctyyxyhdqwi3b",
	"ΑΆΒΕΈΖΗΉΙΊΪΚΜΝΟΌΡΤΥΎΫΧαάβγεέηήιίϊΐκνοόρστυύϋΰχωώ", "AABEEZHHIIIKMNOOPTYYYXaabyeennliiikvooporuuuuxww",
	"ՕՏԼՍօհսոցզգ", "OSLUohunqqq",
	"ᎪᎠᎡᎢᎳᎷᎻᎬᏃᏒᏚᏞᏟᏢᎫᎬᏙᏦᏴᎥ", "ADRTWMHEZRSLCPJEVKBi",
	"ɑɡɩʀοℓ", "agiRol",
)

func pairs(rows ...string) map[rune]rune {
	m := map[rune]rune{}
	for i := 0; i < len(rows); i += 2 {
		like := []rune(rows[i+1])
		for j, r := range []rune(rows[i]) {
			m[r] = like[j]
		}
	}
	return m
}

// Near is the contact that somebody may have meant by a name that there is not;
// "" if none is near.
func (b *Book) Near(name string) string {
	best, found := 3, ""
	want := fold(name)
	for _, c := range b.List() {
		have := fold(c.Name)
		d := distance(want, have)
		if have != "" && want != "" && strings.HasPrefix(have, want) || skeleton(have) == skeleton(want) {
			d = 1
		}
		if have != "" && d < best && d < len(want) {
			best, found = d, c.Name
		}
	}
	return found
}

// distance is how many letters must be changed, added or left out.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > maxName || len(y) > maxName {
		return maxName
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}
