package onion_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha3"
	"encoding/base64"
	"encoding/binary"
	"net"
	"net/textproto"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cretz/bine/control"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/onion"
)

// askTor asks the tor of a node that lives in dir, over a control connection
// of the test's own.
func askTor(t *testing.T, dir, command string) string {
	t.Helper()
	conn, err := net.Dial("unix", filepath.Join(dir, "sockets", "control"))
	if err != nil {
		t.Fatal(err)
	}
	tor := control.NewConn(textproto.NewConn(conn))
	defer tor.Close()
	if err := tor.Authenticate(""); err != nil {
		t.Fatal(err)
	}
	r, err := tor.SendRequest("%s", command)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(r.Data, "\n")
}

var sealedMessage = regexp.MustCompile(`(?s)-----BEGIN MESSAGE-----\n(.*?)-----END MESSAGE-----`)

// openLayer takes one layer of encryption off a descriptor (rend-spec-v3,
// "Encrypting and decrypting hidden service descriptors").
func openLayer(t *testing.T, text, constant string, secret []byte, revision uint64) string {
	t.Helper()
	m := sealedMessage.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no sealed part for %s", constant)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(m[1], "\n", ""))
	if err != nil || len(raw) < 48 {
		t.Fatal(err)
	}
	salt, sealed := raw[:16], raw[16:len(raw)-32]
	kdf := sha3.NewSHAKE256()
	kdf.Write(secret)
	kdf.Write(binary.BigEndian.AppendUint64(nil, revision))
	kdf.Write(salt)
	kdf.Write([]byte(constant))
	keys := make([]byte, 48)
	kdf.Read(keys)
	block, err := aes.NewCipher(keys[:32])
	if err != nil {
		t.Fatal(err)
	}
	plain := make([]byte, len(sealed))
	cipher.NewCTR(block, keys[32:]).XORKeyStream(plain, sealed)
	return string(plain)
}

// openDescriptor reads both layers of a descriptor that anyone may read.
func openDescriptor(t *testing.T, text string, address identity.Address) (outer, inner string) {
	t.Helper()
	lines := strings.Split(text, "\n")
	var revision uint64
	var cert strings.Builder
	in := false
	for _, line := range lines {
		if number, ok := strings.CutPrefix(line, "revision-counter "); ok {
			var err error
			if revision, err = strconv.ParseUint(number, 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		switch {
		case line == "-----BEGIN ED25519 CERT-----":
			in = true
		case line == "-----END ED25519 CERT-----":
			in = false
		case in:
			cert.WriteString(line)
		}
	}
	raw, err := base64.StdEncoding.DecodeString(cert.String())
	if err != nil || len(raw) < 76 {
		t.Fatalf("the descriptor's certificate: %v in %.200s", err, text)
	}
	blinded := raw[44:76] // the certificate's one extension: the key that signed it
	credential := sha3.Sum256(append([]byte("credential"), address[:]...))
	subcredential := sha3.Sum256(append(append([]byte("subcredential"), credential[:]...), blinded...))
	secret := append(append([]byte(nil), blinded...), subcredential[:]...)
	outer = openLayer(t, text, "hsdir-superencrypted-data", secret, revision)
	return outer, openLayer(t, outer, "hsdir-encrypted-data", secret, revision)
}

// What a directory holds asks callers for proof of work, and lists clients
// whether there are any or not.
func TestPublishedDescriptorAsksForProofOfWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from := start(t, onion.Config{Dir: dir})
	l := echoing(t, callee, newKey(t), onion.Service{})
	reach(t, from, l)
	id := addressOf(l).Onion()[:56]
	outer, inner := openDescriptor(t, askTor(t, dir, "GETINFO hs/client/desc/id/"+id), addressOf(l))
	if !regexp.MustCompile(`(?m)^pow-params v1 \S+ \d+ \S+$`).MatchString(inner) {
		t.Errorf("no proof of work in\n%.400s", inner)
	}
	if n := strings.Count(outer, "\nauth-client "); n != 16 {
		t.Errorf("%d clients are listed of an open address, want 16 that are made up", n)
	}
}
