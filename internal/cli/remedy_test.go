package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Where the disk refuses, what helps is said; where it does not, nothing is
// added.
func TestWhatHelpsWhereTheDiskRefuses(t *testing.T) {
	_, none := os.Open(filepath.Join(t.TempDir(), "none"))
	for want, err := range map[string]error{
		"make room on that disk": fmt.Errorf("saving the contacts: %w", &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}),
		"take another place":     fmt.Errorf("saving the contacts: %w", &os.PathError{Op: "open", Path: "x", Err: syscall.EROFS}),
		"it must be your own":    fmt.Errorf("reading the identity: %w", &os.PathError{Op: "open", Path: "x", Err: syscall.EACCES}),
		"":                       errors.Join(none, errWords),
	} {
		if got := remedy(err); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%v%s", err, got)
		}
	}
}
