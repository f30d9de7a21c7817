package onion

import (
	"context"
	"time"
)

// forgetPause is how often tor forgets: it puts off what comes sooner.
const forgetPause = 10 * time.Second

// Forget makes tor drop what it remembers of the onion services that it was
// asked for: their descriptors, which introduction points failed, which
// directories were asked. Without it a service whose tor was started anew is
// looked for where it was, at introduction points that take the message and
// have nobody to pass it to, and the directories are not asked again for 15
// minutes (tor's control-spec, SIGNAL NEWNYM). Open streams are left alone.
// Within 10 s of the last time it does nothing, nor while tor is down (one
// started anew remembers nothing), nor with a running tor that others use, too.
func (n *Node) Forget(ctx context.Context) {
	n.mu.Lock()
	link := n.link
	if n.cfg.Running != (Running{}) || !n.forgot.IsZero() && time.Since(n.forgot) < forgetPause {
		link = nil
	}
	if link != nil {
		n.forgot = time.Now()
	}
	n.mu.Unlock()
	if link == nil {
		return
	}
	if _, err := link.command(ctx, "SIGNAL NEWNYM"); err != nil {
		n.log.Debug("making tor forget", "err", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.keys {
		c.link = nil // tor forgets keys for closed addresses, too
	}
}
