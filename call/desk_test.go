package call

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/internal/phone/desk"
)

// Two phones, each with its desk and the machines of its calls, and what is on its
// way between them. Side 0 has the smaller address.
type pair struct {
	now   time.Duration
	desks [2]desk.Desk
	calls []*talk // by desk.ID, at both desks
	hung  bool    // somebody has hung up
}

// talk is a call from its first step on.
type talk struct {
	id      desk.ID
	from    int  // who dialled
	through bool // the caller's last message of the handshake is out
	told    bool // the caller's desk knows that
	stopped bool // the dial was cancelled, or failed
	failed  bool // of itself
	gone    [2]bool
	there   bool // the callee has the call
	ends    [2]machine
	way     [2][]message // to side 0, to side 1
	asked   bool         // the callee's desk has been told that it rings
	talks   [2]bool      // that desk knows, or has said so
	yes     [2]bool      // that person has said yes
}

type message struct {
	kind control.Kind
	body []byte
}

func (p *pair) clone() *pair {
	c := *p
	c.calls = nil
	for _, t := range p.calls {
		u := *t
		for i := range u.way {
			u.way[i] = slices.Clone(u.way[i])
			u.ends[i].trail, u.ends[i].texts, u.ends[i].records = nil, nil, nil
		}
		u.wire()
		c.calls = append(c.calls, &u)
	}
	for i := range c.desks {
		c.desks[i] = p.desks[i].Clone()
	}
	return &c
}

// wire lets the two machines send.
func (t *talk) wire() {
	for i := range t.ends {
		t.ends[i].send = func(k control.Kind, body ...byte) { t.way[1-i] = append(t.way[1-i], message{k, body}) }
	}
}

// key tells states apart.
func (p *pair) key() string {
	var b strings.Builder
	for i := range p.desks {
		fmt.Fprintf(&b, "%+v;", p.desks[i].Calls())
	}
	for _, t := range p.calls {
		fmt.Fprintf(&b, "%v%d%d%v%v%v%v%v%v%v%v%v%v%v", p.hung, t.id, t.from, t.failed, t.through, t.told, t.stopped, t.gone, t.there, t.way, t.asked, t.talks, t.yes, p.now)
		for i := range t.ends {
			fmt.Fprintf(&b, "%v%v%v,", t.ends[i].phase, t.ends[i].entered, t.ends[i].verdict)
		}
	}
	return b.String()
}

// act does what a desk says.
func (p *pair) act(t *testing.T, side int, acts []desk.Act) {
	for _, a := range acts {
		c := p.calls[a.Call-1]
		m := &c.ends[side]
		switch a.Do {
		case desk.Answer:
			// Nobody has answered for whom no one here has said yes.
			if !c.yes[side] {
				for _, o := range p.calls {
					c.yes[side] = c.yes[side] || o.from == side && o.yes[side] && o != c
				}
			}
			if !c.yes[side] {
				t.Fatalf("side %d answers, and nobody there said yes", side)
			}
			if m.answer(p.now) {
				c.talks[side] = true
			}
		case desk.Busy:
			m.refuse(p.now, control.Busy)
		case desk.Decline:
			m.refuse(p.now, control.Decline)
		case desk.HangUp:
			m.hangUp(p.now, control.ReasonDone, nil)
		case desk.Cancel:
			c.stopped = c.stopped || !c.through
		}
	}
}

// steps are what may happen next, by name.
func (p *pair) steps(t *testing.T, people bool) map[string]func(p *pair) {
	steps := map[string]func(p *pair){}
	for i, c := range p.calls {
		from, to := c.from, 1-c.from
		if !c.through && !c.stopped {
			steps[fmt.Sprintf("dial %d comes through", c.id)] = func(p *pair) {
				c := p.calls[i]
				c.through = true
				c.way[to] = append(c.way[to], message{kind: 0})
				c.ends[from].start(p.now)
			}
			if people {
				steps[fmt.Sprintf("dial %d fails", c.id)] = func(p *pair) { p.calls[i].stopped, p.calls[i].failed = true, true }
			}
		}
		if c.stopped && !c.gone[from] {
			steps[fmt.Sprintf("side %d learns that dial %d has failed", from, c.id)] = func(p *pair) { p.over(t, i, from) }
		}
		if c.through && !c.told {
			steps[fmt.Sprintf("side %d learns that dial %d is through", from, c.id)] = func(p *pair) {
				p.calls[i].told = true
				p.act(t, from, p.desks[from].Proven(c.id))
			}
		}
		for side := range 2 {
			m := &c.ends[side]
			alive := side == from && c.told || side == to && c.there
			if len(c.way[side]) > 0 && (side == to || c.told) {
				steps[fmt.Sprintf("side %d takes what call %d brings", side, c.id)] = func(p *pair) { p.deliver(i, side) }
			}
			if alive && side == to && m.phase >= Ringing && !c.asked && !c.gone[side] {
				steps[fmt.Sprintf("side %d is told that call %d rings", side, c.id)] = func(p *pair) {
					p.calls[i].asked = true
					me := p.desks[1-side].Me
					p.act(t, side, p.desks[side].Asks(desk.Call{ID: c.id, Peer: me, Known: true, Rings: true}))
				}
			}
			if alive && side == from && m.talked && !c.talks[side] {
				steps[fmt.Sprintf("side %d is told that call %d is answered", side, c.id)] = func(p *pair) {
					p.calls[i].talks[side] = true
					p.act(t, side, p.desks[side].Talks(c.id))
				}
			}
			if alive && m.phase >= Closing && !c.gone[side] {
				steps[fmt.Sprintf("side %d is told that call %d is over", side, c.id)] = func(p *pair) { p.over(t, i, side) }
			}
		}
	}
	if !people {
		return steps
	}
	steps["a ring's time passes"] = func(p *pair) {
		p.now += RingTime
		p.tick(p.now)
	}
	for side := range p.desks {
		if len(p.calls) < 3 {
			steps[fmt.Sprintf("person %d dials", side)] = func(p *pair) {
				id := desk.ID(len(p.calls) + 1)
				acts, in, err := p.desks[side].Call(id, p.desks[1-side].Me)
				switch {
				case err != nil:
				case in != 0:
					p.calls[in-1].yes[side] = true
					p.act(t, side, acts)
				default:
					c := &talk{id: id, from: side}
					c.ends[side].outgoing = true
					c.yes[side] = true
					c.wire()
					p.calls = append(p.calls, c)
				}
			}
		}
		for _, c := range p.desks[side].Calls() {
			steps[fmt.Sprintf("person %d hangs up %d", side, c.ID)] = func(p *pair) {
				if acts, err := p.desks[side].HangUp(c.ID); err == nil {
					p.hung = true
					p.act(t, side, acts)
				}
			}
			if c.Phase == desk.Ringing {
				steps[fmt.Sprintf("person %d answers %d", side, c.ID)] = func(p *pair) {
					p.calls[c.ID-1].yes[side] = true
					acts, err := p.desks[side].Answer(c.ID)
					if err != nil {
						t.Fatal(err)
					}
					p.act(t, side, acts)
				}
			}
		}
	}
	return steps
}

func (p *pair) deliver(i, side int) {
	c := p.calls[i]
	m := c.way[side][0]
	c.way[side] = c.way[side][1:]
	if m.kind == 0 {
		c.there = true
		c.ends[side].start(p.now)
		return
	}
	c.ends[side].message(p.now, m.kind, m.body)
}

func (p *pair) over(t *testing.T, i, side int) {
	p.calls[i].gone[side] = true
	p.act(t, side, p.desks[side].Over(p.calls[i].id))
}

// tick lets the time be what it is; heard is when anything came last.
func (p *pair) tick(heard time.Duration) {
	for _, c := range p.calls {
		for side := range c.ends {
			if m := &c.ends[side]; m.phase < Over && (side == c.from && c.told || side != c.from && c.there) {
				m.tick(p.now, heard)
			}
		}
	}
}

// settle lets all messages come and all be told, with nobody doing anything more.
func (p *pair) settle(t *testing.T, trail []string) {
	for n := 0; ; n++ {
		steps := p.steps(t, false)
		if len(steps) == 0 {
			return
		}
		if n > 200 {
			t.Fatalf("never settles after %v: %v", trail, steps)
		}
		var names []string
		for name := range steps {
			names = append(names, name)
		}
		slices.Sort(names)
		steps[names[n%len(names)]](p)
		p.check(t, trail)
	}
}

// check looks at what must hold at any time.
func (p *pair) check(t *testing.T, trail []string) {
	for _, c := range p.calls {
		for side := range c.ends {
			// The microphone of a side is open while its machine talks.
			if c.ends[side].phase != Talking {
				continue
			}
			if side == c.from && c.ends[1-side].outgoing || !c.ends[1-side].talked && side == c.from {
				t.Fatalf("call %d: the caller's microphone is open, and the callee has not answered: %v", c.id, trail)
			}
		}
	}
}

func (p *pair) talking() (n int) {
	for _, c := range p.calls {
		if c.ends[0].phase == Talking && c.ends[1].phase == Talking {
			n++
		} else if c.ends[0].phase == Talking || c.ends[1].phase == Talking {
			n += 100
		}
	}
	return n
}

// alive is how many calls are not over at some side.
func (p *pair) alive() (n int) {
	for _, c := range p.calls {
		if c.through && (c.ends[0].phase < Closing || c.ends[1].phase < Closing) {
			n++
		}
	}
	return n
}

// All orders of messages, of what two people do and of time, up to six: no state is
// stuck, no microphone is open that nobody has agreed to, and of two people who
// dial each other at once, whatever happens in between, exactly one call survives.
func TestTwoPhonesInEveryOrder(t *testing.T) {
	const depth = 6
	fresh := func() *pair {
		small, large := identity.Address{1}, identity.Address{2}
		return &pair{desks: [2]desk.Desk{{Me: small}, {Me: large}}}
	}
	states, glares := 0, 0
	seen := map[string]int{}
	var try func(p *pair, left int, trail []string)
	try = func(p *pair, left int, trail []string) {
		if key := p.key(); seen[key] > left {
			return
		} else {
			seen[key] = left + 1
		}
		states++
		p.check(t, trail)
		end := p.clone()
		end.settle(t, trail)
		if end.glare() {
			glares++
			switch n := end.talking(); {
			case n == 1 && end.alive() == 1, end.calls[0].failed && end.calls[1].failed, end.now > 0:
			case n == 0 && (end.calls[0].failed || end.calls[1].failed) && end.rings():
				// It failed before the other's was known of, which rings like any other.
			default:
				t.Fatalf("both have dialled, and %d calls talk after %v\n%s", n, trail, end.key())
			}
		}
		if n := end.talking(); n > 1 {
			t.Fatalf("%d calls talk after %v\n%s", n, trail, end.key())
		}
		// However it stands, it comes to an end by itself if nobody does anything
		// and nothing comes any more.
		later := end.now
		for range 3 {
			later += SilentTime
			end.now = later
			end.tick(0)
			end.settle(t, trail)
		}
		for side := range end.desks {
			if calls := end.desks[side].Calls(); len(calls) > 0 {
				t.Fatalf("stuck after %v: %+v\n%s", trail, calls, end.key())
			}
		}
		if left == 0 {
			return
		}
		for name := range p.steps(t, true) {
			next := p.clone()
			next.steps(t, true)[name](next)
			try(next, left-1, append(trail[:len(trail):len(trail)], name))
		}
	}
	try(fresh(), depth, nil)
	// Seven more from where both have dialled.
	both := fresh()
	for side := range 2 {
		both.steps(t, true)[fmt.Sprintf("person %d dials", side)](both)
	}
	try(both, depth+1, []string{"both dial"})
	t.Logf("%d states, %d of them glares", states, glares)
	if states < 10_000 || glares < 500 {
		t.Error("there are more")
	}
}

// rings says whether somebody is told that it rings.
func (p *pair) rings() bool {
	for i := range p.desks {
		for _, c := range p.desks[i].Calls() {
			if c.Phase == desk.Ringing {
				return true
			}
		}
	}
	return false
}

// glare says whether both have dialled, and nobody has hung up.
func (p *pair) glare() bool {
	if len(p.calls) != 2 || p.calls[0].from == p.calls[1].from {
		return false
	}
	return !p.hung
}
