package onion

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	// pulse is how often tor is asked whether it still answers. With the time
	// that a command has, a hung one is noticed within 15 s.
	pulse = 5 * time.Second
	// stuckAfter is how long tor may stay at one stage of its start before
	// advice is given.
	stuckAfter = 30 * time.Second
)

// watch asks tor now and then for something small, until ctx ends. A tor that
// does not answer is given up. Our own is asked whether it has a way into the
// network. One that is not ours is asked whether it still
// has our services: a filter before it may have lost its own connection, and
// with it our services, without a word to us.
func (n *Node) watch(ctx context.Context, link *link) {
	tick := time.NewTicker(pulse)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n.adviseIfStuck()
		question, published := "GETINFO status/bootstrap-phase", []*service(nil)
		switch ready := n.isReady(); {
		case ready && link.running != nil:
			question, published = "GETINFO onions/current", n.publishedOn(link)
		case ready:
			question = askEntrance
		}
		r, err := link.command(ctx, question)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && question == askEntrance:
			n.enter(r.Data)
		case err == nil && published == nil && !n.isReady() && len(r.Data) > 0: // events may be kept from us
			if _, phase, ok := strings.Cut(r.Data[0], "="); ok {
				n.bootstrap(phase)
			}
		case err == nil && published != nil:
			n.republish(published, strings.Join(r.Data, "\n"))
		case err != nil && refusalOf(err) == nil:
			link.giveUp(fmt.Errorf("tor hangs: %w", err))
			return
		}
	}
}
