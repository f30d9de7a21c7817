package onion

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// maxSocketDir leaves room for a name in the 107 bytes of a unix socket's path.
const maxSocketDir = 80

// layout is where everything of one Node lies. tor insists that the folder of
// its sockets is its user's alone.
//
//	Dir/lock      held while Run runs
//	Dir/torrc     0600
//	Dir/data/     tor's DataDirectory: guards, consensus
//	Dir/sockets/  control, socks, cookie, and one socket for each service
type layout struct {
	dir     string // absolute
	sockets string
	own     bool // sockets is a temporary folder, to be removed
}

// makeLayout creates the folders, 0700. The sockets move to a temporary folder
// when dir is too long for a unix socket or has a character that ADD_ONION's
// unparsed target cannot carry.
func makeLayout(dir string) (layout, error) {
	l := layout{dir: dir, sockets: filepath.Join(dir, "sockets")}
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
		return l, fmt.Errorf("tor's folder: %w", err)
	}
	for _, d := range []string{dir, filepath.Join(dir, "data")} {
		if err := os.Chmod(d, 0o700); err != nil {
			return l, fmt.Errorf("tor's folder must be yours alone: %w", err)
		}
	}
	if len(l.sockets) > maxSocketDir || !plainPath(l.sockets) {
		short, err := os.MkdirTemp("", "sotto-")
		if err != nil {
			return l, fmt.Errorf("a folder for tor's sockets: %w", err)
		}
		l.sockets, l.own = short, true
		if len(short) > maxSocketDir || !plainPath(short) {
			return l, fmt.Errorf("no folder for tor's sockets: %s and the temporary folder have names that are too long or have spaces in them; set TMPDIR=/tmp", dir)
		}
		return l, nil
	}
	// Sockets of a run that was killed. The lock says that nobody uses them.
	if err := os.RemoveAll(l.sockets); err != nil {
		return l, fmt.Errorf("tor's old sockets: %w", err)
	}
	if err := os.Mkdir(l.sockets, 0o700); err != nil {
		return l, fmt.Errorf("a folder for tor's sockets: %w", err)
	}
	return l, nil
}

func (l layout) control() string { return filepath.Join(l.sockets, "control") }
func (l layout) socks() string   { return filepath.Join(l.sockets, "socks") }
func (l layout) cookie() string  { return filepath.Join(l.sockets, "cookie") }

// remove takes the sockets away; tor's data stays for the next start.
func (l layout) remove() error { return os.RemoveAll(l.sockets) }

// torrc writes tor's configuration and returns its path. Nothing of it needs to
// be in tor's arguments, where every user of the machine could read it.
func (l layout) torrc(more []string, sandbox bool) (string, error) {
	lines := []string{
		option("DataDirectory", filepath.Join(l.dir, "data")),
		"ControlPort 0",
		option("ControlSocket", l.control()),
		"CookieAuthentication 1",
		option("CookieAuthFile", l.cookie()),
		// tor itself refuses any name but an onion's, and looks none up.
		"SocksPort unix:" + l.socks() + " OnionTrafficOnly IsolateSOCKSAuth ExtendedErrors",
		fmt.Sprintf("__OwningControllerProcess %d", os.Getpid()),
		"ClientOnly 1",
		"SafeLogging 1",
		"AvoidDiskWrites 1",
		"Log notice stdout",
	}
	if sandbox {
		lines = append(lines, "Sandbox 1")
	}
	lines = append(lines, more...)
	for _, line := range lines {
		if strings.ContainsAny(line, "\r\n\x00") {
			return "", fmt.Errorf("a path or an option of tor has a line break in it: %.40q", line)
		}
	}
	path := filepath.Join(l.dir, "torrc")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("tor's configuration: %w", err)
	}
	return path, os.Chmod(path, 0o600)
}

// option writes a torrc line with its value in tor's C-style quotes.
func option(name, value string) string {
	return name + ` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// plainPath tells whether a path can stand unquoted in a torrc and on the
// control port.
func plainPath(path string) bool {
	for _, c := range path {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.ContainsRune("/._-+@", c):
		default:
			return false
		}
	}
	return true
}

// hasSandbox: tor's seccomp sandbox is for Linux alone.
const hasSandbox = runtime.GOOS == "linux"
