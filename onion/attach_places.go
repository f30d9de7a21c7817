package onion

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// place is where a control socket may be.
type place struct{ network, address string }

func (p place) String() string { return p.address }

// check refuses what cannot be meant.
func (r Running) check() error {
	_, err := r.places()
	if r.Control == "" {
		err = errors.New("where it listens is said, but not that one is to be used (--tor-control)")
	}
	for _, address := range []string{r.Listen, r.Target} {
		if _, bad := netip.ParseAddr(address); err == nil && address != "" && bad != nil {
			err = fmt.Errorf("%q is no IP address, which is what tor is to bring callers to", address)
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoRunning, err)
	}
	return nil
}

// places lists where to look, likeliest first.
func (r Running) places() ([]place, error) {
	if r.Control != Auto {
		p, err := parsePlace(r.Control)
		return []place{p}, err
	}
	var found []place
	if path := os.Getenv("TOR_CONTROL_IPC_PATH"); path != "" {
		found = append(found, place{"unix", path})
	}
	if port := os.Getenv("TOR_CONTROL_PORT"); port != "" {
		host := os.Getenv("TOR_CONTROL_HOST")
		if host == "" {
			host = "127.0.0.1"
		}
		p, err := parsePlace(net.JoinHostPort(host, port))
		if err != nil {
			return nil, fmt.Errorf("TOR_CONTROL_HOST and TOR_CONTROL_PORT: %w", err)
		}
		found = append(found, p)
	}
	usual := []place{
		{"unix", "/run/tor/control"},
		{"unix", "/var/run/tor/control"},
		{"tcp", "127.0.0.1:9051"},
		{"tcp", "127.0.0.1:9151"},
		{"tcp", "127.0.0.1:951"},
	}
	if amnesic() == "Whonix" {
		usual = append(usual, place{"tcp", "10.152.152.10:9051"})
	}
	if link, err := filepath.EvalSymlinks("/var/run"); err == nil && link == "/run" {
		usual = append(usual[:1], usual[2:]...) // the same socket
	}
	return append(found, usual...), nil
}

// parsePlace reads a path, IP:PORT, or a port. No name is looked up, and as the
// control connection is not encrypted and carries the key, it does not leave
// the local network.
func parsePlace(text string) (place, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok || filepath.IsAbs(text) {
		if !filepath.IsAbs(path) {
			return place{}, fmt.Errorf("the control socket %q: its path must begin with /", path)
		}
		return place{"unix", path}, nil
	}
	if _, err := strconv.ParseUint(text, 10, 16); err == nil {
		text = "127.0.0.1:" + text
	}
	if port, ok := strings.CutPrefix(text, "localhost:"); ok {
		text = "127.0.0.1:" + port
	}
	at, err := netip.ParseAddrPort(text)
	if err != nil || at.Port() == 0 {
		return place{}, fmt.Errorf("%q is not where a tor can be: give the path of its control socket, an IP address with a port, or %s", text, Auto)
	}
	if ip := at.Addr().Unmap(); !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() {
		return place{}, fmt.Errorf("%v is not on this machine or its own network: the control connection carries your key, unencrypted", at)
	}
	return place{"tcp", at.String()}, nil
}

// marks are files that tell what system this is.
var marks = map[string]string{
	"/etc/amnesia/version":                      "Tails",
	"/etc/whonix_version":                       "Whonix",
	"/usr/share/anon-ws-base-files/workstation": "Whonix",
}

// useRunning adds to an error that there is no tor program what helps where a
// tor runs already.
func useRunning(err error) error {
	const advice = "sotto uses it with --tor-control auto (see docs/tor.md)"
	if system := amnesic(); system != "" {
		return fmt.Errorf("%w; on %s a tor runs already: %s", err, system, advice)
	}
	if os.Getenv("TOR_CONTROL_PORT") != "" || os.Getenv("TOR_CONTROL_IPC_PATH") != "" {
		return fmt.Errorf("%w; TOR_CONTROL_PORT or TOR_CONTROL_IPC_PATH says that a tor runs already: %s", err, advice)
	}
	return err
}

// amnesic names the system if it is one whose tor runs already and is the only
// way to the network, "" otherwise.
func amnesic() string {
	for path, system := range marks {
		if _, err := os.Stat(path); err == nil {
			return system
		}
	}
	return ""
}
