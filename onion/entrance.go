package onion

import (
	"errors"
	"strings"
)

// ErrOffline says that this side has no way into the Tor network now: what is
// dialled may well be there.
var ErrOffline = errors.New("this side has no way into the Tor network: is this machine online?")

// entrance follows whether a tor that was ready still has a way into its
// network. tor itself says nothing when it loses that: once it has been at 100 %
// it stays there.
type entrance struct {
	missed int // asks in a row that found none
}

// askEntrance asks for the relays that tor has connections to (control-spec,
// "orconn-status").
const askEntrance = "GETINFO orconn-status"

// missing is how many asks in a row must find no way in: tor closes a connection
// and opens another now and then.
const missing = 2

// take takes in tor's answer.
func (e *entrance) take(answer []string) {
	if strings.Contains(strings.Join(answer, "\n"), " CONNECTED") {
		e.missed = 0
	} else {
		e.missed++
	}
}

// offline is whether there is none.
func (e *entrance) offline() bool { return e.missed >= missing }

// words are b while there is none.
func (e *entrance) words(b Bootstrap) Bootstrap {
	why := b.Warning
	if why == "" {
		why = "is this machine online?"
	}
	return Bootstrap{
		Percent: b.Percent, Tag: "offline", Summary: "cut off", Offline: true,
		Warning: "no way into the Tor network, nobody can reach you: " + why,
	}
}

// offline is whether tor, once ready, has no way into its network. A running tor
// is not asked.
func (n *Node) offline() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.entrance.offline()
}

// enter takes in tor's answer to askEntrance, and tells what is new.
func (n *Node) enter(answer []string) {
	n.update(func() { n.entrance.take(answer) })
	n.show(n.stage())
}
