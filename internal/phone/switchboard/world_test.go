package switchboard_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/call/playout"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/gate"
	"github.com/sottovoce/sotto/internal/phone/switchboard"
	"github.com/sottovoce/sotto/voice"
)

var (
	errNobody = errors.New("nobody is there")
	errName   = errors.New("no such name")
)

// network is where phones find each other, in memory.
type network struct {
	mu    sync.Mutex
	delay time.Duration // of a dial
	doors map[identity.Address]chan net.Conn
	calls []*icy        // callers' ends
	thaw  chan struct{} // closed: new ones are not frozen any more; nil: they are not
}

// freeze has nothing come through on streams that are open or will be, until thaw
// is closed; renew lets it through on those that are opened from then on.
func (n *network) freeze() (thaw chan struct{}, renew func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.thaw = make(chan struct{})
	for _, c := range n.calls {
		c.thaw = n.thaw
	}
	return n.thaw, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.thaw = nil
	}
}

// caller is a caller's end of a stream.
func (n *network) caller(conn net.Conn) net.Conn {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := &icy{Conn: conn, net: n, thaw: n.thaw, shut: make(chan struct{})}
	n.calls = append(n.calls, c)
	return c
}

type icy struct {
	net.Conn
	net  *network
	thaw chan struct{} // nil: it is not frozen
	shut chan struct{}
	once sync.Once
}

func (c *icy) wait() error {
	c.net.mu.Lock()
	thaw := c.thaw
	c.net.mu.Unlock()
	if thaw == nil {
		return nil
	}
	select {
	case <-thaw:
		return nil
	case <-c.shut:
		return net.ErrClosed
	}
}

func (c *icy) Write(b []byte) (int, error) {
	if err := c.wait(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

func (c *icy) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if e := c.wait(); e != nil {
		return 0, e
	}
	return n, err
}

func (c *icy) Close() error {
	c.once.Do(func() { close(c.shut) })
	return c.Conn.Close()
}

func (n *network) dial(ctx context.Context, a identity.Address) (net.Conn, error) {
	select {
	case <-time.After(n.delay):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n.mu.Lock()
	door := n.doors[a]
	n.mu.Unlock()
	if door == nil {
		return nil, errNobody
	}
	ours, theirs := net.Pipe()
	select {
	case door <- theirs:
		return n.caller(ours), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// door is where a phone's callers come in.
type door struct {
	net  *network
	a    identity.Address
	come chan net.Conn
	shut chan struct{}
	once sync.Once
}

func (n *network) listen(a identity.Address) *door {
	d := &door{net: n, a: a, come: make(chan net.Conn), shut: make(chan struct{})}
	n.mu.Lock()
	n.doors[a] = d.come
	n.mu.Unlock()
	return d
}

func (d *door) Accept() (net.Conn, error) {
	select {
	case conn := <-d.come:
		return conn, nil
	case <-d.shut:
		return nil, net.ErrClosed
	}
}

func (d *door) Close() error {
	d.once.Do(func() {
		d.net.mu.Lock()
		delete(d.net.doors, d.a)
		d.net.mu.Unlock()
		close(d.shut)
	})
	return nil
}

func (*door) Addr() net.Addr { return &net.UnixAddr{} }

// person is a phone and who has it.
type person struct {
	*switchboard.Board
	t    *testing.T
	name string
	key  *identity.Key

	mu     sync.Mutex
	rings  int // times that it rang
	loud   int // now
	opened int // times that the microphone was opened
	open   int // now
	heard  []api.Event
	more   chan struct{} // closed and replaced when heard grows
}

func newKey(t *testing.T) *identity.Key {
	t.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// household are people who know each other, whose phones are up until the test
// ends. change may change what the phone of a name is made with.
func household(t *testing.T, n *network, change func(name string, c *switchboard.Config), names ...string) map[string]*person {
	t.Helper()
	people := map[string]*person{}
	for _, name := range names {
		people[name] = &person{t: t, name: name, key: newKey(t), more: make(chan struct{})}
	}
	for _, p := range people {
		book := &contact.Book{}
		for _, other := range people {
			if other != p && other.name != "stranger" && p.name != "stranger" {
				if err := book.Add(contact.Contact{Name: other.name, Card: contact.Card{Address: other.key.Address()}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		c := p.config(n, book)
		if change != nil {
			change(p.name, &c)
		}
		p.Board = switchboard.New(c, 1)
	}
	for _, p := range people {
		p.up()
	}
	return people
}

func (p *person) config(n *network, book *contact.Book) switchboard.Config {
	g := gate.New(filepath.Join(p.t.TempDir(), "contacts"), book, func() (*contact.Book, error) { return book, nil }, contact.Policy{})
	return switchboard.Config{
		Calls: call.Config{Key: p.key, Codec: codec{}, Dial: n.dial},
		Gate:  g,
		Open: func(context.Context) (call.Sound, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.opened++; p.loud > 0 {
				p.t.Error("it rings while devices are opened")
			}
			p.open++
			return call.Sound{Source: voice.Silence(), Sink: &voice.Clocked{}, Close: func() {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.open--
			}}, nil
		},
		Ring: func(ctx context.Context) error {
			p.loudly(1)
			<-ctx.Done()
			p.loudly(-1)
			return nil
		},
		Levels: func() (float64, float64) { return -20, -30 },
		Resolve: func(text string) (contact.Contact, error) {
			if c, ok := book.Named(text); ok {
				return c, nil
			}
			if card, err := contact.ParseCard(text); err == nil {
				return contact.Contact{Card: card}, nil
			}
			return contact.Contact{}, errName
		},
		Publish: func(context.Context) (net.Listener, error) { return n.listen(p.key.Address()), nil },
		End: func(err error) api.End {
			if err == nil {
				return api.End{}
			}
			return api.End{Exit: 1, Error: err.Error(), Again: errors.Is(err, errNobody) || errors.Is(err, call.ErrBusy)}
		},
	}
}

// up runs the phone and notes what it tells, until the test ends.
func (p *person) up() {
	ctx, cancel := context.WithCancel(p.t.Context())
	var group sync.WaitGroup
	events, stop := p.Listen()
	group.Go(func() {
		for e := range events {
			p.mu.Lock()
			p.heard = append(p.heard, e)
			close(p.more)
			p.more = make(chan struct{})
			p.mu.Unlock()
		}
	})
	group.Go(func() {
		if err := p.Run(ctx); err != nil && ctx.Err() == nil {
			p.t.Errorf("%s's phone: %v", p.name, err)
		}
		stop()
	})
	p.t.Cleanup(func() { cancel(); group.Wait() })
	p.await("up", func(e api.Event) bool {
		return e.Status != nil && (e.Status.Phase == api.Up || e.Status.Phase == api.Calling)
	})
}

// await waits until something was told.
func (p *person) await(what string, is func(api.Event) bool) api.Event {
	p.t.Helper()
	late := time.After(2 * time.Minute)
	for i := 0; ; {
		p.mu.Lock()
		heard, more := p.heard, p.more
		p.mu.Unlock()
		for ; i < len(heard); i++ {
			if is(heard[i]) {
				return heard[i]
			}
		}
		select {
		case <-more:
		case <-late:
			p.t.Fatalf("%s never heard %q: %+v", p.name, what, p.Status())
		}
	}
}

// call waits until a call with somebody is in a phase, and gives it.
func (p *person) call(with string, phase api.CallPhase) api.Call {
	p.t.Helper()
	e := p.await(with+" "+string(phase), func(e api.Event) bool { return e.Call != nil && e.Call.Name == with && e.Call.Phase == phase })
	return *e.Call
}

// loudly notes that it begins or ends to ring.
func (p *person) loudly(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loud += n
	p.rings += max(0, n)
}

func (p *person) rang() (times, now int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rings, p.loud
}

func (p *person) microphones() (opened, open int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opened, p.open
}

func (p *person) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = nil
}

// must is for what has to go well.
func (p *person) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

func (p *person) dials(whom string) api.Call {
	p.t.Helper()
	c, err := p.Call(p.t.Context(), whom)
	p.must(err)
	return c
}

// codec is one of silence.
type codec struct{}

func (codec) NewEncoder(record.Profile) (call.Encoder, error)    { return codec{}, nil }
func (codec) NewDecoder(record.Profile) (playout.Decoder, error) { return codec{}, nil }
func (codec) Encode([]byte, *voice.Frame) error                  { return nil }
func (codec) Decode(*voice.Frame, []byte) error                  { return nil }
func (codec) Conceal(*voice.Frame) error                         { return nil }
