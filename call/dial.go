package call

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/sottovoce/sotto/call/handshake"
	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
)

// ErrUnreached says that the other side does not answer the greeting.
var ErrUnreached = errors.New("the other side was reached and did not answer the greeting; it may have many callers: call again in a minute")

// HandshakeTime is how long a handshake may take, dialling not included.
const HandshakeTime = 15 * time.Second

// A stream that ends in the middle of the greeting may have had to make room for
// others at a callee with many at the door: it is tried again.
const (
	greetTries = 3
	greetPause = time.Second
)

// offer is what this side can do: protocol version 1, the voice profiles from
// Profile down, a record every 20 ms.
func (c *Config) offer() handshake.Offer {
	all := handshake.Set(1)<<len(record.Profiles) - 1
	return handshake.Offer{Versions: 1, Profiles: all &^ (1<<c.Profile - 1), Paces: 1}
}

// Dial calls peer: it opens a stream and proves both sides to each other. The
// call begins with Run, which must follow at once. When ctx ends before the other
// side may know of the call, the error is ctx's; when later, the call is given
// all the same.
func Dial(ctx context.Context, c Config, peer identity.Address) (*Call, error) {
	if c.Paths == 0 {
		c.Paths = DefaultPaths
	}
	if c.Audition == 0 && c.Paths > 1 {
		c.Audition = DefaultAudition
	}
	for try := 1; ; try++ {
		call, err := dialOnce(ctx, c, peer)
		if ctx.Err() != nil && err != nil {
			return nil, ctx.Err()
		}
		if err == nil || try == greetTries || !errors.Is(err, ErrUnreached) || errors.Is(err, os.ErrDeadlineExceeded) {
			return call, err
		}
		if !pause(ctx, greetPause) {
			return nil, ctx.Err()
		}
	}
}

func dialOnce(ctx context.Context, c Config, peer identity.Address) (*Call, error) {
	began := time.Now()
	conn, err := c.Dial(ctx, peer)
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	call, err := greet(ctx, c, peer, conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	call.keeper = paths.NewKeeper(c.Paths, c.Audition, took)
	return call, nil
}

func greet(ctx context.Context, c Config, peer identity.Address, conn net.Conn) (*Call, error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(HandshakeTime)); err != nil {
		return nil, fmt.Errorf("greeting the other side: %w", err)
	}
	h, err := handshake.NewCaller(c.Key, peer, c.offer(), nil)
	if err != nil {
		return nil, err
	}
	m1, err := h.M1()
	if err != nil {
		return nil, err
	}
	sent := time.Now()
	if _, err := conn.Write(m1); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrUnreached, err)
	}
	m2 := make([]byte, handshake.M2Size)
	if _, err := io.ReadFull(conn, m2); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrUnreached, err)
	}
	trip := time.Since(sent)
	choice, err := h.M2(m2)
	if err != nil {
		return nil, err
	}
	wishes := handshake.Wishes{Paths: uint8(c.Paths)}
	rand.Read(wishes.CallID[:])
	m3, secrets, err := h.M3(wishes)
	if err != nil {
		return nil, err
	}
	if !stop() {
		return nil, ctx.Err() // and with m3 not sent the other side has no call
	}
	if _, err := conn.Write(m3); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrUnreached, err)
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("greeting the other side: %w", err)
	}
	call, err := newCall(c, peer, true, wishes, choice, &secrets, conn)
	if err == nil {
		call.GreetingTrip = trip
	}
	return call, err
}
