package vault

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"filippo.io/age"

	"github.com/sottovoce/sotto/identity"
)

const (
	version = 2
	// heading and headingV1 are first lines; the number is the version.
	heading   = "# sotto identity 2: whoever has these lines can call and answer as you"
	headingV1 = "sotto identity 1, not sealed: whoever has this file can call and answer as you"
	// sumMark begins an identity's last line in every version there will be, so
	// that a newer file is told from a damaged one.
	sumMark   = "# sum "
	sumMarkV1 = "sum "
)

// render writes an identity as text:
//
//	# sotto identity 2: …
//	# address <56 characters>.onion
//	# key <base64 of tor's 64-byte expanded key>
//	# the next line opens the file contacts: age -d -i
//	AGE-SECRET-KEY-1…
//	# sum <SHA-256 of the lines above, hexadecimal>
//
// It is an age identity file with notes, and all of it follows from the key.
func render(key *identity.Key) ([]byte, error) {
	raw := key.Tor()
	defer clear(raw[:])
	contacts, err := contactsKey(key)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n# address %s\n# key %s\n", heading, key.Address().Onion(), base64.StdEncoding.EncodeToString(raw[:]))
	fmt.Fprintf(&b, "# the next line opens the file contacts: age -d -i\n%s\n", contacts)
	fmt.Fprintf(&b, "%s%x\n", sumMark, sha256.Sum256(b.Bytes()))
	return b.Bytes(), nil
}

func renderV1(key *identity.Key) []byte {
	raw := key.Tor()
	defer clear(raw[:])
	text := fmt.Appendf(nil, "%s\naddress %s\nkey %s\n", headingV1, key.Address().Onion(), base64.StdEncoding.EncodeToString(raw[:]))
	return fmt.Appendf(text, "sum %x\n", sha256.Sum256(text))
}

// parse reads an identity, and the contacts that follow it after an empty line
// in a backup. What it takes is exactly what render writes.
func parse(text []byte) (key *identity.Key, contacts []byte, err error) {
	lines, rest, backup := bytes.Cut(text, []byte("\n\n"))
	if backup {
		text = text[:len(lines)+1]
		contacts = bytes.Clone(rest)
		if contacts == nil {
			contacts = []byte{}
		}
	}
	if err := known(text); err != nil {
		return nil, nil, err
	}
	_, after, found := bytes.Cut(text, []byte("key "))
	encoded, _, _ := bytes.Cut(after, []byte("\n"))
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	defer clear(raw)
	n, err := base64.StdEncoding.Strict().Decode(raw, encoded)
	if !found || err != nil || n != 64 {
		return nil, nil, fmt.Errorf("%w (its key line is not a key)", ErrDamaged)
	}
	if key, err = identity.KeyFromTor([64]byte(raw)); err != nil {
		return nil, nil, fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	whole, err := render(key)
	if err != nil {
		return nil, nil, err
	}
	defer clear(whole)
	whole1 := renderV1(key)
	defer clear(whole1)
	if !bytes.Equal(text, whole) && !bytes.Equal(text, whole1) {
		return nil, nil, fmt.Errorf("%w (its lines do not agree with each other)", ErrDamaged)
	}
	return key, contacts, nil
}

// known refuses a text whose sum is wrong, and one that is whole and of a
// version that is not known yet.
func known(text []byte) error {
	end := bytes.LastIndex(text, []byte(sumMark))
	if end < 0 { // version 1
		end = bytes.LastIndex(text, []byte(sumMarkV1))
	}
	if end < 0 || !bytes.HasSuffix(text[end:], fmt.Appendf(nil, "sum %x\n", sha256.Sum256(text[:end]))) {
		return fmt.Errorf("%w (its sum is wrong)", ErrDamaged)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	rest, ours := strings.CutPrefix(first, "# sotto identity ")
	number, _, _ := strings.Cut(rest, ":")
	if v, err := strconv.Atoi(number); ours && err == nil && v > version {
		return fmt.Errorf("version %d: %w", v, ErrNewer)
	}
	return nil
}

// contactsKey is the key for which the contacts are sealed: 32 bytes of
// HKDF-SHA256 over tor's 64-byte key, as age's own kind of identity.
func contactsKey(key *identity.Key) (*age.X25519Identity, error) {
	raw := key.Tor()
	defer clear(raw[:])
	secret, err := hkdf.Key(sha256.New, raw[:], nil, "sotto contacts 1", 32)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	return age.ParseX25519Identity(strings.ToUpper(bech32("age-secret-key-", secret)))
}

// bech32 is BIP 173's text form of bytes, as age writes its keys.
func bech32(prefix string, data []byte) string {
	const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	generator := [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3}
	sum := uint32(1)
	take := func(v byte) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range generator {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for _, c := range []byte(prefix) {
		take(c >> 5)
	}
	take(0)
	for _, c := range []byte(prefix) {
		take(c & 31)
	}
	out := []byte(prefix + "1")
	bits, held := uint32(0), 0
	put := func(v byte) { take(v); out = append(out, alphabet[v]) }
	for _, b := range data {
		for bits, held = bits<<8|uint32(b), held+8; held >= 5; held -= 5 {
			put(byte(bits >> (held - 5) & 31))
		}
	}
	if held > 0 {
		put(byte(bits << (5 - held) & 31))
	}
	for range 6 {
		take(0)
	}
	sum ^= 1
	for i := range 6 {
		out = append(out, alphabet[sum>>(5*(5-i))&31])
	}
	return string(out)
}
