// Package config reads and writes settings: the long flags of sotto that
// somebody wants to give only once.
//
// Settings stand in TOML files, one "name = value" a line, no tables:
//
//	/etc/sotto.d/*.conf                     for everybody here, in lexical order
//	$XDG_CONFIG_HOME/sotto/config.toml      one's own; ~/.config where unset
//
// What is read later counts. This package knows no setting by name: a [Schema]
// says which there are and what each takes, and the command line makes it from
// its own flags, so that a flag and a setting cannot differ.
//
// A file is taken whole or not at all: a name that is not known, a value of
// another type, or one that the flag would refuse is an [Error] with file and
// line. So is a file of more than [MaxSize] bytes, one that is no regular file,
// and one that others can write, because a setting names programs that are run.
package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// MaxSize is the most bytes that a file of settings may have.
const MaxSize = 64 << 10

// ErrWrong is what every [Error] is.
var ErrWrong = errors.New("wrong settings")

// ErrNowhere is that nobody's own settings can be kept here.
var ErrNowhere = fmt.Errorf("%w: no home folder is known here: name one in HOME, or the settings' in XDG_CONFIG_HOME", ErrWrong)

// refused is an ErrWrong that says no more than its reason.
type refused struct{ error }

func refuse(err error) error         { return refused{err} }
func (r refused) Unwrap() error      { return r.error }
func (refused) Is(target error) bool { return target == ErrWrong }

// Error is what is wrong with a file.
type Error struct {
	File string
	Line int // from 1; 0 where it cannot be told
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", where(e.File, e.Line), e.Err) }

// Unwrap gives the reason.
func (e *Error) Unwrap() error { return e.Err }

// Is makes every Error an [ErrWrong].
func (*Error) Is(target error) bool { return target == ErrWrong }

func where(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// Kind is what TOML writes for a setting.
type Kind int

// Text also takes a whole number, as the number of a microphone.
const (
	Text Kind = iota
	Number
	Bool
)

// Key is a setting there is.
type Key struct {
	Name  string
	Kind  Kind
	Check func(text string) error // refuses what the flag would refuse
}

// Value is what a file gives a setting.
type Value struct {
	Text string // as the flag takes it
	File string
	Line int // from 1; 0 where it cannot be told
}

// Where names file and line.
func (v Value) Where() string { return where(v.File, v.Line) }

// Schema says which settings there are.
type Schema struct {
	Keys     []Key
	Together func(map[string]Value) error // refuses what does not go together; nil: nothing
}

// Parse reads the text of one file, whose name is for errors.
func (s *Schema) Parse(file string, text []byte) (map[string]Value, error) {
	if len(text) > MaxSize {
		return nil, &Error{File: file, Err: fmt.Errorf("over %d KiB: this is no file of settings", MaxSize>>10)}
	}
	raw := map[string]any{}
	meta, err := toml.Decode(string(text), &raw)
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return nil, &Error{file, syntax.Position.Line, errors.New(syntax.Message)}
	}
	if err != nil {
		return nil, &Error{File: file, Err: err}
	}
	values := map[string]Value{}
	lines := strings.Split(string(text), "\n")
	for _, path := range meta.Keys() { // in the file's order: the first error is the topmost
		name := path[0]
		if _, done := values[name]; done {
			continue
		}
		line := max(0, find(lines, name)+1)
		k, err := s.key(name)
		if err != nil {
			return nil, &Error{file, line, err}
		}
		v, err := k.read(raw[name])
		if err != nil {
			return nil, &Error{file, line, err}
		}
		values[name] = Value{v, file, line}
	}
	return values, nil
}

// Known refuses a name that no setting has, and says which was meant.
func (s *Schema) Known(name string) error {
	_, err := s.key(name)
	return err
}

// key is the setting of this name.
func (s *Schema) key(name string) (Key, error) {
	i := slices.IndexFunc(s.Keys, func(k Key) bool { return k.Name == name })
	if i >= 0 {
		return s.Keys[i], nil
	}
	var names []string
	for _, k := range s.Keys {
		names = append(names, k.Name)
	}
	hint := "sotto config list shows all"
	if n := nearest(name, names); n != "" {
		hint = "did you mean " + n + "?"
	}
	return Key{}, refuse(fmt.Errorf("there is no setting %q (%s)", name, hint))
}

// read turns what TOML gave into what the flag takes.
func (k Key) read(raw any) (string, error) {
	var text string
	var fits bool
	switch v := raw.(type) {
	case string:
		text, fits = v, k.Kind == Text
	case int64:
		text, fits = strconv.FormatInt(v, 10), k.Kind != Bool
	case bool:
		text, fits = strconv.FormatBool(v), k.Kind == Bool
	}
	if !fits {
		return "", fmt.Errorf("%s takes %s", k.Name, [...]string{Text: `text in quotes, as "on"`, Number: "a whole number, without quotes", Bool: "true or false, without quotes"}[k.Kind])
	}
	return text, k.check(text)
}

// check words a refusal as the flag's own is worded.
func (k Key) check(text string) error {
	if err := k.Check(text); err != nil {
		return refuse(fmt.Errorf("invalid argument %q for %q: %w", text, k.Name, err))
	}
	return nil
}

// find is the index of the line that begins with a name, or a table of that
// name; -1 if none does.
func find(lines []string, name string) int {
	return slices.IndexFunc(lines, func(line string) bool {
		rest := strings.TrimLeft(line, " \t[")
		for _, form := range []string{name, `"` + name + `"`, `'` + name + `'`} {
			if after, ok := strings.CutPrefix(rest, form); ok {
				after = strings.TrimLeft(after, " \t")
				return after != "" && strings.ContainsRune("=.]", rune(after[0]))
			}
		}
		return false
	})
}
