package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"
)

// hook is a program's path as a flag.
type hook string

func (h *hook) String() string { return string(*h) }

// Type is what help shows.
func (*hook) Type() string { return "program" }

// Set takes a whole path.
func (h *hook) Set(path string) error {
	if path != "" && !strings.HasPrefix(path, "/") {
		return errors.New("it is the whole path of a program, from / on")
	}
	*h = hook(path)
	return nil
}

// check refuses a program that could not be run when something happens.
func (h hook) check() error {
	if h == "" {
		return nil
	}
	_, err := exec.LookPath(string(h)) // a whole path is not looked for
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return usageError{fmt.Errorf("--hook %s: there is no such program", h)}
	case errors.Is(err, syscall.EISDIR):
		return usageError{fmt.Errorf("--hook %s: that is a folder, and no program", h)}
	case errors.Is(err, fs.ErrPermission):
		return usageError{fmt.Errorf("--hook %s: it may not be run: chmod +x it, if it is a program", h)}
	}
	return usageError{fmt.Errorf("--hook: %w", err)}
}
