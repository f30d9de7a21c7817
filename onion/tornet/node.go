package tornet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// node is one tor of the network.
type node struct {
	nick      string
	dir       string
	authority bool
	v3ident   string // an authority's identity key, 40 hex digits
	identity  string // a relay's identity key, 40 hex digits; known for authorities alone

	orPort, dirPort int // dirPort is obfs4's at a bridge, and not used at a relay

	obfs4 string // a bridge's pluggable transport; "": no bridge

	life
}

// everyNode is what clients and relays agree on. One interval's consensus is
// valid for two, and votes need no measured bandwidth. Cells are sent at once, not
// every 10 ms, at each of seven tors; see also hurry.
var everyNode = []string{
	"TestingTorNetwork 1",
	"PathsNeededToBuildCircuits 0.67",
	"TestingDirAuthVoteExit *",
	"TestingDirAuthVoteHSDir *",
	"TestingDirAuthVoteGuard *",
	"V3AuthNIntervalsValid 2",
	"TestingMinExitFlagThreshold 0",
	"ShutdownWaitLength 0",
	"KISTSchedRunInterval 1 msec",
	"DisableDebuggerAttachment 0",
}

// relayLines keep a relay small, on loopback and off the DNS: there are no exits.
var relayLines = []string{
	"Address 127.0.0.1",
	"SocksPort 0",
	"ExitRelay 0",
	"AssumeReachable 1",
	"ServerDNSDetectHijacking 0",
	// The first consensus is out 5 s after the start. A relay that asks earlier
	// is told 404 and backs off at random, sometimes for a minute.
	fmt.Sprintf("TestingServerConsensusDownloadInitialDelay %d", first+1),
	"NumCPUs 1",
	"MaxMemInQueues 256 MB",
	"AvoidDiskWrites 1",
	"Log notice stdout",
}

// interval is the time between votes once the network has settled, first the
// one until then, in seconds. Both delays together stay under half of it; 2 s
// is tor's least.
const (
	interval = 10
	first    = 5
	delay    = 2
)

func authorityLines() []string {
	return []string{
		"AuthoritativeDirectory 1",
		"V3AuthoritativeDirectory 1",
		"ContactInfo private@localhost.invalid",
		fmt.Sprintf("TestingV3AuthInitialVotingInterval %d", first),
		fmt.Sprintf("TestingV3AuthInitialVoteDelay %d", delay),
		fmt.Sprintf("TestingV3AuthInitialDistDelay %d", delay),
		fmt.Sprintf("V3AuthVotingInterval %d", interval),
		fmt.Sprintf("V3AuthVoteDelay %d", delay),
		fmt.Sprintf("V3AuthDistDelay %d", delay),
	}
}

// configure writes the node's torrc.
func (n *node) configure(all []*node) error {
	noDNS := filepath.Join(n.dir, "resolv.conf")
	lines := append([]string{
		"Nickname " + n.nick,
		`DataDirectory "` + filepath.Join(n.dir, "data") + `"`,
		fmt.Sprintf("ORPort 127.0.0.1:%d", n.orPort),
		`ServerDNSResolvConfFile "` + noDNS + `"`,
		fmt.Sprintf("__OwningControllerProcess %d", os.Getpid()),
	}, everyNode...)
	lines = append(lines, relayLines...)
	lines = append(lines, authorities(all)...)
	if n.authority {
		lines = append(lines, authorityLines()...)
		lines = append(lines, fmt.Sprintf("DirPort 127.0.0.1:%d", n.dirPort))
	}
	if n.obfs4 != "" {
		lines = append(lines, bridgeLines(n.obfs4, n.dirPort)...)
	}
	return errors.Join(
		os.WriteFile(noDNS, nil, 0o600),
		os.WriteFile(filepath.Join(n.dir, "torrc"), []byte(strings.Join(lines, "\n")+"\n"), 0o600),
	)
}

// authorities are the DirAuthority lines by which tors find the network.
func authorities(all []*node) []string {
	var lines []string
	for _, n := range all {
		if n.authority {
			lines = append(lines, fmt.Sprintf("DirAuthority %s orport=%d no-v2 v3ident=%s 127.0.0.1:%d %s",
				n.nick, n.orPort, n.v3ident, n.dirPort, n.identity))
		}
	}
	return lines
}

func clientTorrc(all []*node) []string {
	return append(append([]string(nil), everyNode...), authorities(all)...)
}

// heldPorts are listeners that keep ports from others until tor takes them.
type heldPorts []net.Listener

// takePorts gives every node free ports on loopback.
func takePorts(nodes []*node) (heldPorts, error) {
	var held heldPorts
	for _, n := range nodes {
		for _, port := range []*int{&n.orPort, &n.dirPort} {
			l, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", "127.0.0.1:0")
			if err != nil {
				held.release()
				return nil, fmt.Errorf("a free port on loopback: %w", err)
			}
			held = append(held, l)
			*port = l.Addr().(*net.TCPAddr).Port
		}
	}
	return held, nil
}

func (h heldPorts) release() {
	for _, l := range h {
		l.Close()
	}
}
