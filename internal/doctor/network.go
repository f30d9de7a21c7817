package doctor

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/onion"
)

// joinWait is how long tor may take into the network before that is a failure.
const joinWait = 90 * time.Second

// network looks at tor, from the program to a call to oneself. What depends on
// a thing that failed is skipped.
func network(ctx context.Context, c Config, note func(Finding)) {
	rest := []string{"tor", "bootstrap", "sandbox", "clock", "circuits", "reach"}
	done := func(f Finding) {
		rest = rest[1:]
		note(f)
	}
	defer func() {
		for _, name := range rest {
			note(skipped(name, "what comes before it failed"))
		}
	}()
	p, err := phone.New(c.Phone)
	if err != nil {
		done(fail("tor", err, torFix(err, c.Phone)))
		return
	}
	running := c.Phone.Running.Control != "" // whose version is known only once it is spoken to
	if !running {
		done(program(p.Node))
	}
	began := time.Now()
	err = p.Run(ctx, func(ctx context.Context) error {
		joining, cancel := context.WithTimeoutCause(ctx, joinWait, fmt.Errorf("not within %v", joinWait))
		defer cancel()
		if err := p.Node.Ready(joining); err != nil {
			return err
		}
		if running {
			done(program(p.Node))
		}
		done(well("bootstrap", fmt.Sprintf("in the Tor network after %.1f s", time.Since(began).Seconds())))
		for _, f := range health(ctx, p.Node) {
			done(f)
		}
		done(reach(ctx, p.Node, c))
		return nil
	})
	if err != nil && len(rest) > 0 && ctx.Err() == nil {
		if errors.Is(err, unix.EWOULDBLOCK) { // tor's folder is taken: say by whom
			if lock, taken := vault.Acquire(c.Phone.Home, "sotto doctor"); taken == nil {
				lock.Release()
			} else {
				err = taken
			}
		}
		done(fail(rest[0], err, torFix(err, c.Phone)))
	}
}

// program is what tor it is.
func program(n *onion.Node) Finding {
	if warning := n.Warning(); warning != "" {
		return warn("tor", "version "+n.Version()+": "+warning, "get tor 0.4.9.11 or newer from your system or torproject.org")
	}
	return well("tor", "version "+n.Version())
}

// health is what tor says of its sandbox, the clock and its circuits.
func health(ctx context.Context, n *onion.Node) []Finding {
	h, err := n.Health(ctx)
	sandbox, clock, circuits := well("sandbox", "nothing that tor was asked for is missing"), well("clock", "right, as far as tor can tell"), well("circuits", "tor builds them")
	if h.Bare {
		sandbox = warn("sandbox", "this tor, or this kernel, has none: a fault in tor would reach further", "get a tor that is built with seccomp, as Debian's is")
	}
	switch {
	case err != nil:
		clock = skipped("clock", err.Error())
		circuits = skipped("circuits", err.Error())
	case !h.Circuits:
		circuits = warn("circuits", "tor has built none yet", "wait a little and run it again; "+blocked)
	}
	if h.Skew != "" {
		clock = warn("clock", h.Skew, "set this machine's clock and time zone")
	}
	return []Finding{sandbox, clock, circuits}
}

// reach publishes an address, calls it through Tor and sends something there
// and back.
func reach(ctx context.Context, n *onion.Node, c Config) Finding {
	const name = "reach"
	whose, key := "this profile's address", c.Key
	if key == nil {
		whose = "an address made for this"
		var err error
		if key, err = identity.NewKey(nil); err != nil {
			return fail(name, err, "run it again")
		}
	}
	failed := func(err error) Finding {
		fix := torFix(err, c.Phone)
		if errors.Is(err, onion.ErrUnreachable) {
			fix = "run it again in a few minutes: directories may not have the address yet"
		}
		return fail(name, err, fix)
	}
	began := time.Now()
	listener, err := n.Listen(ctx, key, onion.Service{})
	if err != nil {
		return failed(err)
	}
	published := time.Since(began)
	echoed := make(chan struct{})
	go func() {
		defer close(echoed)
		echo(listener)
	}()
	defer func() {
		listener.Close()
		<-echoed
	}()
	began = time.Now()
	conn, err := n.Reach(ctx, key.Address())
	if err != nil {
		return failed(err)
	}
	defer conn.Close()
	connected := time.Since(began)
	began = time.Now()
	if err := bounce(conn); err != nil {
		return failed(fmt.Errorf("%w: connected, and nothing came back: %w", onion.ErrUnreachable, err))
	}
	return well(name, fmt.Sprintf("%s: published in %.1f s, called in %.1f s, %d ms there and back",
		whose, published.Seconds(), connected.Seconds(), time.Since(began).Milliseconds()))
}

const bounceSize, bounceWait = 32, 15 * time.Second

// echo sends what each caller says back to them, until l is closed.
func echo(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		var said [bounceSize]byte
		_ = conn.SetDeadline(time.Now().Add(bounceWait))
		if _, err := io.ReadFull(conn, said[:]); err == nil {
			_, _ = conn.Write(said[:])
			_, _ = conn.Read(said[:1]) // they close, so that nothing is cut off
		}
		conn.Close()
	}
}

func bounce(conn net.Conn) error {
	said, heard := make([]byte, bounceSize), make([]byte, bounceSize)
	rand.Read(said)
	if err := conn.SetDeadline(time.Now().Add(bounceWait)); err != nil {
		return err
	}
	if _, err := conn.Write(said); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, heard); err != nil {
		return err
	}
	if !bytes.Equal(said, heard) {
		return errors.New("something else than was said")
	}
	return nil
}
