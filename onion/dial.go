package onion

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
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
	lockedWait = 6 * time.Second
	// silentWait is how long [Node.Reach] waits for an attempt's answer before it
	// makes another beside it. tor itself waits up to 60 s, as it asks where it
	// believes the service to be: long gone, if its tor was started anew.
	silentWait   = 12 * time.Second
	firstRetry   = 250 * time.Millisecond // doubles
	longestRetry = 4 * time.Second
)

// Dial opens a stream to address, on a circuit that only streams with the same
// isolation share. tor is waited for. An attempt that fails is made again, as a
// descriptor just uploaded may not be found at once, until ctx ends or 40 s
// have passed, or 25 s if tor says that the address is offline, or 6 s if it does
// not admit our key. Errors wrap [ErrUnreachable], [ErrAuthorisation],
// [ErrBadAddress], [ErrNotReady], [ErrTorStopped], or [ErrOffline] in place of
// [ErrUnreachable] while this side has no way out, and the last [Reply] where
// there was one.
//
// tor is asked for nothing but a valid onion address. When ctx ends, tor is left
// at once and drops the stream; a circuit that it has built for this isolation
// it keeps for a while, unused.
func (n *Node) Dial(ctx context.Context, address identity.Address, who Isolation) (net.Conn, error) {
	return n.dial(ctx, address, func(ctx context.Context) (net.Conn, error) { return n.attempt(ctx, address, who) })
}

// Reach is Dial on a circuit of its own, for who does not know whether and where
// the address is to be found now: before an attempt is made again, tor is made to
// forget where it has looked ([Node.Forget]). An attempt without an answer for
// 12 s goes on while another is made beside it; the first that gets through wins.
// This may cost the service two introductions more.
func (n *Node) Reach(ctx context.Context, address identity.Address) (net.Conn, error) {
	return n.dial(ctx, address, func(ctx context.Context) (net.Conn, error) { return n.insist(ctx, address) })
}

func (n *Node) dial(ctx context.Context, address identity.Address, attempt func(context.Context) (net.Conn, error)) (net.Conn, error) {
	conn, err := n.persist(ctx, address, attempt)
	if errors.Is(err, ErrUnreachable) && n.offline() {
		err = ErrOffline // nobody was asked
	}
	if err != nil {
		return nil, fmt.Errorf("calling %v: %w", address, err)
	}
	return n.keep(conn)
}

// persist makes attempts until one succeeds or there is a verdict.
func (n *Node) persist(ctx context.Context, address identity.Address, attempt func(context.Context) (net.Conn, error)) (net.Conn, error) {
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
		conn, err := attempt(ctx)
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

// attempt asks tor once.
func (n *Node) attempt(ctx context.Context, address identity.Address, who Isolation) (net.Conn, error) {
	return connectSocks(ctx, n.reachSocks, address.Onion(), Port, who)
}

// insist is an attempt, and further ones beside it while there is no answer. The
// answer of one that has been overtaken counts only if it is yes: what the
// latest asks is newer.
func (n *Node) insist(ctx context.Context, address identity.Address) (net.Conn, error) {
	type answer struct {
		net.Conn
		err error
		nth int
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel(errAnswered)
	answers := make(chan answer)
	latest := 0
	ask := func() {
		latest++
		nth := latest
		asking.Go(func() {
			conn, err := n.attempt(ctx, address, NewIsolation())
			select {
			case answers <- answer{conn, err, nth}:
			case <-ctx.Done():
				if err == nil {
					conn.Close()
				}
			}
		})
	}
	ask()
	again := time.NewTicker(silentWait)
	defer again.Stop()
	for {
		select {
		case a := <-answers:
			if errors.Is(a.err, ErrUnreachable) {
				n.Forget(ctx)
			}
			if a.err == nil || a.nth == latest {
				return a.Conn, a.err
			}
		case <-again.C:
			n.Forget(ctx)
			_ = n.present(ctx, address) // tor forgets that, too; persist tells of a refusal
			ask()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

var errAnswered = errors.New("another attempt was answered")

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
