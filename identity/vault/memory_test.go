//go:build linux

package vault_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/vault"
)

// holding is a value with secrets in it, passed about as real ones are.
type holding struct {
	key        *identity.Key
	passphrase *vault.Passphrase
	vault      *vault.Vault
}

//go:noinline
func panicWith(h holding) { panic(fmt.Sprintf("%v %+v %#v", h, h, h.vault)) }

// A process that holds an opened vault: its key lies on locked pages, it may
// not dump core, and neither a panic nor its trace shows a secret.
func TestSecretsStayInMemory(t *testing.T) {
	if dir := os.Getenv("SOTTO_TEST_MEMORY"); dir != "" {
		if err := vault.Harden(); err != nil {
			t.Fatal(err)
		}
		p := quick(t, "a wet blanket")
		v, err := vault.Open(dir, with(p))
		if err != nil {
			t.Fatal(err)
		}
		dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		fmt.Println("dumpable:", dumpable, err)
		for _, name := range []string{"/proc/self/status", "/proc/self/limits"} {
			os.Stdout.Write(read(t, name))
		}
		fmt.Println("swappable:", v.Swappable)
		fmt.Println("mapped:", string(read(t, "/proc/self/smaps")))
		panicWith(holding{v.Key, p, v})
	}
	dir, key := create(t, quick(t, "a wet blanket"))
	cmd := exec.Command(os.Args[0], "-test.run=^TestSecretsStayInMemory$", "-test.v")
	cmd.Env = append(os.Environ(), "SOTTO_TEST_MEMORY="+dir, "GOTRACEBACK=all")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("it did not panic:\n%s", out)
	}
	text := string(out)
	if !strings.Contains(text, "panic: ") || !strings.Contains(text, "panicWith") || !strings.Contains(text, "identity.Key(secret)") {
		t.Errorf("no such panic:\n%s", out)
	}
	locked := regexp.MustCompile(`VmLck:\s+(\d+) kB`).FindStringSubmatch(text)
	if locked == nil || locked[1] == "0" || !strings.Contains(text, "swappable: <nil>") {
		t.Errorf("no page is locked: %v", locked)
	}
	if !regexp.MustCompile(`Max core file size\s+0\s+0`).MatchString(text) || !strings.Contains(text, "dumpable: 0 <nil>") {
		t.Error("core dumps are allowed")
	}
	if !regexp.MustCompile(`(?m)^VmFlags:.* lo .*dd`).MatchString(text) {
		t.Error("no page is locked and kept from dumps: the passphrase's should be")
	}
	raw := key.Tor()
	for what, secret := range map[string][]byte{"the scalar": raw[:8], "the prefix": raw[32:40], "the passphrase": []byte("wet bl")} {
		var loose []string // as a trace writes bytes
		for _, b := range secret[:4] {
			loose = append(loose, fmt.Sprintf("%#x", b))
		}
		for _, form := range []string{string(secret), hex.EncodeToString(secret), hex.EncodeToString(reversed(secret)), strings.Join(loose, ", "), strings.Trim(fmt.Sprint(secret), "[]")} {
			if bytes.Contains(out, []byte(form)) {
				t.Errorf("%s shows as %q", what, form)
			}
		}
	}
}

func reversed(b []byte) []byte {
	out := make([]byte, len(b))
	for i, v := range b {
		out[len(b)-1-i] = v
	}
	return out
}
