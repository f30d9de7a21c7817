package call_test

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/sottovoce/sotto/identity"
)

// network carries streams between parties, each an ordered, reliable stream
// with a delay, like a circuit of Tor. It runs on the fake clock of synctest.
type network struct {
	delay     time.Duration
	began     time.Time
	mu        sync.Mutex
	down      bool // nothing connects
	listeners map[identity.Address]*listener
}

type listener struct {
	party *party
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (n *network) listen(p *party) *listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.at(p.key.Address())
	l.party = p
	return l
}

func (n *network) at(a identity.Address) *listener {
	if n.listeners[a] == nil {
		n.listeners[a] = &listener{conns: make(chan net.Conn, 200), done: make(chan struct{})}
	}
	return n.listeners[a]
}

// dial opens a stream to a, if the network is up.
func (n *network) dial(a identity.Address) (*wire, error) {
	n.mu.Lock()
	down := n.down
	n.mu.Unlock()
	if down {
		return nil, errors.New("the network is down")
	}
	pass(offGrid) // so that joins and ticks do not fall on one instant
	return n.connect(a), nil
}

// fail takes the network down: what was connected breaks or stands still, and
// nothing new connects.
func (n *network) fail(breaks bool, parties ...*party) {
	n.mu.Lock()
	n.down = true
	n.mu.Unlock()
	for _, p := range parties {
		for _, w := range p.wires() {
			if breaks {
				w.Close()
			} else {
				w.stall()
			}
		}
	}
}

// mend brings it up again, for new streams.
func (n *network) mend() {
	n.mu.Lock()
	n.down = false
	n.mu.Unlock()
}

// connect opens a stream to a.
func (n *network) connect(a identity.Address) *wire {
	there, back := newPipe(n.delay), newPipe(n.delay)
	near, far := &wire{in: back, out: there, began: n.began}, &wire{in: there, out: back, began: n.began}
	n.mu.Lock()
	l := n.at(a)
	n.mu.Unlock()
	l.conns <- far
	return near
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		l.party.strung(c.(*wire))
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *listener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: "onion"} }

// write is one write on a stream, as seen from outside.
type write struct {
	at   time.Duration // since the network began
	path int           // which of the party's streams, in order
	size int
}

// wire is one end of a stream, which remembers what was written when.
type wire struct {
	in, out *pipe
	began   time.Time
	mu      sync.Mutex
	writes  []write
	first   []byte // the first write, whole
}

func (w *wire) firstWrite() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first
}

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	w.writes = append(w.writes, write{at: time.Since(w.began), size: len(b)})
	if w.first == nil {
		w.first = slices.Clone(b)
	}
	w.mu.Unlock()
	return w.out.write(b)
}

func (w *wire) log() []write {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes
}

func (w *wire) Read(b []byte) (int, error)         { return w.in.read(b) }
func (w *wire) Close() error                       { w.in.sever(); w.out.close(); return nil }
func (w *wire) SetDeadline(t time.Time) error      { w.in.deadline(t); return nil }
func (w *wire) SetReadDeadline(t time.Time) error  { w.in.deadline(t); return nil }
func (w *wire) SetWriteDeadline(t time.Time) error { return nil }
func (w *wire) LocalAddr() net.Addr                { return &net.UnixAddr{Name: "near"} }
func (w *wire) RemoteAddr() net.Addr               { return &net.UnixAddr{Name: "far"} }

// stall makes both directions stand still; resume lets all of it through.
func (w *wire) stall()  { w.in.hold(true); w.out.hold(true) }
func (w *wire) resume() { w.in.hold(false); w.out.hold(false) }

// pipe is one direction: bytes come out in order, delay after they went in.
type pipe struct {
	delay  time.Duration
	mu     sync.Mutex
	chunks []chunk
	held   bool
	cut    bool // what was on its way is lost
	closed bool
	until  time.Time     // read deadline
	news   chan struct{} // closed and replaced at each change
}

type chunk struct {
	due  time.Time
	data []byte
}

func newPipe(d time.Duration) *pipe { return &pipe{delay: d, news: make(chan struct{})} }

func (p *pipe) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.news)
	p.news = make(chan struct{})
}

func (p *pipe) hold(on bool)         { p.change(func() { p.held = on }) }
func (p *pipe) close()               { p.change(func() { p.closed = true }) }
func (p *pipe) sever()               { p.change(func() { p.closed, p.cut = true, true }) }
func (p *pipe) deadline(t time.Time) { p.change(func() { p.until = t }) }

func (p *pipe) write(b []byte) (int, error) {
	err := error(nil)
	p.change(func() {
		if p.closed {
			err = io.ErrClosedPipe
			return
		}
		p.chunks = append(p.chunks, chunk{time.Now().Add(p.delay), append([]byte(nil), b...)})
	})
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

func (p *pipe) read(b []byte) (int, error) {
	for {
		p.mu.Lock()
		now := time.Now()
		var wake time.Time
		switch {
		case !p.until.IsZero() && !now.Before(p.until):
			p.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		case p.closed && (p.held || len(p.chunks) == 0 || p.cut):
			p.mu.Unlock()
			return 0, io.EOF
		case len(p.chunks) > 0 && !p.held && !p.chunks[0].due.After(now):
			n := copy(b, p.chunks[0].data)
			if p.chunks[0].data = p.chunks[0].data[n:]; len(p.chunks[0].data) == 0 {
				p.chunks = p.chunks[1:]
			}
			p.mu.Unlock()
			return n, nil
		case len(p.chunks) > 0 && !p.held:
			wake = p.chunks[0].due
		}
		if !p.until.IsZero() && (wake.IsZero() || p.until.Before(wake)) {
			wake = p.until
		}
		news := p.news
		p.mu.Unlock()
		if wake.IsZero() {
			<-news
			continue
		}
		timer := time.NewTimer(time.Until(wake))
		select {
		case <-news:
		case <-timer.C:
		}
		timer.Stop()
	}
}
