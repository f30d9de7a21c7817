package tornet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

func clientFile(dir string) string { return filepath.Join(dir, "client.torrc") }

// publish writes what clients need where [Client] looks for it.
func (n *Network) publish() error {
	text := strings.Join(n.torrc, "\n") + "\n"
	if err := os.WriteFile(clientFile(n.dir), []byte(text), 0o600); err != nil {
		return fmt.Errorf("telling clients of the private network: %w", err)
	}
	return nil
}

// Client returns the torrc lines of the network that another program runs in
// dir. It fails when dir is not a network's, or its network does not run.
func Client(dir string) ([]string, error) {
	text, err := os.ReadFile(clientFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no private network runs in %s: start one with sotto demo --keep", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("the private network in %s: %w", dir, err)
	}
	// A shared lock, so that two who look do not take each other for the network.
	switch l, err := lock(dir, syscall.LOCK_SH); {
	case err == nil:
		l.Close()
		return nil, fmt.Errorf("the private network in %s does not run any more: start one with sotto demo --keep", dir)
	case !errors.Is(err, syscall.EWOULDBLOCK):
		return nil, fmt.Errorf("the private network in %s: %w", dir, err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n"), nil
}

// lock marks a folder as a running network's. The kernel frees it when its
// program ends, however it ends, so that it is never stale.
func lock(dir string, how int) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
