package vault

import (
	"bytes"
	"errors"
	"testing"

	"github.com/sottovoce/sotto/identity"
)

// Whatever lies in the place of an identity: it is refused for a reason, or it
// is an identity that says the same when it is written again.
func FuzzIdentity(f *testing.F) {
	key, err := identity.NewKey(bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		f.Fatal(err)
	}
	p, err := NewPassphrase([]byte("a wet blanket"))
	if err != nil {
		f.Fatal(err)
	}
	p.Work, p.MostWork = 1, 4
	for _, contacts := range [][]byte{nil, []byte("sotto contacts 1\n")} {
		for _, with := range []*Passphrase{nil, p} {
			text, err := Backup(key, contacts, with)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
			f.Add(text[:len(text)/2])
		}
	}
	f.Add(renderV1(key))
	f.Add([]byte("age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 4\n"))
	f.Add([]byte("age-encryption.org/v2\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, contacts, err := read(raw, func() (*Passphrase, error) { return p, nil })
		if err != nil {
			if got != nil || !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrPassphrase) && !errors.Is(err, ErrNewer) {
				t.Fatal(err)
			}
			return
		}
		text, err := Backup(got, contacts, nil)
		if err != nil {
			t.Fatal(err)
		}
		again, contacts2, err := read(text, nil)
		if err != nil || again.Tor() != got.Tor() || !bytes.Equal(contacts, contacts2) {
			t.Fatalf("written and read again: %v", err)
		}
	})
}
