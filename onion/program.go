package onion

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// What is wrong with the tor program. A caller cannot go on without another one.
var (
	ErrUnsafeTor = errors.New("this tor program could be anybody's")
	ErrNoTor     = errors.New("no tor program found: install it (on Debian: apt install tor) or name its path")
	ErrTorTooOld = errors.New("tor is too old: 0.4.7 is the oldest that works, get a newer one from your system or torproject.org")
)

// Version is tor's: major, minor, micro, patch.
type Version [4]int

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d.%d", v[0], v[1], v[2], v[3]) }

func (v Version) zero() bool { return v == Version{} }

// Before orders versions.
func (v Version) Before(w Version) bool {
	for i := range v {
		if v[i] != w[i] {
			return v[i] < w[i]
		}
	}
	return false
}

var (
	oldest = Version{0, 4, 7, 0}
	// fixed is the first version in which a rendezvous point cannot pose as
	// the onion service (tor bug 41297).
	fixed = Version{0, 4, 9, 11}
)

// Program is a tor program on disk.
type Program struct {
	Path    string // absolute
	Version Version
}

// FindTor finds the tor program and asks it for its version. An empty path
// looks in PATH, /usr/sbin and /usr/bin. Nobody but root and whoever runs this
// program may be able to put another program in its place. Errors wrap [ErrNoTor],
// [ErrUnsafeTor] or [ErrTorTooOld].
func FindTor(path string) (Program, error) {
	path, err := findProgram(path)
	if err != nil {
		return Program{}, useRunning(err)
	}
	if path, err = trustworthy(path); err != nil {
		return Program{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var said bytes.Buffer
	err = Process{Path: path, Args: []string{"--version"}, Line: func(line string) {
		said.WriteString(line + "\n")
	}}.Run(ctx)
	if err != nil {
		return Program{}, fmt.Errorf("%w: %w", ErrNoTor, err)
	}
	version, err := parseVersion(said.String())
	if err != nil {
		return Program{}, fmt.Errorf("%w: %s does not answer --version as tor does: %w", ErrNoTor, path, err)
	}
	if version.Before(oldest) {
		return Program{}, fmt.Errorf("%w (%s is %v)", ErrTorTooOld, path, version)
	}
	return Program{Path: path, Version: version}, nil
}

func findProgram(path string) (string, error) {
	candidates := []string{path}
	if path == "" {
		candidates = []string{"tor", "/usr/sbin/tor", "/usr/bin/tor"}
	}
	err := error(fs.ErrNotExist)
	for _, candidate := range candidates {
		found, lookErr := exec.LookPath(candidate)
		if lookErr != nil {
			if path != "" {
				err = lookErr
			}
			continue
		}
		if found, err = filepath.Abs(found); err == nil {
			if info, statErr := os.Stat(found); statErr == nil && info.Mode().IsRegular() {
				return found, nil
			}
		}
	}
	return "", fmt.Errorf("%w: %w", ErrNoTor, err)
}

var versionLine = regexp.MustCompile(`(?m)^Tor version (\d+)\.(\d+)\.(\d+)\.(\d+)\b`)

// parseVersion reads "Tor version 0.4.9.11." and its like; a status such as
// "-rc" or "(git-…)" may follow.
func parseVersion(said string) (Version, error) {
	m := versionLine.FindStringSubmatch(said)
	if m == nil {
		return Version{}, fmt.Errorf("no version in %.60q", said)
	}
	var v Version
	for i := range v {
		n, err := strconv.Atoi(m[i+1])
		if err != nil {
			return Version{}, fmt.Errorf("no version in %.60q: %w", said, err)
		}
		v[i] = n
	}
	return v, nil
}
