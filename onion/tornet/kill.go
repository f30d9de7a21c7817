package tornet

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

// life is the process of a node, from one start to the next.
type life struct {
	mu      sync.Mutex
	process *os.Process // nil: it does not run
	killed  bool        // by [Network.KillRelay]
	gone    chan struct{}
}

// born notes that the node's process runs.
func (l *life) born(pid int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// The handle stays that of this process even when its number is taken anew.
	if process, err := os.FindProcess(pid); err == nil {
		l.process = process
	}
	l.killed, l.gone = false, make(chan struct{})
}

// died notes that it is gone, and tells whether that was wanted.
func (l *life) died() (killed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.process != nil {
		l.process.Release()
		l.process = nil
		close(l.gone)
	}
	return l.killed
}

// kill sends SIGKILL and waits until the process is gone.
func (l *life) kill() error {
	l.mu.Lock()
	if l.process == nil {
		l.mu.Unlock()
		return os.ErrProcessDone
	}
	l.killed = true
	gone, err := l.gone, l.process.Kill()
	l.mu.Unlock()
	if err != nil {
		return err
	}
	<-gone
	return nil
}

// KillRelay kills a relay with SIGKILL: a fault for tests and demos. Circuits
// over it end, and the network goes on without it. Relays are called relay1,
// relay2 and so on, also by tor; authorities cannot be killed. Keep in mind that
// six in all is the least that a network works well with.
func (n *Network) KillRelay(nick string) error {
	for _, node := range n.nodes {
		if node.nick == nick && strings.HasPrefix(nick, "relay") {
			if err := node.kill(); err != nil {
				return fmt.Errorf("killing %s: %w", nick, err)
			}
			return nil
		}
	}
	return fmt.Errorf("killing %s: the network has no such relay", nick)
}
