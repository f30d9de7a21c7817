package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"testing"
)

// model is a file system as hard on us as a real one may be: what is written
// reaches the disk when it likes, in any part, until it is synced; what
// happens to names reaches it in any choice until the folder is synced. It
// crashes after so many steps.
type model struct {
	steps   int // that are left
	piece   int // bytes written a step
	names   map[string]*inode
	pending []change          // to names, since the folder was synced
	durable map[string]*inode // names that have reached the disk
}

type inode struct {
	data   []byte
	synced int // bytes that have reached the disk for certain
	dirty  bool
}

// change is one step of a folder: name becomes node, nil being nothing.
type change struct {
	name string
	node *inode
}

var errCrash = errors.New("the power is gone")

func (m *model) step() error {
	if m.steps == 0 {
		return errCrash
	}
	m.steps--
	return nil
}

func (m *model) change(changes ...change) {
	for _, c := range changes {
		if c.node == nil {
			delete(m.names, c.name)
		} else {
			m.names[c.name] = c.node
		}
	}
	m.pending = append(m.pending, changes...)
}

func (m *model) create(path string) (file, error) {
	if err := m.step(); err != nil {
		return nil, err
	}
	if m.names[path] != nil {
		return nil, fs.ErrExist
	}
	n := &inode{}
	m.change(change{path, n})
	return &modelFile{m, n}, nil
}

func (m *model) rename(from, to string) error {
	if err := m.step(); err != nil {
		return err
	}
	n := m.names[from]
	if n == nil {
		return fs.ErrNotExist
	}
	m.change(change{to, n}, change{from, nil})
	return nil
}

func (m *model) remove(path string) error {
	if err := m.step(); err != nil {
		return err
	}
	if m.names[path] == nil {
		return fs.ErrNotExist
	}
	m.change(change{path, nil})
	return nil
}

func (m *model) syncFolder(string) error {
	if err := m.step(); err != nil {
		return err
	}
	m.durable, m.pending = maps.Clone(m.names), nil
	return nil
}

type modelFile struct {
	m *model
	n *inode
}

// Write takes the data a piece a step.
func (f *modelFile) Write(b []byte) (int, error) {
	for piece := range slices.Chunk(b, f.m.piece) {
		if err := f.m.step(); err != nil {
			return 0, err
		}
		f.n.data, f.n.dirty = append(f.n.data, piece...), true
	}
	return len(b), nil
}

func (f *modelFile) Sync() error {
	if err := f.m.step(); err != nil {
		return err
	}
	f.n.synced, f.n.dirty = len(f.n.data), false
	return nil
}

func (f *modelFile) Close() error { return f.m.step() }

// remains are all disks that a crash may leave: each choice of the changes to
// names, and each file with all it had, none of what was not synced, half of
// it, or zeros in its place.
func (m *model) remains() (disks []map[string][]byte) {
	for choice := range 1 << len(m.pending) {
		names := maps.Clone(m.durable)
		for i, c := range m.pending {
			if choice>>i&1 == 0 {
				continue
			}
			if c.node == nil {
				delete(names, c.name)
			} else {
				names[c.name] = c.node
			}
		}
		for torn := range 4 {
			disk := map[string][]byte{}
			for name, n := range names {
				data := bytes.Clone(n.data)
				if n.dirty {
					switch lost := data[n.synced:]; torn {
					case 1:
						data = data[:n.synced]
					case 2:
						data = data[:n.synced+len(lost)/2]
					case 3:
						clear(lost)
					}
				}
				disk[name] = data
			}
			disks = append(disks, disk)
		}
	}
	return disks
}

// Whenever the power fails, and whatever of the unsynced the disk has kept, the
// file is the old one or the new one, and saving works again afterwards.
func TestACrashLeavesTheOldFileOrTheNew(t *testing.T) {
	const path = "/profile/identity"
	old, fresh := bytes.Repeat([]byte("old."), 100), bytes.Repeat([]byte("fresh!"), 100)
	points, olds, news := 0, 0, 0
	for _, before := range [][]byte{nil, old} {
		for steps := 0; ; steps++ {
			m := &model{steps: steps, piece: 16, names: map[string]*inode{}}
			if before != nil {
				m.names[path] = &inode{data: before, synced: len(before)}
			}
			m.durable = maps.Clone(m.names)
			err := save(m, path, fresh)
			if err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			for _, disk := range m.remains() {
				points++
				got, there := disk[path]
				switch {
				case there && bytes.Equal(got, fresh):
					news++
				case err == nil:
					t.Fatalf("after %d steps: saved, and not there", steps)
				case there == (before != nil) && bytes.Equal(got, before):
					olds++
				default:
					t.Fatalf("after %d steps: neither old nor new: %d bytes", steps, len(got))
				}
				again := &model{steps: 1000, piece: 16, names: map[string]*inode{}}
				for name, data := range disk {
					again.names[name] = &inode{data: data}
				}
				if err := save(again, path, old); err != nil || !bytes.Equal(again.names[path].data, old) || len(again.names) != 1 {
					t.Fatalf("after a crash at %d: %v, %d files", steps, err, len(again.names))
				}
			}
			if err == nil {
				break
			}
		}
	}
	t.Logf("%d crashes: %d left the old file, %d the new one", points, olds, news)
	if points < 200 || olds < 50 || news < 10 {
		t.Errorf("only %d crashes, %d old, %d new", points, olds, news)
	}
}

// refusing is a disk on which one kind of step fails.
type refusing struct {
	disk
	what string
}

var errRefused = errors.New("disk full")

func (r refusing) create(path string) (file, error) {
	if r.what == "create" {
		return nil, errRefused
	}
	f, err := r.disk.create(path)
	return refusingFile{f, r.what}, err
}

func (r refusing) rename(from, to string) error {
	if r.what == "rename" {
		return errRefused
	}
	return r.disk.rename(from, to)
}

func (r refusing) syncFolder(path string) error {
	if r.what == "folder" {
		return errRefused
	}
	return r.disk.syncFolder(path)
}

type refusingFile struct {
	file
	what string
}

func (f refusingFile) Write(b []byte) (int, error) {
	if f.what == "write" {
		f.file.Write(b[:len(b)/2])
		return len(b) / 2, errRefused
	}
	return f.file.Write(b)
}

func (f refusingFile) Sync() error {
	if f.what == "sync" {
		return errRefused
	}
	return f.file.Sync()
}

func (f refusingFile) Close() error {
	if err := f.file.Close(); err != nil || f.what != "close" {
		return err
	}
	return errRefused
}

// Each step of saving may be refused: the error says so, the old file stands
// and nothing lies beside it.
func TestARefusedStepLeavesTheOldFile(t *testing.T) {
	for _, what := range []string{"create", "write", "sync", "close", "rename", "folder"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "identity")
		if err := save(disk{}, path, []byte("old")); err != nil {
			t.Fatal(err)
		}
		if err := save(refusing{what: what}, path, []byte("fresh")); !errors.Is(err, errRefused) {
			t.Errorf("%s refused: %v", what, err)
		}
		want := "old"
		if what == "folder" {
			want = "fresh" // it is there; only that it stays is not certain
		}
		got, err := readPrivate(path, 100)
		left, _ := filepath.Glob(filepath.Join(dir, ".*"))
		if err != nil || string(got) != want || len(left) != 0 {
			t.Errorf("%s refused: %s, %v, beside it %v", what, got, err, left)
		}
	}
}

func TestTooLongIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := save(disk{}, path, make([]byte, 101)); err != nil {
		t.Fatal(err)
	}
	for most, want := range map[int64]error{100: errTooLong, 101: nil} {
		if _, err := readPrivate(path, most); !errors.Is(err, want) {
			t.Error(fmt.Sprint(most), err)
		}
	}
}
