package onion

import (
	"context"
	"strings"
)

// Health is what tor says of itself once it is ready.
type Health struct {
	Circuits bool   // it has built one
	Skew     string // how far this machine's clock is off, "" if nobody found it so
	Bare     bool   // our own tor was to have its sandbox, and this build or kernel has none
}

// Health asks tor. A filtered control port that refuses to say is an error.
func (n *Node) Health(ctx context.Context) (Health, error) {
	n.mu.Lock()
	link, skew, bare := n.link, n.skew, n.bare
	n.mu.Unlock()
	if link == nil {
		return Health{}, ErrTorStopped
	}
	r, err := link.command(ctx, "GETINFO status/circuit-established")
	if err != nil {
		return Health{}, err
	}
	said := strings.Join(r.Data, "\n")
	return Health{Circuits: strings.Contains(said, "circuit-established=1"), Skew: skew, Bare: bare}, nil
}
