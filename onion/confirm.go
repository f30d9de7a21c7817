package onion

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// eventsDue is how long after ADD_ONION a running tor's word of an upload is
	// waited for, before we look for ourselves. Uploads take seconds.
	eventsDue = 20 * time.Second
	// probeWait bounds one look, probePause is what lies between two.
	probeWait  = 30 * time.Second
	probePause = 3 * time.Second
	// closedWait is when a closed service of which nothing can be known counts
	// as published.
	closedWait = 45 * time.Second
	// collisionPause is when a running tor is asked again that has the address
	// still, from a connection that was lost a moment ago.
	collisionPause = 3500 * time.Millisecond
)

// confirm finds out, until ctx ends, that services are published where a running
// tor does not tell, because what stands before it keeps HS_DESC events back: it
// calls the address through Tor and hangs up at once. The service sees a caller
// that says nothing. To a closed one we have no key: it is published if tor says
// that a key is missing, and where tor does not say so much, taken to be so after
// a while.
func (n *Node) confirm(ctx context.Context, link *link) {
	due := eventsDue
	if !strings.Contains(link.running.tellsOf, "HS_DESC") {
		due = time.Second
	}
	for {
		var s *service
		err := n.await(ctx, func() (bool, error) {
			for _, s = range n.services {
				if s.awaits(link) {
					return true, nil
				}
			}
			return false, nil
		})
		if err != nil {
			return
		}
		began, wait := time.Now(), due
		for n.awaits(s, link) {
			if !pause(ctx, wait) {
				return
			}
			wait = probePause
			if n.awaits(s, link) && n.probe(ctx, s, time.Since(began)) {
				n.log.Info("published, though this tor does not tell of uploads")
				n.seen(link, s)
				due = time.Second
			}
		}
	}
}

// awaits tells whether a service has been asked for on link, and no word of an
// upload has come. node.mu is held.
func (s *service) awaits(link *link) bool {
	return s.link == link && s.asked && !s.uploaded && !s.outdated && s.err == nil
}

func (n *Node) awaits(s *service, link *link) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return s.awaits(link)
}

// probe tells whether a service is found through Tor, a time after it was
// published.
func (n *Node) probe(ctx context.Context, s *service, since time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	conn, err := connectSocks(ctx, n.reachSocks, s.key.Address().Onion(), Port, NewIsolation())
	if err == nil {
		conn.Close()
		return true
	}
	n.log.Debug("not published yet", "err", err)
	n.mu.Lock()
	defer n.mu.Unlock()
	return s.closed && (errors.Is(err, ErrAuthorisation) || since > closedWait && ctx.Err() == nil)
}

// seen notes that s is published on link.
func (n *Node) seen(link *link, s *service) {
	first := false
	n.update(func() {
		if first = s.awaits(link); first {
			s.uploaded = true
		}
	})
	if first && s.published != nil {
		s.published()
	}
}

// publishedOn lists the services that are published on link.
func (n *Node) publishedOn(link *link) []*service {
	n.mu.Lock()
	defer n.mu.Unlock()
	found := []*service{}
	for _, s := range n.services {
		if s.link == link && s.uploaded && s.err == nil {
			found = append(found, s)
		}
	}
	return found
}

// republish has those of our services published anew that are not among what
// tor says it has.
func (n *Node) republish(ours []*service, has string) {
	for _, s := range ours {
		if strings.Contains(has, serviceID(s.key.Address())) {
			continue
		}
		n.log.Warn("tor has lost a service of ours: publishing it again")
		n.update(func() {
			if s.err == nil && s.uploaded {
				s.link, s.uploaded = nil, false
			}
		})
	}
}

// unpublished is what becomes of a service that tor was asked to publish on link
// and did not. A lost connection or a tor that hangs says nothing about the
// service: the next one is asked. What tor refuses is over, but where a running
// one still has the address from a connection that is lost.
func (s *service) unpublished(ctx context.Context, link *link, err error) {
	refusal := refusalOf(err)
	switch {
	case errors.Is(err, errLinkClosed), errors.Is(err, context.DeadlineExceeded):
	case refusal == nil || link.running == nil:
		s.fail(err)
	case refusal.Code == 550:
		s.node.update(func() { s.trouble = refusal.Msg })
		if pause(ctx, collisionPause) {
			s.node.update(func() {
				if s.link == link {
					s.link = nil
				}
			})
		}
	case refusal.Code == 510:
		s.fail(fmt.Errorf("%w: a filter stands before this tor: give it sotto's profile (docs/onion-grater)", err))
	default:
		s.fail(err)
	}
}

// pause waits, and tells whether ctx still goes on then.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
