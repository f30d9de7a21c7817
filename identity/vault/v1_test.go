package vault_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/vault"
)

// The file of version 1, from the key of RFC 8032's test 1.
const fileV1 = `sotto identity 1, not sealed: whoever has this file can call and answer as you
address 25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid.onion
key MHyDhk8oM8tCei7xwAoBPP3/J2jZgMCjpSDwBpBN6U+bTwr+KAt0aneGhOdUQlAgV7dHOgPwj5b1o46Sh+Afjw==
`

func sum(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// writeV1 writes a file as the first version did.
func writeV1(t *testing.T, dir string) *identity.Key {
	t.Helper()
	key := newKey(t)
	raw := key.Tor()
	lines := strings.SplitAfter(fileV1, "\n")
	text := lines[0] + "address " + key.Address().Onion() + "\nkey " + base64.StdEncoding.EncodeToString(raw[:]) + "\n"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vault.Path(dir), []byte(text+"sum "+sum(text)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return key
}

func secretOf(key *identity.Key) string {
	raw := key.Tor()
	return base64.StdEncoding.EncodeToString(raw[:])[:16]
}

// An unsealed file of version 1 opens, has contacts, and becomes one of
// version 2 when it is sealed.
func TestVersion1StillOpens(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(vault.Path(dir), []byte(fileV1+"sum "+sum(fileV1)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(dir, never)
	if err != nil {
		t.Fatal(err)
	}
	if v.Sealed {
		t.Error("said to be sealed")
	}
	if err := v.SaveContacts([]byte("kept")); err != nil {
		t.Fatal(err)
	}
	p := quick(t, "a wet blanket")
	if err := v.Reseal(p); err != nil {
		t.Fatal(err)
	}
	if v, err = vault.Open(dir, with(p)); err != nil {
		t.Fatal(err)
	}
	if contacts, err := v.Contacts(); string(contacts) != "kept" || err != nil {
		t.Errorf("contacts %q, %v", contacts, err)
	}
}
