package vault_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sottovoce/sotto/identity/vault"
)

// A hundred races for one lock: each has one winner, and the losers are told
// who within a second, whatever an earlier holder has left behind.
func TestOneProfileOneLock(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lock"), []byte("4194303 sotto gone\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	us := fmt.Sprintf("(process %d)", os.Getpid())
	for round := range 100 {
		var mu sync.Mutex
		var won []*vault.Lock
		var told []string
		var group sync.WaitGroup
		purpose := fmt.Sprintf("sotto up %d", round)
		for range 4 {
			group.Go(func() {
				began := time.Now()
				l, err := vault.Acquire(dir, purpose)
				mu.Lock()
				defer mu.Unlock()
				switch took := time.Since(began); {
				case took > time.Second:
					t.Errorf("it took %v", took)
				case err == nil:
					won = append(won, l)
				case !errors.Is(err, vault.ErrInUse):
					t.Error(err)
				default:
					told = append(told, err.Error())
				}
			})
		}
		group.Wait()
		if len(won) != 1 || len(told) != 3 {
			t.Fatalf("%d have the lock, %d not", len(won), len(told))
		}
		for _, text := range told {
			// The name of the round before may stand for a moment: it is the same process.
			if !strings.Contains(text, "sotto up ") || !strings.Contains(text, us) {
				t.Fatalf("the holder is not named: %s", text)
			}
		}
		won[0].Release()
	}
}

// A name that a holder of before has left is not passed off as today's.
func TestAGoneHolderIsNotNamed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lock")
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, "%d sotto gone\n", gone.Process.Pid), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil { // and not signed
		t.Fatal(err)
	}
	if _, err := vault.Acquire(dir, "us"); !errors.Is(err, vault.ErrInUse) || !strings.Contains(err.Error(), "by another process:") {
		t.Error(err)
	}
}

// Changing contacts goes beside using the profile, and waits a little for
// others who do.
func TestContactsHaveALockOfTheirOwn(t *testing.T) {
	dir := t.TempDir()
	profile, err := vault.Acquire(dir, "sotto up")
	if err != nil {
		t.Fatal(err)
	}
	defer profile.Release()
	var inside, counted atomic.Int32
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			l, err := vault.AcquireContacts(dir, "sotto contacts add")
			if err != nil {
				t.Error(err)
				return
			}
			if inside.Add(1) != 1 {
				t.Error("two have it")
			}
			counted.Add(1)
			inside.Add(-1)
			l.Release()
		})
	}
	group.Wait()
	if n := counted.Load(); n != 20 {
		t.Errorf("%d of 20 were let in", n)
	}
	l, err := vault.AcquireContacts(dir, "sotto contacts add")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	began := time.Now()
	if _, err := vault.AcquireContacts(dir, "x"); !errors.Is(err, vault.ErrInUse) || !strings.Contains(err.Error(), "by sotto contacts add (process") || time.Since(began) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

// The lock goes with its process, however that ends.
func TestALockIsNeverStale(t *testing.T) {
	if dir := os.Getenv("SOTTO_TEST_LOCK"); dir != "" {
		if _, err := vault.Acquire(dir, "a process that will be killed"); err != nil {
			os.Exit(1)
		}
		os.Stdout.WriteString("locked\n")
		select {}
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestALockIsNeverStale$")
	cmd.Env = append(os.Environ(), "SOTTO_TEST_LOCK="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 7)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := vault.Acquire(dir, "us"); !errors.Is(err, vault.ErrInUse) || !strings.Contains(err.Error(), fmt.Sprintf("a process that will be killed (process %d)", cmd.Process.Pid)) {
		t.Errorf("while it lives: %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v to say so", took)
	}
	cmd.Process.Kill()
	cmd.Wait()
	l, err := vault.Acquire(dir, "us")
	if err != nil {
		t.Fatalf("after its end: %v", err)
	}
	l.Release()
}

// Two who make an identity at once: one makes it, the other says why not.
func TestOneIdentityIsMade(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		var mu sync.Mutex
		made := 0
		var group sync.WaitGroup
		for range 4 {
			key := newKey(t)
			group.Go(func() {
				v, err := vault.Create(dir, key, nil)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					made++
					if got, err := vault.Open(dir, never); err != nil || got.Key.Address() != v.Key.Address() {
						t.Errorf("made, and then another: %v", err)
					}
				} else if !errors.Is(err, vault.ErrInUse) && !errors.Is(err, vault.ErrExists) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if made != 1 {
			t.Fatalf("%d were made", made)
		}
	}
}
