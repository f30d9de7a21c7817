package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/identity/vault"
)

// sotto alone takes files in place of devices, as up does, but not the keys' own
// input.
func TestHomeTakesFiles(t *testing.T) {
	run := func(args ...string) error {
		root := newRoot()
		root.SetArgs(append(args, "--plain", "--home", t.TempDir()))
		return root.ExecuteContext(t.Context())
	}
	if err := run("--in", "-"); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), "standard input") {
		t.Errorf("--in -: %v", err)
	}
	if err := run("--in", "tone", "--out", "heard.wav", "--record", "both.opus"); !errors.Is(err, vault.ErrNone) {
		t.Errorf("files: %v", err)
	}
}
