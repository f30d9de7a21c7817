package tornet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// typical is how long a network's tors take until it is usable: the scale of
// the progress bar.
const typical = 15 * time.Second

// late is how far into a voting interval tors can still be started in time for
// its vote: they take under a second to announce themselves, and votes are cast
// after three.
const late = 500 * time.Millisecond

// awaitBeat waits for the next multiple of the first voting interval, unless the
// last one was just now.
func awaitBeat(ctx context.Context) error {
	beat := first * time.Second
	past := time.Duration(time.Now().UnixNano()) % beat
	if past < late {
		return nil
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(beat - past):
		return nil
	}
}

// await waits until every node holds a consensus that lists all of them as
// clients need them. Nodes write it to their folders; nothing tells when, so
// it is polled.
func (n *Network) await(ctx context.Context, cfg Config, nodes []*node, began time.Time) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	percent := 0
	for {
		have, listed := 0, 0
		for _, node := range nodes {
			l := relaysListed(node)
			listed = max(listed, l)
			if l == len(nodes) {
				have++
			}
		}
		if have == len(nodes) {
			return nil
		}
		progress := Progress{Summary: "authorities are voting"}
		if listed > 0 {
			progress.Summary = fmt.Sprintf("%d of %d relays are listed, %d know them all", listed, len(nodes), have)
		}
		progress.Percent = max(percent, min(95, 10+int(85*time.Since(began)/typical)))
		if progress.Percent != percent {
			percent = progress.Percent
			cfg.Progress(progress)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w after %v: %s", context.Cause(ctx), time.Since(began).Round(time.Second), progress.Summary)
		case <-n.ended.Done():
			return n.Err()
		case <-tick.C:
		}
	}
}

// relaysListed counts the relays in the node's newest consensus that are of use
// to onion services.
func relaysListed(n *node) int {
	text, err := os.ReadFile(filepath.Join(n.dir, "data", "cached-microdesc-consensus"))
	if err != nil {
		return 0 // not there yet
	}
	return usableRelays(string(text))
}

// usableRelays counts a consensus's relays with the flags that carry an onion
// service. Stable and Fast are left out: only the better half has them, by
// definition, and tor does without where it must. A consensus without its
// signatures is half written.
func usableRelays(consensus string) int {
	if !strings.Contains(consensus, "\ndirectory-signature ") {
		return 0
	}
	n := 0
	for line := range strings.Lines(consensus) {
		flags, ok := strings.CutPrefix(line, "s ")
		if !ok {
			continue
		}
		has := map[string]bool{}
		for _, f := range strings.Fields(flags) {
			has[f] = true
		}
		if has["Running"] && has["Valid"] && has["Guard"] && has["HSDir"] {
			n++
		}
	}
	return n
}
