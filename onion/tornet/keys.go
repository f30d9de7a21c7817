package tornet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"

	"github.com/sottovoce/sotto/onion"
)

// findGencert finds the tool that makes an authority's keys, which comes with tor.
func findGencert(tor string) (string, error) {
	for _, candidate := range []string{filepath.Join(filepath.Dir(tor), "tor-gencert"), "tor-gencert", "/usr/bin/tor-gencert", "/usr/sbin/tor-gencert"} {
		if path, err := exec.LookPath(candidate); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", fmt.Errorf("%w: a private network needs tor-gencert too, which comes with tor's package", onion.ErrNoTor)
}

// makeNodes makes the folders of all nodes and the keys of the authorities, as
// many at a time as there are processors.
func makeNodes(ctx context.Context, dir string, cfg Config, tor, gencert string) ([]*node, error) {
	var nodes []*node
	for i := range cfg.Authorities + cfg.Relays {
		n := &node{authority: i < cfg.Authorities}
		if n.nick = fmt.Sprintf("authority%d", i+1); !n.authority {
			n.nick = fmt.Sprintf("relay%d", i-cfg.Authorities+1)
		}
		n.dir = filepath.Join(dir, n.nick)
		// Keys of an earlier network in this folder are of no use: its ports are gone.
		if err := os.RemoveAll(n.dir); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Join(n.dir, "data", "keys"), 0o700); err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, runtime.NumCPU())
	var work sync.WaitGroup
	for _, n := range nodes[:cfg.Authorities] {
		work.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := n.makeKeys(ctx, tor, gencert); err != nil {
				cancel(err)
			}
		})
	}
	work.Wait()
	return nodes, context.Cause(ctx)
}

var (
	certFingerprint = regexp.MustCompile(`(?m)^fingerprint ([0-9A-F]{40})$`)
	fortyHex        = regexp.MustCompile(`^[0-9A-F]{40}$`)
)

// makeKeys makes an authority's two identities: the one that signs votes
// (tor-gencert; its private half is encrypted with an empty passphrase), and
// the one that it has as a relay.
func (n *node) makeKeys(ctx context.Context, tor, gencert string) error {
	keys := filepath.Join(n.dir, "data", "keys")
	cert := filepath.Join(keys, "authority_certificate")
	err := onion.Process{Path: gencert, Stdin: strings.NewReader("\n"), Args: []string{
		"--create-identity-key", "--passphrase-fd", "0", "-m", "12",
		"-i", filepath.Join(keys, "authority_identity_key"),
		"-s", filepath.Join(keys, "authority_signing_key"), "-c", cert,
	}}.Run(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	text, err := os.ReadFile(cert)
	if err != nil {
		return err
	}
	m := certFingerprint.FindSubmatch(text)
	if m == nil {
		return errors.New("tor-gencert made a certificate without a fingerprint")
	}
	n.v3ident = string(m[1])

	// tor does not start without a DirAuthority that it knows; any will do.
	torrc := filepath.Join(n.dir, "keys.torrc")
	lines := "Nickname " + n.nick + "\nORPort 1\nDataDirectory \"" + filepath.Join(n.dir, "data") + "\"\n" +
		"DirAuthority x 127.0.0.1:1 " + strings.Repeat("A", 40) + "\n"
	if err := os.WriteFile(torrc, []byte(lines), 0o600); err != nil {
		return err
	}
	err = onion.Process{Path: tor, Args: []string{"--list-fingerprint", "--defaults-torrc", os.DevNull, "-f", torrc}}.Run(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	text, err = os.ReadFile(filepath.Join(n.dir, "data", "fingerprint"))
	if err != nil {
		return err
	}
	_, fingerprint, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if n.identity = fingerprint; !fortyHex.MatchString(fingerprint) {
		return fmt.Errorf("tor wrote %.50q as its fingerprint", text)
	}
	return nil
}
