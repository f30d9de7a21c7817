package phone

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sottovoce/sotto/onion"
)

// maxBridgesFile is the size of a file of bridges, in bytes.
const maxBridgesFile = 64 << 10

// BridgesPath is where the bridges of the profile in home lie, one a line, as
// they were handed out. One-time callers use them as well: they must not go
// where the person may not be seen to go.
func BridgesPath(home string) string { return filepath.Join(home, "bridges") }

// ReadBridges reads bridges that a person gives, of 64 KiB at most.
func ReadBridges(from io.Reader) ([]onion.Bridge, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxBridgesFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxBridgesFile {
		return nil, fmt.Errorf("%w: these are more than %d KiB", onion.ErrBridge, maxBridgesFile>>10)
	}
	return onion.ParseBridges(text)
}

// LoadBridges reads those that are kept in a file; none if there is no file. A
// file that others can read, or that is damaged, is refused: going on without
// bridges would show what they are to hide.
func LoadBridges(path string) ([]onion.Bridge, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the bridges: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the bridges: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s can be read or changed by others: chmod 600 it, and look whether it is still yours (sotto bridges)", onion.ErrBridge, path)
	}
	bridges, err := ReadBridges(f)
	if err == nil && len(bridges) == 0 {
		err = onion.ErrBridge
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: sotto bridges set gives others, sotto bridges clear gives them up", path, err)
	}
	return bridges, nil
}

// SaveBridges keeps bridges in a file, for its owner alone, or takes it away if
// there are none. A crash leaves the old ones or the new ones.
func SaveBridges(path string, bridges []onion.Bridge) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("keeping the bridges: %w", err)
		}
	}()
	if len(bridges) == 0 {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".bridges-") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	for _, b := range bridges {
		fmt.Fprintln(f, b.Line()) // what goes wrong shows in Sync
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
