package onion

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	firstPause   = 100 * time.Millisecond // before tor's first restart; doubles
	longestPause = 15 * time.Second
	restarts     = 8                      // of our own tor in a row without getting ready, then Run gives up: about 25 s
	patience     = 500 * time.Millisecond // for a dying tor to say why
	socketWait   = 30 * time.Second       // for tor to open its control socket
	publishWait  = 120 * time.Second      // for a descriptor's upload
)

// Run starts tor and keeps it: when it dies or hangs, it is started again, with
// growing pauses, and every service is published anew. Run returns nil when ctx
// ends, and an error that wraps [ErrTorStopped] when tor cannot be started at
// all or keeps dying. Either way tor is gone when it returns, and all listeners
// and their connections are closed.
//
// A running tor ([Config.Running]) is attached to in place of that. It must be
// there when Run begins; if it goes later, Run waits for it as long as ctx lasts.
//
// A Node runs once.
func (n *Node) Run(ctx context.Context) (err error) {
	n.mu.Lock()
	again := n.started
	n.started = true
	n.mu.Unlock()
	if again {
		return errors.New("onion: Run called twice")
	}
	defer func() { n.end(err) }()

	unlock, err := lockFolder(n.cfg.Dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTorStopped, err)
	}
	defer unlock()
	own := n.cfg.Running.Control == ""
	if own {
		layout, err := makeLayout(n.cfg.Dir)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrTorStopped, err)
		}
		defer layout.remove()
		n.update(func() { n.layout = layout })
	}

	sandbox, everUp := own && hasSandbox && !n.managed, false
	for failures := 0; ; {
		var up, ready bool
		if own {
			up, ready, err = n.session(ctx, sandbox)
		} else {
			up, ready, err = n.attach(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		everUp = everUp || up
		if ready {
			failures = 0
		}
		failures++
		n.log.Warn("tor is down", "failures", failures, "err", err)
		switch {
		case !up && sandbox && strings.Contains(strings.ToLower(err.Error()), "sandbox"):
			n.log.Warn("tor has no sandbox here, it runs without")
			sandbox = false // a tor built without seccomp, or a kernel that forbids it
			n.update(func() { n.bare = true })
			continue
		case !everUp, own && failures > restarts:
			return fmt.Errorf("%w: %w", ErrTorStopped, err)
		}
		n.show(Bootstrap{Tag: "lost", Summary: "tor is gone, waiting for it", Warning: plain(err.Error()), Offline: true})
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(min(firstPause<<min(failures-1, 16), longestPause)):
		}
	}
}

// end is the last thing that Run does: whoever waits learns why.
func (n *Node) end(err error) {
	if err == nil {
		err = ErrTorStopped
	}
	var open []*service
	n.update(func() {
		n.stopped = err
		for _, s := range n.services {
			open = append(open, s)
		}
	})
	for _, s := range open {
		s.fail(err)
	}
	n.closeStreams()
}

// session is one tor from its start to its end. up tells whether it could be
// controlled, ready whether it reached the network.
func (n *Node) session(ctx context.Context, sandbox bool) (up, ready bool, err error) {
	torrc, err := n.layout.torrc(n.cfg.Torrc, sandbox)
	if err != nil {
		return false, false, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	dead, died := context.WithCancelCause(ctx)
	exit := make(chan error, 1)
	go func() {
		err := Process{
			Path: n.program.Path,
			Args: []string{"-f", torrc, "--defaults-torrc", os.DevNull},
			Line: func(line string) { n.log.Debug("tor says", "line", line) },
		}.Run(ctx)
		exit <- err
		died(err)
	}()

	up, ready, err = n.control(dead)
	// A tor that broke the connection is dying; let it say why.
	select {
	case <-dead.Done():
	case <-time.After(patience):
	}
	stop()
	if reason := <-exit; reason != nil {
		err = reason
	}
	return up, ready, err
}

// control speaks with a running tor until the connection or ctx ends.
func (n *Node) control(ctx context.Context) (up, ready bool, err error) {
	dialing, cancel := context.WithTimeoutCause(ctx, socketWait, fmt.Errorf("not within %v", socketWait))
	link, err := dialLink(dialing, n.cfg.Wire, n.layout.control())
	cancel()
	if err != nil {
		return false, false, err
	}
	defer context.AfterFunc(ctx, link.close)()
	phase, err := link.open(n.layout.cookie())
	if err != nil {
		link.close()
		return false, false, err
	}
	return n.serve(ctx, link, phase)
}

// serve publishes over an authenticated link and follows tor's events, until
// the connection or ctx ends.
func (n *Node) serve(ctx context.Context, link *link, phase string) (up, ready bool, err error) {
	defer link.close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(ctx, link.close)()

	n.update(func() {
		n.link, n.last, n.skew, n.moved, n.advised = link, Bootstrap{}, "", time.Now(), false
		n.entrance = entrance{}
		if link.running != nil {
			n.program = Program{Version: link.running.version}
		}
	})
	var workers sync.WaitGroup
	workers.Go(func() { n.publishAll(ctx, link) })
	workers.Go(func() { n.watch(ctx, link) })
	if link.running != nil {
		workers.Go(func() { n.confirm(ctx, link) })
	}
	n.bootstrap(phase)
	err = link.read(n.event)
	n.update(func() {
		ready = n.ready
		n.link, n.ready, n.entrance, n.uploads = nil, false, entrance{}, transfers{}
	})
	stop()
	workers.Wait()
	return true, ready, err
}

// lockFolder keeps a second Node, of this program or another, out of dir. The
// kernel frees the lock when this program ends, however it ends.
func lockFolder(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("tor's folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("tor's folder: %w", err)
	}
	if err := tryLock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("another program runs tor in %s: stop it first (%w)", dir, err)
	}
	return func() { f.Close() }, nil
}
