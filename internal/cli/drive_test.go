package cli

import (
	"errors"
	"testing"
	"time"

	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/api"
)

// A phone that has the profile, and no socket yet, is waited for; nobody else is.
func TestAPhoneThatStartsIsFound(t *testing.T) {
	dir := t.TempDir()
	if _, err := findPhone(t.Context(), dir); !errors.Is(err, api.ErrNoPhone) {
		t.Error(err)
	}
	lock, err := vault.Acquire(dir, purposeUp)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if who := vault.Holder(dir); who != purposeUp {
		t.Errorf("%q", who)
	}
	found := make(chan error, 1)
	go func() {
		_, err := findPhone(t.Context(), dir)
		found <- err
	}()
	select {
	case err := <-found:
		t.Fatalf("it was not waited for: %v", err)
	case <-time.After(startTime / 20):
	}
	socket, err := api.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := <-found; err != nil {
		t.Error(err)
	}
}
