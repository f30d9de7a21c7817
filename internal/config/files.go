package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Files is where settings are kept.
type Files struct {
	System string // a folder, of whose files those called *.conf are read; it may be missing
	User   string // a file; it may be missing
}

// Read gives all settings that the files have.
func (s *Schema) Read(f Files) (map[string]Value, error) {
	text, err := f.Text()
	if err != nil {
		return nil, err
	}
	return s.with(f, text)
}

// with gives all settings as if the user's file had this text.
func (s *Schema) with(f Files, user []byte) (map[string]Value, error) {
	entries, err := os.ReadDir(f.System) // sorted by name
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{File: f.System, Err: reason(err)}
	}
	values := map[string]Value{}
	take := func(file string, text []byte) error {
		got, err := s.Parse(file, text)
		for name, v := range got {
			values[name] = v
		}
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".conf") {
			continue
		}
		file := filepath.Join(f.System, e.Name())
		text, err := readFile(file)
		if err != nil {
			return nil, err
		}
		if err := take(file, text); err != nil {
			return nil, err
		}
	}
	if err := take(f.User, user); err != nil {
		return nil, err
	}
	if s.Together != nil {
		return values, s.Together(values)
	}
	return values, nil
}

// readFile reads a file that is ours or root's and that nobody else can write.
func readFile(path string) ([]byte, error) {
	// Without waiting for whoever may be at the other end of a pipe.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, &Error{File: path, Err: reason(err)}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, &Error{File: path, Err: reason(err)}
	}
	switch owner := info.Sys().(*syscall.Stat_t).Uid; {
	case !info.Mode().IsRegular():
		return nil, &Error{File: path, Err: errors.New("this is no regular file")}
	case info.Mode().Perm()&0o002 != 0:
		return nil, &Error{File: path, Err: errors.New("everybody here can write it, and it names programs to run: chmod o-w it, after a look at what it says")}
	case owner != 0 && int(owner) != os.Getuid():
		return nil, &Error{File: path, Err: errors.New("it belongs to somebody else, and it names programs to run: make it yours or root's")}
	}
	text, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	if err != nil {
		return nil, &Error{File: path, Err: reason(err)}
	}
	return text, nil
}

// reason is an error without the path that is said already.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
