package oniontest

import (
	"crypto/ecdh"
	"encoding/base32"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"time"
)

// Replies: RFC 1928's, and tor's own for onion services.
const (
	granted         = 0x00
	failed          = 0x01
	unreachable     = 0x04
	refused         = 0x05
	noDescriptor    = 0xF0
	introFailed     = 0xF2
	needsKey        = 0xF4
	wrongKey        = 0xF5
	badAddress      = 0xF6
	roundTrips      = 6 // of a new circuit: descriptor, introduction, rendezvous
	onionSuffix     = ".onion"
	credentialBytes = 255
)

// serveSocks takes one stream: user name and password, then CONNECT.
func (t *Tor) serveSocks(conn net.Conn) {
	t.mu.Lock()
	t.asking[conn] = struct{}{}
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.asking, conn)
	}()
	who, host, ok := readRequest(conn)
	if !ok {
		conn.Close()
		return
	}
	t.mu.Lock()
	lost := t.swallow > 0
	t.swallow -= min(t.swallow, 1)
	t.mu.Unlock()
	if lost {
		conn.Read(make([]byte, 1)) // until the client is tired of it, or the tor dies
		conn.Close()
		return
	}
	code, circuit, callee := t.open(who, strings.TrimSuffix(host, onionSuffix), strings.HasSuffix(host, onionSuffix))
	if code >= noDescriptor && !t.script.Extended {
		code = unreachable
	}
	if _, err := conn.Write([]byte{5, code, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil || code != granted {
		conn.Close()
		if callee != nil {
			callee.Close()
		}
		return
	}
	circuit.join(conn, callee)
}

// readRequest reads the three messages of a SOCKS5 client.
func readRequest(conn net.Conn) (who, host string, ok bool) {
	b := make([]byte, 4+credentialBytes)
	read := func(n int) bool { _, err := io.ReadFull(conn, b[:n]); return err == nil }
	if !read(3) || b[0] != 5 || b[1] != 1 || b[2] != 2 {
		return "", "", false
	}
	conn.Write([]byte{5, 2})
	if !read(2) || !read(int(b[1])) {
		return "", "", false
	}
	who = string(b[:32])
	if !read(1) || !read(int(b[0])) {
		return "", "", false
	}
	conn.Write([]byte{1, 0})
	if !read(5) || b[1] != 1 || b[3] != 3 {
		return "", "", false
	}
	length := int(b[4])
	if !read(length + 2) {
		return "", "", false
	}
	return who, string(b[:length]), binary.BigEndian.Uint16(b[length:]) == virtualPort
}

// open builds a circuit, or takes the one that this isolation has already, and
// connects to the port of the service.
func (t *Tor) open(who, id string, onion bool) (code byte, c *Circuit, callee net.Conn) {
	if !onion || len(id) != 56 {
		return badAddress, nil, nil
	}
	t.net.mu.Lock()
	delay := t.net.delay
	t.net.mu.Unlock()
	name := who + id
	t.mu.Lock()
	c = t.circuits[name]
	t.mu.Unlock()
	trips := 1
	if c == nil {
		trips = roundTrips
	}
	if !t.net.wait(2 * delay * time.Duration(trips)) {
		return failed, nil, nil
	}
	t.net.mu.Lock()
	s := t.net.services[id]
	var found service
	if s != nil {
		found = *s
	}
	t.net.mu.Unlock()
	switch {
	case s == nil || !found.uploaded:
		return noDescriptor, nil, nil
	case found.closed && t.key(id) == nil:
		return needsKey, nil, nil
	case found.closed && !opens(t.key(id), found.clients):
		return wrongKey, nil, nil
	case found.gone:
		return introFailed, nil, nil
	}
	if c != nil && found.oneStream {
		c.Close() // MaxStreams=1 and MaxStreamsCloseCircuit: both are lost
		return failed, nil, nil
	}
	found.tor.mu.Lock()
	p := found.tor.ports[found.target]
	found.tor.mu.Unlock()
	if p == nil {
		return refused, nil, nil
	}
	ours, theirs := net.Pipe()
	select {
	case p.calls <- theirs:
	case <-p.closed:
		return refused, nil, nil
	case <-t.net.done:
		return failed, nil, nil
	}
	if c == nil {
		c = &Circuit{net: t.net, from: t, to: found.tor, name: name}
		t.mu.Lock()
		t.circuits[name] = c
		t.mu.Unlock()
		t.net.mu.Lock()
		t.net.circuits[c] = struct{}{}
		t.net.mu.Unlock()
	}
	return granted, c, ours
}

func (t *Tor) key(id string) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.keys[id]
}

// opens tells whether a client's private key fits one that the service admits.
func opens(private []byte, clients []string) bool {
	key, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		return false
	}
	public := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key.PublicKey().Bytes())
	return slices.Contains(clients, public)
}
