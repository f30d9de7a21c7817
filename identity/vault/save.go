package vault

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// storage is what saving asks of a file system. The tests have one that
// crashes.
type storage interface {
	create(path string) (file, error) // 0600; an error if it is there
	rename(from, to string) error
	remove(path string) error
	syncFolder(path string) error
}

type file interface {
	io.WriteCloser
	Sync() error
}

// save makes data the content of the file at path, replacing what is there as
// a whole: a crash at any moment leaves the old content or the new. The
// caller's lock keeps others from saving the same file. What a crash leaves
// beside it goes away with the next saving.
func save(s storage, path string, data []byte) error {
	fresh := fresh(path)
	if err := s.remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := s.create(fresh)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync() // before the rename, or the name could outlive the content
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = s.rename(fresh, path)
	}
	if err != nil {
		_ = s.remove(fresh)
		return err
	}
	return s.syncFolder(filepath.Dir(path))
}

// fresh is where what is to replace the file at path is written first.
func fresh(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
}

// disk is the real thing.
type disk struct{}

func (disk) create(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}
func (disk) rename(from, to string) error { return os.Rename(from, to) }
func (disk) remove(path string) error     { return os.Remove(path) }

func (disk) syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
