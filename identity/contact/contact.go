// Package contact is the people one knows: names, cards, words, and who may
// ring.
//
// A name is a petname: whoever keeps the list gives it, nobody else sees it,
// and none ever comes from the other side. What is exchanged is a [Card], an
// address and perhaps a key, as one line of text or a QR code. Whether the
// address is theirs is then checked by comparing [Words]. [Policy] says who is
// heard of.
//
// A [Book] is all of it in memory and as text, one contact a line, three
// fields with tabs between:
//
//	sotto contacts 1
//	sotto:<address>[-<key>]-<sum>	<marks>	<name>
//
// Marks are "-" or some of "verified", "blocked" and "auto", in this order, with
// commas. A line without a name is a stranger who is blocked. Where a [Policy]
// other than the default is kept, the first line ends in 2 and the policy is the
// second; where anybody is marked auto, it ends in 3 and the policy is the second
// line, whatever it is. The text is
// sealed by identity/vault; this package knows neither files nor passphrases.
// Addresses in it were checked when they were added, and are not checked for
// being points of the curve again: ten thousand of them would take a second.
package contact

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sottovoce/sotto/identity"
)

// Reasons why something cannot be done with contacts.
var (
	ErrUnknown = errors.New("no such contact")
	ErrTaken   = errors.New("there is one already")
	ErrBook    = errors.New("this is not a list of contacts")
	ErrNewer   = errors.New("this list of contacts was written by a newer sotto: use that one")
)

// Contact is somebody.
type Contact struct {
	Name string // "": a stranger who is blocked
	Card
	Verified bool // words have been compared
	Blocked  bool // is never told of
	Auto     bool // calls are answered without asking
}

// Book is the list. Its zero value is empty and ready. It is not safe for use
// from several goroutines while it is changed.
type Book struct {
	Policy Policy // who may ring

	people  []Contact
	names   map[string]int           // by folded name
	address map[identity.Address]int // by whole address
	mirror  map[identity.Address]int // by address without its sign, see unsigned
}

// The first line: a list with a policy has a version of its own, and so has one
// with marks that came later, since a program that does not know them must not
// drop them.
const (
	header       = "sotto contacts 1\n"
	headerPolicy = "sotto contacts 2\n"
	headerAuto   = "sotto contacts 3\n"
	version      = 3
)

// Parse reads what [Book.Bytes] writes, and nothing else. No text at all is an
// empty book.
func Parse(text []byte) (*Book, error) {
	b := &Book{}
	if len(text) == 0 {
		return b, nil
	}
	rest, known := bytes.CutPrefix(text, []byte(header))
	first := 2 // line of the first contact
	after, with := bytes.CutPrefix(text, []byte(headerPolicy))
	auto := false
	if !with {
		after, auto = bytes.CutPrefix(text, []byte(headerAuto))
	}
	if with || auto {
		line, after, whole := bytes.Cut(after, []byte("\n"))
		var err error
		if b.Policy, err = parsePolicy(string(line), auto); err == nil && !whole {
			err = errCut
		}
		if err != nil {
			return nil, fmt.Errorf("%w: line 2: %w", ErrBook, err)
		}
		rest, known, first = after, true, 3
	}
	if !known {
		first, _, _ := strings.Cut(string(text), "\n")
		number, ours := strings.CutPrefix(first, "sotto contacts ")
		if v, err := strconv.Atoi(number); ours && err == nil && v > version {
			return nil, fmt.Errorf("version %d: %w", v, ErrNewer)
		}
		return nil, ErrBook
	}
	n := bytes.Count(rest, []byte("\n"))
	b.people = make([]Contact, 0, n)
	b.index(n)
	for number := first; len(rest) > 0; number++ {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		c, err := parseLine(string(line))
		if err == nil && !whole {
			err = errCut
		}
		if err == nil {
			err = b.insert(c)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrBook, number, err)
		}
		rest = after
	}
	if auto != b.auto() {
		return nil, fmt.Errorf("%w: its first line does not fit its marks", ErrBook)
	}
	return b, nil
}

// auto says whether anybody is marked so.
func (b *Book) auto() bool {
	return slices.ContainsFunc(b.people, func(c Contact) bool { return c.Auto })
}

var errCut = errors.New("cut short")

func parseLine(line string) (c Contact, err error) {
	card, rest, _ := strings.Cut(line, "\t")
	marks, name, found := strings.Cut(rest, "\t")
	if !found {
		return c, errors.New("three fields are wanted")
	}
	if c.Card, err = readCard(card); err != nil {
		return c, err
	}
	at := slices.Index(allMarks, marks)
	if at < 0 {
		return c, errors.New("unknown marks")
	}
	c.Verified, c.Blocked, c.Auto = at&1 != 0, at&2 != 0, at&4 != 0
	if c.Name = name; name != "" {
		if clean, err := CleanName(name); err != nil || clean != name {
			return c, ErrName
		}
	} else if !c.Blocked {
		return c, ErrName
	}
	return c, nil
}

// allMarks are a line's marks: by 1 if verified, 2 if blocked, 4 if auto.
var allMarks = []string{
	"-", "verified", "blocked", "verified,blocked",
	"auto", "verified,auto", "blocked,auto", "verified,blocked,auto",
}

// Bytes is the book as text.
func (b *Book) Bytes() []byte {
	out := []byte(header)
	switch policy, plain := b.Policy.line(); {
	case b.auto():
		out = []byte(headerAuto + policy + "\n")
	case !plain:
		out = []byte(headerPolicy + policy + "\n")
	}
	for _, c := range b.people {
		mark := 0
		if c.Verified {
			mark |= 1
		}
		if c.Blocked {
			mark |= 2
		}
		if c.Auto {
			mark |= 4
		}
		out = fmt.Appendf(out, "%s\t%s\t%s\n", c.Card.Text(), allMarks[mark], c.Name)
	}
	return out
}

// List is everybody, by name, blocked strangers last.
func (b *Book) List() []Contact {
	list := slices.Clone(b.people)
	slices.SortStableFunc(list, func(x, y Contact) int {
		if (x.Name == "") != (y.Name == "") {
			return len(y.Name) - len(x.Name)
		}
		return strings.Compare(fold(x.Name), fold(y.Name))
	})
	return list
}

// Len is how many there are.
func (b *Book) Len() int { return len(b.people) }

// Named finds a contact by name, in small or capital letters.
func (b *Book) Named(name string) (Contact, bool) {
	clean, err := CleanName(name)
	if err != nil {
		return Contact{}, false
	}
	i, ok := b.names[fold(clean)]
	if !ok {
		return Contact{}, false
	}
	return b.people[i], true
}

// At finds a contact by whole address.
func (b *Book) At(a identity.Address) (Contact, bool) {
	i, ok := b.address[a]
	if !ok {
		return Contact{}, false
	}
	return b.people[i], true
}

// Blocks says whether calls from a are never told of: by its X25519 key, so
// that a blocked person's mirrored address is blocked too.
func (b *Book) Blocks(a identity.Address) bool {
	i, ok := b.mirror[unsigned(a)]
	return ok && b.people[i].Blocked
}

// unsigned stands for the X25519 key of an address that has been checked: that
// key, u = (1+y)/(1−y), follows from the point's y alone, which is the address
// without the bit for the sign of x. It saves an inversion.
func unsigned(a identity.Address) identity.Address {
	a[31] &= 0x7f
	return a
}

// Add puts a new contact in. The name must be free and the address unknown;
// a mirrored address of somebody is known.
func (b *Book) Add(c Contact) error {
	var err error
	if c.Name, err = CleanName(c.Name); err != nil && (c.Name != "" || !c.Blocked) {
		return err
	}
	if boasts(c.Name) {
		return errBoast
	}
	return b.insert(c)
}

func (b *Book) insert(c Contact) error {
	b.index(0)
	if i, taken := b.names[fold(c.Name)]; taken && c.Name != "" {
		return fmt.Errorf("%s: %w", b.people[i].Name, ErrTaken)
	}
	if i, taken := b.mirror[unsigned(c.Address)]; taken {
		switch known := b.people[i]; {
		case known.Name == "":
			return fmt.Errorf("%w, and it is blocked", errKnown)
		case known.Address != c.Address:
			return fmt.Errorf("this is the mirror image of %s's address (one X25519 key): %w", known.Name, ErrTaken)
		default:
			return fmt.Errorf("%w, as %s", errKnown, known.Name)
		}
	}
	b.people = append(b.people, c)
	b.place(len(b.people) - 1)
	return nil
}

// errKnown is a kind of ErrTaken.
var errKnown = fmt.Errorf("%w: this address is in your contacts", ErrTaken)

func (b *Book) index(n int) {
	if b.names == nil {
		b.names, b.address, b.mirror = make(map[string]int, n), make(map[identity.Address]int, n), make(map[identity.Address]int, n)
	}
}

func (b *Book) place(i int) {
	c := b.people[i]
	if c.Name != "" {
		b.names[fold(c.Name)] = i
	}
	b.address[c.Address], b.mirror[unsigned(c.Address)] = i, i
}

// Change replaces the contact with that address by what f makes of it; its
// address stays. A new name must be free.
func (b *Book) Change(a identity.Address, f func(*Contact)) error {
	i, ok := b.address[a]
	if !ok {
		return ErrUnknown
	}
	old := b.people[i]
	c := old
	f(&c)
	c.Address = old.Address
	if c.Name != old.Name {
		clean, err := CleanName(c.Name)
		if err != nil {
			return err
		}
		if boasts(clean) {
			return errBoast
		}
		if j, taken := b.names[fold(clean)]; taken && j != i {
			return fmt.Errorf("%s: %w", b.people[j].Name, ErrTaken)
		}
		c.Name = clean
	}
	delete(b.names, fold(old.Name))
	b.people[i] = c
	b.place(i)
	return nil
}

// Remove takes the contact with that address out.
func (b *Book) Remove(a identity.Address) error {
	i, ok := b.address[a]
	if !ok {
		return ErrUnknown
	}
	b.people = slices.Delete(b.people, i, i+1)
	clear(b.names)
	clear(b.address)
	clear(b.mirror)
	for i := range b.people {
		b.place(i)
	}
	return nil
}

// Block makes sure that calls from that address are never told of. A stranger
// gets a line without a name.
func (b *Book) Block(card Card) error {
	if i, known := b.mirror[unsigned(card.Address)]; known {
		b.people[i].Blocked = true
		return nil
	}
	return b.insert(Contact{Card: card, Blocked: true})
}

// Unblock ends that, of the address or its mirror image; a stranger is
// forgotten.
func (b *Book) Unblock(a identity.Address) error {
	i, ok := b.mirror[unsigned(a)]
	if !ok || !b.people[i].Blocked {
		return fmt.Errorf("%w is blocked", ErrUnknown)
	}
	if b.people[i].Name == "" {
		return b.Remove(b.people[i].Address)
	}
	b.people[i].Blocked = false
	return nil
}
