package onion

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Bounds of what a person pastes. The longest lines in use, snowflake's, have
// about 1,000 characters.
const (
	maxBridgeLine = 4096 // bytes
	maxBridges    = 64
	maxBridgeArgs = 32
)

// What is wrong with bridges.
var (
	ErrBridge    = errors.New("not a bridge line")
	ErrTransport = errors.New("a program that these bridges need is missing")
)

// Bridge is a relay that no public list has, by which tor enters the network
// where the others are blocked, perhaps through a pluggable transport, a program
// that makes the line look like something else. As text, the way bridges are
// handed out and torrc has them:
//
//	[Bridge] [TRANSPORT] IP:PORT [FINGERPRINT] [KEY=VALUE …]
type Bridge struct {
	Transport   string         // "": none
	Address     netip.AddrPort // of no meaning with some transports
	Fingerprint string         // 40 hexadecimal digits in capitals; "": not known
	Args        []string       // KEY=VALUE, for the transport
}

// transport is a pluggable transport: the programs that speak it, best first,
// and what to install for it.
type transport struct {
	programs []string
	install  string
}

var transports = map[string]transport{
	"obfs4":     {[]string{"lyrebird", "obfs4proxy"}, "obfs4proxy (on Debian: apt install obfs4proxy)"},
	"meek_lite": {[]string{"lyrebird", "obfs4proxy"}, "obfs4proxy (on Debian: apt install obfs4proxy)"},
	"snowflake": {[]string{"snowflake-client", "lyrebird"}, "snowflake-client (on Debian: apt install snowflake-client)"},
	"webtunnel": {[]string{"webtunnel-client", "lyrebird"}, "webtunnel-client or lyrebird 0.2 or newer (on Debian 13 and newer: apt install lyrebird; else from Tor Browser)"},
}

var (
	bridgeName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	bridgeKey  = regexp.MustCompile(`^[A-Za-z0-9_-]+=`)
	bridgeID   = regexp.MustCompile(`^[0-9A-Fa-f]{40}$`)
)

// ParseBridge reads one line. Everything that means something to torrc but
// belongs to no bridge (a line break, a comment, a quote, a backslash) is
// refused. Errors wrap [ErrBridge] and do not repeat the line.
func ParseBridge(line string) (b Bridge, err error) {
	if len(line) > maxBridgeLine {
		return b, fmt.Errorf("%w: it is longer than %d characters", ErrBridge, maxBridgeLine)
	}
	for _, c := range []byte(line) {
		if (c < ' ' && c != '\t') || c > '~' || strings.IndexByte(`"#\`, c) >= 0 {
			return b, fmt.Errorf("%w: it has a character that no bridge line has (%q)", ErrBridge, rune(c))
		}
	}
	words := strings.Fields(line)
	if len(words) > 0 && strings.EqualFold(words[0], "bridge") {
		words = words[1:]
	}
	if len(words) > 0 && bridgeName.MatchString(words[0]) {
		if b.Transport, words = words[0], words[1:]; transports[b.Transport].programs == nil {
			return b, fmt.Errorf("%w: the transport %.20q is not known here: obfs4, meek_lite, snowflake or webtunnel", ErrBridge, b.Transport)
		}
	}
	if len(words) == 0 {
		return b, fmt.Errorf("%w: it has no address like 192.0.2.1:443", ErrBridge)
	}
	if b.Address, err = netip.ParseAddrPort(words[0]); err != nil || b.Address.Port() == 0 || b.Address.Addr().Zone() != "" {
		return b, fmt.Errorf("%w: where its address should be stands something else than 192.0.2.1:443 or [2001:db8::1]:443", ErrBridge)
	}
	if words = words[1:]; len(words) > 0 && bridgeID.MatchString(words[0]) {
		b.Fingerprint, words = strings.ToUpper(words[0]), words[1:]
	}
	for _, word := range words {
		if !bridgeKey.MatchString(word) {
			return b, fmt.Errorf("%w: something in it is neither a fingerprint of 40 digits nor KEY=VALUE", ErrBridge)
		}
	}
	switch b.Args = slices.Clip(words); {
	case len(words) > maxBridgeArgs:
		return b, fmt.Errorf("%w: more than %d settings", ErrBridge, maxBridgeArgs)
	case len(words) > 0 && b.Transport == "":
		return b, fmt.Errorf("%w: settings, but no transport that they are for", ErrBridge)
	case b.Transport == "obfs4" && !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "cert=") }):
		return b, fmt.Errorf("%w: an obfs4 bridge needs cert=…, it was cut short", ErrBridge)
	}
	return b, nil
}

// Line is the bridge as text, whole. It is a secret of a kind: whoever learns of
// a bridge can block it. Logs and errors use [Bridge.String].
func (b Bridge) Line() string {
	words := []string{b.Address.String()}
	if b.Transport != "" {
		words = append([]string{b.Transport}, words...)
	}
	if b.Fingerprint != "" {
		words = append(words, b.Fingerprint)
	}
	return strings.Join(append(words, b.Args...), " ")
}

// String is its kind alone.
func (b Bridge) String() string {
	if b.Transport == "" {
		return "a plain bridge"
	}
	return b.Transport + " bridge"
}

// ParseBridges reads bridges, one a line. Empty lines and those that begin with
// # are passed over, the same bridge counts once.
func ParseBridges(text []byte) ([]Bridge, error) {
	var bridges []Bridge
	seen := map[string]bool{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		b, err := ParseBridge(string(line))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if seen[b.Line()] {
			continue
		}
		if seen[b.Line()] = true; len(seen) > maxBridges {
			return nil, fmt.Errorf("%w: line %d is one more than the %d bridges that there may be", ErrBridge, number, maxBridges)
		}
		bridges = append(bridges, b)
	}
	return bridges, nil
}

// bridgeOptions are the torrc lines for bridges, and whether tor is to start
// programs for them. tor refuses that together with Sandbox 1 ("Managed proxies
// are not compatible with Sandbox mode"), which must then be left out. Errors
// wrap [ErrTransport].
func bridgeOptions(bridges []Bridge, find func(program string) string) (lines []string, managed bool, err error) {
	if len(bridges) == 0 {
		return nil, false, nil
	}
	lines = []string{"UseBridges 1"}
	plugins := map[string]string{"": ""}
	for _, b := range bridges {
		lines = append(lines, "Bridge "+b.Line())
		if _, known := plugins[b.Transport]; known {
			continue
		}
		for _, program := range transports[b.Transport].programs {
			if path := find(program); path != "" {
				plugins[b.Transport] = path
				break
			}
		}
		path, found := plugins[b.Transport]
		if !found {
			return nil, false, fmt.Errorf("%w: %s bridges need %s", ErrTransport, b.Transport, transports[b.Transport].install)
		}
		lines, managed = append(lines, "ClientTransportPlugin "+b.Transport+" exec "+path), true
	}
	return lines, managed, nil
}

// CheckBridges says which program these bridges need and is missing; its error
// wraps [ErrTransport].
func CheckBridges(bridges []Bridge) error {
	_, _, err := bridgeOptions(bridges, findTransport)
	return err
}

// findTransport looks for a transport's program in the usual places, those of
// Tor Browser included, and gives its path, "" if there is none that can be
// trusted. tor splits the path at spaces, and nothing can be quoted.
func findTransport(program string) string {
	const browser = "Browser/TorBrowser/Tor/PluggableTransports"
	folders := []string{"/usr/bin", "/usr/sbin", "/usr/local/bin"}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, filepath.Join(home, "tor-browser", browser),
			filepath.Join(home, ".local/share/torbrowser/tbb/x86_64/tor-browser", browser))
	}
	for _, folder := range folders {
		path := filepath.Join(folder, program)
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			continue
		}
		if path, err := trustworthy(path); err == nil && plainPath(path) {
			return path
		}
	}
	return ""
}
