package cli

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/identity/vault"
)

// gate decides whom the person here is told of, by the contacts as they are at
// that moment. What it has to tell it tells from a goroutine of its own: a
// terminal that stands still must not show in the pace of a call.
type gate struct {
	*people
	over  contact.Policy // said for this run, over what is kept
	now   atomic.Pointer[contact.Book]
	news  chan missed
	lost  atomic.Int64  // news for which there was no room
	fresh chan struct{} // told when now has been replaced

	told time.Time // when a stranger was last told of; follow's alone
	more int       // strangers since, who wait until they may be told of
	wait missed    // the last of them
}

// missed is a call that did not ring, and why.
type missed struct {
	from identity.Address
	why  string
}

func newGate(p *people, over contact.Policy) *gate {
	g := &gate{people: p, over: over, news: make(chan missed, 64), fresh: make(chan struct{}, 1)}
	g.now.Store(p.book)
	return g
}

// policy is the one that is kept, as far as none was said for this run.
func (g *gate) policy() contact.Policy { return g.now.Load().Policy.With(g.over) }

// admit says whether a call from a rings, and notes one that is missed. It
// waits for nothing.
func (g *gate) admit(a identity.Address) bool {
	policy := g.policy()
	verdict := policy.Judge(g.now.Load(), a, time.Now())
	if verdict == contact.Missed {
		why := "this is a silent time"
		if g.name(a) == "" && policy.Ring != contact.Anyone {
			why = "strangers do not ring"
		}
		g.note(a, why)
	}
	return verdict == contact.Ring
}

// knows says whether a is a contact, and not blocked. It waits for nothing.
func (g *gate) knows(a identity.Address) bool {
	book := g.now.Load()
	_, known := book.At(a)
	return known && !book.Blocks(a)
}

// lists says whether a's calls are listed as missed where they do not ring.
func (g *gate) lists(a identity.Address) bool {
	return g.knows(a) || g.policy().Missed != contact.Contacts
}

// note has a missed call told.
func (g *gate) note(a identity.Address, why string) {
	select {
	case g.news <- missed{a, why}:
	default:
		g.lost.Add(1)
	}
}

// name is what a contact is called; "" for a stranger.
func (g *gate) name(a identity.Address) string {
	c, ok := g.now.Load().At(a)
	if !ok || c.Name == "" {
		return ""
	}
	return title(c)
}

// called is a contact's name or a stranger's address.
func (g *gate) called(a identity.Address) string {
	if name := g.name(a); name != "" {
		return name
	}
	return a.Onion()
}

// How often contacts are looked at for changes, and how long after telling of a
// stranger the next ones are only counted: they must not be able to flood the
// screen.
const (
	lookFor  = time.Second
	quietFor = 10 * time.Second
)

// follow tells of missed calls, and takes in changes to the contacts, until ctx
// ends.
func (g *gate) follow(ctx context.Context, show *live) {
	path := vault.ContactsPath(g.home)
	var last os.FileInfo // none: they may have changed since the profile was opened
	tick := time.NewTicker(lookFor)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-g.news:
			g.tell(show, m, time.Now())
		case now := <-tick.C:
			g.tellRest(show, now)
			info, err := os.Stat(path)
			if err != nil || last != nil && os.SameFile(info, last) && info.ModTime().Equal(last.ModTime()) {
				continue
			}
			last = info
			book, err := g.read()
			if err != nil {
				show.say("contacts stay as they were: %v", err)
				continue
			}
			before := g.describe()
			g.now.Store(book)
			select {
			case g.fresh <- struct{}{}:
			default: // it has been told, and not looked yet
			}
			if now := g.describe(); now != before {
				show.say("contacts have changed: %s", now)
			}
		}
	}
}

func (g *gate) tell(show *live, m missed, now time.Time) {
	if name := g.name(m.from); name != "" {
		show.say("missed a call from %s: %s %s", name, m.why, stamp(now))
		return
	}
	if g.wait, g.more = m, g.more+1; now.Sub(g.told) < quietFor {
		return
	}
	more := ""
	if n := g.more - 1 + int(g.lost.Swap(0)); n > 0 {
		more = fmt.Sprintf(" (and %d more of strangers)", n)
	}
	g.told, g.more = now, 0
	show.say("missed a call from %s", m.from.Onion())
	show.say("  a stranger: %s%s %s", m.why, more, stamp(now))
}

// tellRest tells of the strangers that wait, once they may be told of.
func (g *gate) tellRest(show *live, now time.Time) {
	if g.more > 0 && now.Sub(g.told) >= quietFor {
		g.more--
		g.tell(show, g.wait, now)
	}
}

// stamp is when a call was missed, for who comes back to the screen later.
func stamp(t time.Time) string { return t.Format("(Mon 15:04)") }

// describe says who rings.
func (g *gate) describe() string {
	n := 0
	for _, c := range g.now.Load().List() {
		if !c.Blocked {
			n++
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
		return "everybody rings" + others
	case n == 0:
		return "only contacts ring, and you have none: sotto contacts add NAME, or --from anyone" + others
	case n == 1:
		return "your contact rings" + others
	}
	return fmt.Sprintf("your %d contacts ring%s", n, others)
}
