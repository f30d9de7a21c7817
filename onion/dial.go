package onion

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/sottovoce/sotto/identity"
)

const (
	dialWait = 40 * time.Second // for one Dial with all its attempts; tor's own answer may take 120 s
	// offlineWait is how long a Dial goes on when no directory knows the address,
	// or its introduction points do not: long enough for a service that has just
	// been published, or published anew, to be found.
	offlineWait = 25 * time.Second
	// lockedWait is the same for a closed address that does not admit our key: a
	// directory may still hold the descriptor from before we were let in.
	lockedWait   = 6 * time.Second
	firstRetry   = 250 * time.Millisecond // doubles
	longestRetry = 4 * time.Second
)

// Dial opens a stream to address, on a circuit that only streams with the same
// isolation share. tor is waited for. An attempt that fails is made again, as a
// descriptor just uploaded may not be found at once, until ctx ends or 40 s
// have passed, or 25 s if tor says that the address is offline, or 6 s if it does
// not admit our key. Errors wrap [ErrUnreachable], [ErrAuthorisation],
// [ErrBadAddress], [ErrNotReady] or [ErrTorStopped], and the last [Reply] where
// there was one.
//
// tor is asked for nothing but a valid onion address. When ctx ends, tor is left
// at once and drops the stream; a circuit that it has built for this isolation
// it keeps for a while, unused.
func (n *Node) Dial(ctx context.Context, address identity.Address, who Isolation) (net.Conn, error) {
	conn, err := n.dial(ctx, address, who)
	if err != nil {
		return nil, fmt.Errorf("calling %v: %w", address, err)
	}
	return n.keep(conn)
}

func (n *Node) dial(ctx context.Context, address identity.Address, who Isolation) (net.Conn, error) {
	errSilent := fmt.Errorf("it gave no answer for %v: it may have gone offline a moment ago, try again later", dialWait)
	ctx, cancel := context.WithTimeoutCause(ctx, dialWait, errSilent)
	defer cancel()
	began := time.Now()
	pause := firstRetry
	var last error
	for {
		if err := n.Ready(ctx); err != nil {
			return nil, err
		}
		notGiven := n.present(ctx, address)
		conn, err := connectSocks(ctx, n.reachSocks, address.Onion(), Port, who)
		if err == nil {
			return conn, nil
		}
		if ctx.Err() != nil {
			return nil, verdict(ctx, last)
		}
		if errors.Is(err, errNotOnion) {
			return nil, err
		}
		var reply Reply
		if errors.As(err, &reply) {
			wait := time.Duration(0)
			switch {
			case reply == NoDescriptor || reply == IntroductionFailed:
				wait = offlineWait
			case reply == WrongAuthorisation:
				wait = lockedWait
			case reply.Temporary():
				wait = dialWait
			}
			if time.Since(began) >= wait {
				if errors.Is(reply, ErrAuthorisation) && notGiven != nil {
					return nil, fmt.Errorf("%w; %w", refused(reply), notGiven)
				}
				return nil, refused(reply)
			}
		}
		// Anything else is tor itself dying: Ready waits for the next one.
		n.log.Debug("dial", "address", address.String(), "err", err, "retry", pause)
		last = err
		select {
		case <-ctx.Done():
			return nil, verdict(ctx, last)
		case <-time.After(pause):
		}
		pause = min(2*pause, longestRetry)
	}
}

// verdict is a Dial's error when its time is up: last is why the attempt
// before failed, nil if the first was still under way.
func verdict(ctx context.Context, last error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Cause(ctx)
	case last == nil:
		return fmt.Errorf("%w: %w", ErrUnreachable, context.Cause(ctx))
	case errors.Is(last, ErrAuthorisation):
		return fmt.Errorf("%w: %w", ErrAuthorisation, last)
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, last)
}

// refused is a Dial's error after a reply that ends it.
func refused(reply Reply) error {
	if kind := reply.Unwrap(); kind != nil {
		return fmt.Errorf("%w: %w", kind, reply)
	}
	return reply
}
