package tornet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// bridgeLines make a relay of the network a bridge behind obfs4, of which no
// directory knows. program is its pluggable transport's, such as obfs4proxy.
func bridgeLines(program string, port int) []string {
	return []string{
		"BridgeRelay 1",
		"PublishServerDescriptor 0",
		"ExtORPort auto",
		"ServerTransportPlugin obfs4 exec " + program,
		fmt.Sprintf("ServerTransportListenAddr obfs4 127.0.0.1:%d", port),
		"TestingServerConsensusDownloadInitialDelay 0", // others have one by now
	}
}

// StartBridge adds a bridge to the running network, reached through obfs4 by
// program (obfs4proxy or lyrebird, an absolute path), and returns the line by
// which clients use it once it can serve them. It is called bridge, and is
// stopped with the network.
func (n *Network) StartBridge(ctx context.Context, program string) (line string, err error) {
	b := &node{nick: "bridge", dir: filepath.Join(n.dir, "bridge"), obfs4: program}
	data := filepath.Join(b.dir, "data")
	if err := os.RemoveAll(b.dir); err != nil {
		return "", fmt.Errorf("a private bridge: %w", err)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return "", fmt.Errorf("a private bridge: %w", err)
	}
	ports, err := takePorts([]*node{b})
	if err != nil {
		return "", err
	}
	err = b.configure(n.nodes)
	ports.release()
	if err != nil {
		return "", fmt.Errorf("a private bridge: %w", err)
	}
	n.start(b)
	tick := time.NewTicker(100 * time.Millisecond) // nothing tells when it has written its files
	defer tick.Stop()
	for {
		if line := b.bridgeLine(); line != "" && relaysListed(b) == len(n.nodes) {
			return line, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("a private bridge: %w", context.Cause(ctx))
		case <-n.ended.Done():
			return "", n.Err()
		case <-tick.C:
		}
	}
}

var obfs4Cert = regexp.MustCompile(`(?m)^Bridge obfs4 .* (cert=\S+ iat-mode=\d)$`)

// bridgeLine is how a client names the bridge; "" as long as it has not said.
func (n *node) bridgeLine() string {
	fingerprint, err := os.ReadFile(filepath.Join(n.dir, "data", "fingerprint"))
	obfs4, err2 := os.ReadFile(filepath.Join(n.dir, "data", "pt_state", "obfs4_bridgeline.txt"))
	m := obfs4Cert.FindSubmatch(obfs4)
	_, id, _ := strings.Cut(strings.TrimSpace(string(fingerprint)), " ")
	if errors.Join(err, err2) != nil || m == nil || !fortyHex.MatchString(id) {
		return ""
	}
	return fmt.Sprintf("obfs4 127.0.0.1:%d %s %s", n.dirPort, id, m[1])
}
