package api

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// nothing is where the HTTP server's own words go: they are about connections
// that broke.
var nothing = log.New(io.Discard, "", 0)

// mostPath is how long a socket's path may be everywhere.
const mostPath = 103

// Socket is where the phone of a profile listens.
func Socket(home string) string { return filepath.Join(home, "api", "socket") }

// Listen makes the socket of the profile in home, for which the caller has the
// profile's lock: a socket that is there is one of a phone that was killed, and
// is replaced. Only connections of the same user are accepted.
func Listen(home string) (net.Listener, error) {
	path := Socket(home)
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("a folder for the phone's socket: %w", err)
	}
	if is, err := os.Lstat(folder); err != nil || !is.IsDir() {
		return nil, fmt.Errorf("%s must be a folder of its own for the phone's socket", folder)
	}
	if err := os.Chmod(folder, 0o700); err != nil {
		return nil, fmt.Errorf("the phone's socket must be yours alone: %w", err)
	}
	if is, err := os.Lstat(path); err == nil && is.Mode()&fs.ModeSocket == 0 {
		return nil, fmt.Errorf("%s is there, and no socket: remove it", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the phone's old socket: %w", err)
	}
	var l *net.UnixListener
	err := shortened(path, func(path string) (err error) {
		l, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the phone's socket: %w", err)
	}
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("the phone's socket must be yours alone: %w", err)
	}
	return &guarded{UnixListener: l, path: path}, nil
}

// guarded accepts the same user's connections.
type guarded struct {
	*net.UnixListener
	path string
	once sync.Once
}

func (g *guarded) Accept() (net.Conn, error) {
	for {
		conn, err := g.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if samePeer(conn) {
			return conn, nil
		}
		conn.Close()
	}
}

// Close also removes the socket.
func (g *guarded) Close() error {
	err := g.UnixListener.Close()
	g.once.Do(func() { os.Remove(g.path) })
	return err
}

// connect connects to the phone of a profile.
func connect(home string) (conn net.Conn, err error) {
	err = shortened(Socket(home), func(path string) error {
		conn, err = net.Dial("unix", path)
		return err
	})
	if err == nil && !samePeer(conn.(*net.UnixConn)) {
		conn.Close()
		return nil, errors.New("somebody else's process has the phone's socket")
	}
	return conn, err
}

// shortened gives use a path to the same place that a socket can have.
func shortened(path string, use func(string) error) error {
	if len(path) <= mostPath {
		return use(path)
	}
	return through(filepath.Dir(path), filepath.Base(path), use)
}
