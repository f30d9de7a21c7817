package tornet

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// Delays makes streams over the private network as late as they are on Tor's:
//
//	caller ── Write ─► there ─► inner stream ═ tor ═ relays ═ tor ─ callee
//	       ◄─ Read ─── back ◄──
//
// It wraps the caller's end of a stream, not a link between two tors: a
// recorded delay is that of a whole circuit, from end to end, and on a link all
// circuits over it would stall together. Each stream draws a circuit of its own
// and begins at the beginning of its recording.
//
// A lane keeps order and every byte. It takes in 64 KiB; then it blocks, as a
// circuit does whose window is full. The end of a stream is as late as its
// bytes.
//
// Set the fields before the first Wrap. All methods may be called from any
// goroutine.
type Delays struct {
	Base   time.Duration // added to all, each way
	Shared float64       // so much of one more circuit is added to all: what a shared guard and access line do; 0: none

	draw func() (there, back Delay)

	mu     sync.Mutex
	open   []*stream // in the order of their Wrap
	shared [2]Delay
	began  time.Time // of shared
}

// NewDelays draws a circuit for each stream: its delays from caller to callee
// and back. draw is called by one goroutine at a time.
func NewDelays(draw func() (there, back Delay)) *Delays { return &Delays{draw: draw} }

// Wrap delays what is written to a stream, and what is read from it. The stream
// is closed by closing what Wrap returns, which returns at once; as on a
// circuit, what was written before still arrives, late, and then the end. That
// may take as long as the delays do, 30 s at most; [Delays.CloseAll] ends it.
func (d *Delays) Wrap(conn net.Conn) net.Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if d.began.IsZero() {
		d.began = now
		if d.Shared > 0 {
			d.shared[0], d.shared[1] = d.draw()
		}
	}
	s := &stream{Conn: conn, closed: make(chan struct{}), gone: make(chan struct{})}
	there, back := d.draw()
	s.there, s.back = newLane(d.sum(there, 0, now)), newLane(d.sum(back, 1, now))
	d.open = append(d.open, s)
	received := make(chan struct{})
	go func() {
		defer close(received)
		s.receive()
	}()
	go func() {
		defer close(s.gone)
		s.send()
		<-received
		d.mu.Lock()
		defer d.mu.Unlock()
		d.open = slices.DeleteFunc(d.open, func(o *stream) bool { return o == s })
	}()
	return s
}

// sum is all that delays what a stream that began at a time sends one way.
func (d *Delays) sum(own Delay, way int, began time.Time) func() time.Duration {
	base, part, shared, sharedBegan := d.Base, d.Shared, d.shared[way], d.began
	return func() time.Duration {
		sum := base + own(time.Since(began))
		if shared != nil {
			sum += time.Duration(part * float64(shared(time.Since(sharedBegan))))
		}
		return sum
	}
}

// CloseAll breaks all streams at once, those that linger after their Close too,
// as if their circuits had died: what is on its way is lost, both ends see the
// stream end. It returns when no goroutine of theirs is left. Streams may be
// wrapped again afterwards.
func (d *Delays) CloseAll() {
	d.mu.Lock()
	open := slices.Clone(d.open)
	d.mu.Unlock()
	for _, s := range open {
		s.cut()
	}
	for _, s := range open {
		<-s.gone
	}
}

// Stall lets nothing through stream i for a while, either way. The oldest of
// those that are open is 0.
func (d *Delays) Stall(i int, long time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i < 0 || i >= len(d.open) {
		return fmt.Errorf("stalling stream %d: %d are open", i, len(d.open))
	}
	until := time.Now().Add(long)
	for _, l := range []*lane{d.open[i].there, d.open[i].back} {
		l.update(func() { l.held = until })
	}
	return nil
}

// linger is how long a closed stream's bytes may still be on their way.
const linger = 30 * time.Second

// stream is a delayed connection.
type stream struct {
	net.Conn    // the inner one; for its addresses
	there, back *lane

	once   sync.Once
	closed chan struct{} // by Close or cut
	gone   chan struct{} // when nothing of it runs
}

func (s *stream) Read(p []byte) (int, error)  { return s.back.take(p) }
func (s *stream) Write(p []byte) (int, error) { return s.there.put(p) }

// Close ends both ways for the caller at once.
func (s *stream) Close() error {
	s.once.Do(func() {
		by := time.Now().Add(linger)
		s.there.update(func() { s.there.takeBy = by })
		s.there.finish(io.EOF)
		s.back.abort(io.EOF, net.ErrClosed)
		s.Conn.SetWriteDeadline(by)
		s.Conn.SetReadDeadline(time.Unix(1, 0)) // receive ends
		close(s.closed)
	})
	return nil
}

// cut ends both ways for both ends at once.
func (s *stream) cut() {
	s.there.abort(io.ErrClosedPipe, io.EOF)
	s.back.abort(io.EOF, io.EOF)
	s.Conn.Close()
	s.once.Do(func() { close(s.closed) })
}

func (s *stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

func (s *stream) SetReadDeadline(t time.Time) error {
	s.back.update(func() { s.back.takeBy = t })
	return nil
}

func (s *stream) SetWriteDeadline(t time.Time) error {
	s.there.update(func() { s.there.putBy = t })
	return nil
}

// send hands on what is due, until the stream is closed.
func (s *stream) send() {
	defer s.Conn.Close()
	buffer := make([]byte, window)
	for {
		n, err := s.there.take(buffer)
		if err != nil {
			return
		}
		if _, err := s.Conn.Write(buffer[:n]); err != nil {
			s.there.abort(err, err)
			<-s.closed // until then there may be something to read
			return
		}
	}
}

// receive takes in what comes, until there is no more.
func (s *stream) receive() {
	buffer := make([]byte, window/4)
	for {
		n, err := s.Conn.Read(buffer)
		if n > 0 {
			if _, err := s.back.put(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			s.back.finish(err)
			return
		}
	}
}
