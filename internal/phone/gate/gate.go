// Package gate says whose calls the person here is told of, by the contacts as
// they are at that moment: it follows the file that they are kept in. What it
// decides waits for nothing, since it is asked in the middle of a call's
// beginning, whose pace tells nobody anything.
package gate

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
)

// Gate is one profile's.
type Gate struct {
	path  string
	read  func() (*contact.Book, error)
	over  contact.Policy // said for this run, over what is kept
	now   atomic.Pointer[contact.Book]
	fresh chan struct{}

	reading sync.Mutex  // one at a time reads, so that nothing older comes last
	last    os.FileInfo // of what was read; nil: contacts may have changed since the profile was opened
}

// New makes a gate of the contacts in book, which read reads anew from the file
// at path. over is said for this run.
func New(path string, book *contact.Book, read func() (*contact.Book, error), over contact.Policy) *Gate {
	g := &Gate{path: path, read: read, over: over, fresh: make(chan struct{}, 1)}
	g.now.Store(book)
	return g
}

// Book is the contacts as they are now. It is not to be changed.
func (g *Gate) Book() *contact.Book { return g.now.Load() }

// Fresh is told when the contacts have changed.
func (g *Gate) Fresh() <-chan struct{} { return g.fresh }

// policy is the one that is kept, as far as none was said for this run.
func (g *Gate) policy() contact.Policy { return g.Book().Policy.With(g.over) }

// Judge says whether a call from a rings, and if not, why it is listed as missed;
// "": it is not.
func (g *Gate) Judge(a identity.Address) (rings bool, why string) {
	book, policy := g.Book(), g.policy()
	switch policy.Judge(book, a, time.Now()) {
	case contact.Ring:
		return true, ""
	case contact.Nothing:
		return false, ""
	}
	if _, known := book.At(a); !known && policy.Ring != contact.Anyone {
		return false, "strangers do not ring"
	}
	return false, "this is a silent time"
}

// Knows says whether a is a contact, and not blocked.
func (g *Gate) Knows(a identity.Address) bool {
	book := g.Book()
	_, known := book.At(a)
	return known && !book.Blocks(a)
}

// Lists says whether a's calls are listed as missed where they do not ring.
func (g *Gate) Lists(a identity.Address) bool {
	return g.Knows(a) || g.policy().Missed != contact.Contacts
}

// At is who a is; a stranger has no name.
func (g *Gate) At(a identity.Address) contact.Contact {
	if c, ok := g.Book().At(a); ok {
		return c
	}
	return contact.Contact{Card: contact.Card{Address: a}}
}

// lookFor is how often contacts are looked at for changes.
const lookFor = time.Second

// Follow takes in changes to the contacts until ctx ends. tell is called after
// each, with a line about it, or "" where who rings is told in the same words as
// before.
func (g *Gate) Follow(ctx context.Context, tell func(text string)) {
	tick := time.NewTicker(lookFor)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch read, text, err := g.take(false); {
		case err != nil:
			tell(fmt.Sprintf("contacts stay as they were: %v", err))
		case read:
			tell(text)
		}
	}
}

// Reread takes in the contacts as they are now, at once: when it returns, they
// count. text is what Follow tells.
func (g *Gate) Reread() (text string, err error) {
	_, text, err = g.take(true)
	return text, err
}

// take reads the contacts if they may have changed, or at any rate.
func (g *Gate) take(anyhow bool) (read bool, text string, err error) {
	g.reading.Lock()
	defer g.reading.Unlock()
	info, err := os.Stat(g.path)
	switch same := err == nil && g.last != nil && os.SameFile(info, g.last) && info.ModTime().Equal(g.last.ModTime()); {
	case anyhow:
	case err != nil || same:
		return false, "", nil
	}
	book, err := g.read()
	if err == nil || !anyhow { // else Follow is to tell of it
		g.last = info
	}
	if err != nil {
		return false, "", err
	}
	before := g.Describe()
	g.now.Store(book)
	select {
	case g.fresh <- struct{}{}:
	default: // it has been told, and not looked yet
	}
	if now := g.Describe(); now != before {
		text = "contacts have changed: " + now
	}
	return true, text, nil
}

// Describe says who may ring, in words that nobody takes for a call.
func (g *Gate) Describe() string {
	n, blocked := 0, 0
	for _, c := range g.Book().List() {
		switch {
		case !c.Blocked:
			n++
		case c.Name != "":
			blocked++
		}
	}
	policy, others := g.policy(), ""
	if times := policy.Times(", "); times != "" {
		others = ", not at " + times
	}
	if policy.Missed == contact.Contacts {
		others += "; strangers' calls are not listed"
	}
	switch {
	case policy.Ring == contact.Anyone:
		return "everybody may ring" + others
	case n == 0 && blocked == 1:
		return "only contacts may ring, and your only contact is blocked" + others
	case n == 0 && blocked > 1:
		return "only contacts may ring, and all of yours are blocked" + others
	case n == 0:
		return "only contacts may ring, and you have none: sotto contacts add NAME, or --from anyone" + others
	case n == 1:
		return "1 contact may ring" + others
	}
	return fmt.Sprintf("your %d contacts may ring%s", n, others)
}
