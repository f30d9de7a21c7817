package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/BurntSushi/toml"
)

// errByHand is for what cannot be changed line by line.
var errByHand = refuse(errors.New("this file is not laid out one setting a line: change it by hand with sotto config edit"))

// Set gives the text with one setting changed or put in; everything else,
// remarks as well, stays.
func (s *Schema) Set(text []byte, name, value string) ([]byte, error) {
	k, err := s.key(name)
	if err != nil {
		return nil, err
	}
	if err := k.check(value); err != nil {
		return nil, err
	}
	var typed any = value
	switch k.Kind {
	case Number:
		typed, err = strconv.ParseInt(value, 0, 64)
	case Bool:
		typed, err = strconv.ParseBool(value)
	}
	if err != nil {
		return nil, refuse(fmt.Errorf("%s: %w", name, err))
	}
	line, err := toml.Marshal(map[string]any{name: typed})
	if err != nil {
		return nil, refuse(fmt.Errorf("%s: %w", name, err))
	}
	lines := split(text)
	written := strings.TrimSuffix(string(line), "\n")
	if i := find(lines, name); i >= 0 {
		lines[i] = written + remark(lines[i])
	} else {
		lines = append(lines, written)
	}
	return changed(text, lines, func(all map[string]any) { all[name] = typed })
}

// Unset gives the text without the line of a setting, which need not be one
// that is known, and whether there was one.
func Unset(text []byte, name string) ([]byte, bool, error) {
	lines := split(text)
	i := find(lines, name)
	if i < 0 {
		return text, false, nil
	}
	next, err := changed(text, slices.Delete(lines, i, i+1), func(all map[string]any) { delete(all, name) })
	return next, true, err
}

// changed joins lines that have come of text, if they say what text said but
// for the change.
func changed(text []byte, lines []string, change func(map[string]any)) ([]byte, error) {
	var next []byte
	if len(lines) > 0 {
		next = []byte(strings.Join(lines, "\n") + "\n")
	}
	before, after := map[string]any{}, map[string]any{}
	if err := toml.Unmarshal(text, &before); err != nil {
		return nil, refuse(fmt.Errorf("%w: mend it with sotto config edit", err))
	}
	change(before)
	if err := toml.Unmarshal(next, &after); err != nil || !reflect.DeepEqual(before, after) {
		return nil, errByHand
	}
	return next, nil
}

// remark is what follows a setting on its line, from the blanks before # on.
func remark(line string) string {
	line = strings.TrimRight(line, "\r")
	for i, r := range line {
		var any map[string]any
		if r != '#' || toml.Unmarshal([]byte(line[:i]), &any) != nil {
			continue
		}
		return line[len(strings.TrimRight(line[:i], " \t")):]
	}
	return ""
}

func split(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// Text is what the user's file says, nothing if there is none.
func (f Files) Text() ([]byte, error) {
	if f.User == "" {
		return nil, nil
	}
	text, err := readFile(f.User)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// Save puts a text into the user's file, unless it is wrong. The file is
// written whole, under the name it has, behind a symbolic link as well.
func (s *Schema) Save(f Files, text []byte) error { return s.SaveFrom(f, f.User, text) }

// SaveFrom is [Schema.Save] of a text that stands in another file, which errors
// name.
func (s *Schema) SaveFrom(f Files, draft string, text []byte) error {
	if _, err := s.with(Files{f.System, draft}, text); err != nil {
		return err
	}
	path := f.User
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("saving settings: %w", err)
	}
	if err := replace(path, text); err != nil {
		return fmt.Errorf("saving settings: %w", err)
	}
	return nil
}

// replace writes a file beside path, and lets it take path's place when it has
// reached the disk.
func replace(path string, text []byte) (err error) {
	next, err := os.CreateTemp(filepath.Dir(path), ".config-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(next.Name())
		}
	}()
	_, err = next.Write(text)
	err = errors.Join(err, next.Sync(), next.Close())
	if err != nil {
		return err
	}
	if err = os.Rename(next.Name(), path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// Lock keeps others from changing the user's file until unlock is called: who
// reads it, changes it and saves it holds the lock meanwhile.
func (f Files) Lock() (unlock func(), err error) {
	if f.User == "" {
		return nil, ErrNowhere
	}
	if err := os.MkdirAll(filepath.Dir(f.User), 0o700); err != nil {
		return nil, fmt.Errorf("saving settings: %w", err)
	}
	folder, err := os.Open(filepath.Dir(f.User))
	if err != nil {
		return nil, fmt.Errorf("saving settings: %w", err)
	}
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
		folder.Close()
		return nil, fmt.Errorf("saving settings: %w", err)
	}
	return func() { folder.Close() }, nil
}
