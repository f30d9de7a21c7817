package vault

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrInUse says that another process has the profile.
var ErrInUse = errors.New("this profile is in use")

// Lock is the right to use a profile, or to change its contacts and
// history. The kernel ends it with the process.
type Lock struct{ file *os.File }

// Acquire takes the profile in dir for this process, making the folder if need
// be. When another process has it the error wraps [ErrInUse] and names that
// one, within half a second. purpose ("sotto up") is what others will be told.
func Acquire(dir, purpose string) (*Lock, error) {
	return acquire(dir, "lock", purpose, 0)
}

// AcquireContacts takes the right to change the contacts in dir, or the history
// beside them, which takes milliseconds and goes beside a process that uses the profile. It waits for
// others for up to half a second.
func AcquireContacts(dir, purpose string) (*Lock, error) {
	return acquire(dir, "contacts.lock", purpose, patience)
}

const (
	patience = 500 * time.Millisecond
	between  = 5 * time.Millisecond // two looks
)

func acquire(dir, name, purpose string, wait time.Duration) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the profile: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the profile: %w", err)
	}
	take := func() bool {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		return !errors.Is(err, syscall.EWOULDBLOCK)
	}
	if !take() && !within(wait, take) {
		defer f.Close()
		return nil, fmt.Errorf("%w by %s: end that first, or take another profile with --home", ErrInUse, holder(f))
	}
	if err == nil {
		err = errors.Join(f.Truncate(0), sign(f, purpose))
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("locking the profile: %w", err)
	}
	return &Lock{f}, nil
}

// within looks again and again until done says so, for at most wait.
func within(wait time.Duration, done func() bool) bool {
	tick := time.NewTicker(between)
	defer tick.Stop()
	for end := time.Now().Add(wait); time.Now().Before(end); {
		<-tick.C
		if done() {
			return true
		}
	}
	return false
}

func sign(f *os.File, purpose string) error {
	_, err := f.WriteAt(fmt.Appendf(nil, "%d %s\n", os.Getpid(), purpose), 0)
	return err
}

// holder reads who has the lock: "sotto up (process 123)". Whoever has just
// taken it may not have signed yet, and who had it before may be gone.
func holder(f *os.File) (name string) {
	name = "another process"
	within(patience, func() bool {
		pid, purpose := signature(f)
		if purpose != "" {
			name = fmt.Sprintf("%s (process %d)", purpose, pid)
		}
		return purpose != ""
	})
	return name
}

// signature is who has signed f, as long as that process lives; else purpose is "".
func signature(f *os.File) (pid int, purpose string) {
	b := make([]byte, 128)
	n, _ := f.ReadAt(b, 0)
	line, _, whole := bytes.Cut(b[:n], []byte("\n"))
	number, purpose, _ := strings.Cut(string(line), " ")
	pid, err := strconv.Atoi(number)
	if !whole || err != nil || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return 0, ""
	}
	return pid, purpose
}

// Holder is the purpose of the process that has the profile in dir, as far as can
// be seen without being in anybody's way; "" where there is none.
func Holder(dir string) (purpose string) {
	f, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		return ""
	}
	defer f.Close()
	_, purpose = signature(f)
	return purpose
}

// Release gives it back.
func (l *Lock) Release() { l.file.Close() }
