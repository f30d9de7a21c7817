package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// errNoTerminal says that nobody can be asked.
var errNoTerminal = errors.New("there is no terminal to ask on")

// noInput marks a context in which nobody is to be asked.
type noInput struct{}

// errNoInput is an errNoTerminal of one's own will.
var errNoInput = fmt.Errorf("nobody is asked, as --no-input says: %w", errNoTerminal)

// openTerminal opens the terminal itself: standard input may be sound.
func openTerminal(ctx context.Context) (*os.File, error) {
	if ctx.Value(noInput{}) != nil {
		return nil, errNoInput
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, errNoTerminal
	}
	return tty, nil
}

// ask shows a question on the terminal and reads one line, until ctx ends.
func ask(ctx context.Context, question string) (string, error) {
	tty, err := openTerminal(ctx)
	if err != nil {
		return "", err
	}
	defer tty.Close()
	stop := context.AfterFunc(ctx, func() { tty.Close() })
	defer stop()
	fmt.Fprint(tty, question, " ")
	line, err := readLine(tty)
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr)
		return "", errInterrupted
	}
	if err != nil {
		fmt.Fprintln(tty)
		return "", errNothing
	}
	return line, nil
}

// askSecret asks on the terminal for a line that is not shown, until ctx ends.
func askSecret(ctx context.Context, question string) ([]byte, error) {
	k, err := openKeys(ctx)
	if err != nil {
		return nil, err
	}
	defer k.close()
	fmt.Fprint(k.tty, question, " ")
	defer fmt.Fprint(k.tty, "\r\n")
	line := make([]byte, 0, 1024) // never moved, so that no copy stays
	for {
		var key byte
		var ok bool
		select {
		case <-ctx.Done():
			return nil, errInterrupted
		case key, ok = <-k.C:
		}
		switch {
		case !ok || key == ctrlC || key == ctrlD && len(line) == 0:
			clear(line)
			return nil, errInterrupted
		case key == '\r' || key == '\n':
			return line, nil
		case key == ctrlU:
			clear(line)
			line = line[:0]
		case key == '\b' || key == 127:
			_, size := utf8.DecodeLastRune(line)
			line = line[:len(line)-size]
		case key >= ' ' && len(line) < cap(line):
			line = append(line, key)
		}
	}
}

// askName asks on the terminal for a line, of which Tab completes names.
func askName(ctx context.Context, question string, names func(begun string) []string) (string, error) {
	tty, err := openTerminal(ctx)
	if err != nil {
		return "", err
	}
	defer tty.Close()
	var state *term.State
	err = control(tty, func(fd int) error {
		state, err = term.MakeRaw(fd)
		return err
	})
	if err != nil {
		return "", errNoTerminal
	}
	defer control(tty, func(fd int) error { return term.Restore(fd, state) })
	stop := context.AfterFunc(ctx, func() { tty.SetReadDeadline(time.Now()) })
	defer stop()
	t := term.NewTerminal(tty, question+" ")
	t.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' || pos != len(line) {
			return "", 0, false
		}
		found := names(line)
		if len(found) > 1 {
			fmt.Fprintln(t, strings.Join(found, "   "))
		}
		line = common(line, found)
		return line, len(line), true
	}
	_ = control(tty, func(fd int) error {
		width, height, err := term.GetSize(fd)
		if err == nil {
			err = t.SetSize(width, height)
		}
		return err
	})
	line, err := t.ReadLine()
	if err != nil { // Ctrl-C too, in raw mode
		fmt.Fprint(tty, "\r\n")
		return "", errInterrupted
	}
	if line = strings.TrimSpace(line); line == "" {
		return "", errNothing
	}
	return line, nil
}

// common is the longest beginning that all names share, or else what was begun.
func common(begun string, names []string) string {
	if len(names) == 0 {
		return begun
	}
	first := []rune(names[0])
	n := len(first)
	for _, name := range names[1:] {
		i := 0
		for _, r := range name {
			if i >= n || unicode.ToLower(first[i]) != unicode.ToLower(r) {
				break
			}
			i++
		}
		n = i
	}
	return string(first[:n])
}

// errNothing is the end of input where a line was asked for.
var errNothing = errors.New("nothing was entered")

// readLine reads up to a line break, at most a few hundred bytes.
func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 512)).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" && err != nil {
		return "", errNoTerminal
	}
	return line, nil
}

// confirm asks for a yes; Return alone is a no.
func confirm(ctx context.Context, question string) (bool, error) {
	answer, err := ask(ctx, question+" [y/N]")
	if err != nil {
		return false, err
	}
	answer = strings.ToLower(answer)
	return answer == "y" || answer == "yes", nil
}

// keys reads single keys from the terminal until it is closed.
type keys struct {
	C chan byte // closed when the terminal is gone

	tty   *os.File
	state *term.State
	done  chan struct{}
	ended chan struct{}
}

// Control keys as they arrive while single keys are read; ctrlC interrupts.
const (
	ctrlC = 3
	ctrlD = 4
	ctrlU = 21
)

// openKeys takes the keyboard until close. Line breaks are not translated
// meanwhile: what is written needs a carriage return of its own.
func openKeys(ctx context.Context) (*keys, error) {
	tty, err := openTerminal(ctx)
	if err != nil {
		return nil, err
	}
	k := &keys{C: make(chan byte), tty: tty, done: make(chan struct{}), ended: make(chan struct{})}
	err = control(tty, func(fd int) error {
		k.state, err = term.MakeRaw(fd)
		return err
	})
	if err != nil {
		tty.Close()
		return nil, errNoTerminal
	}
	go k.read()
	return k, nil
}

// control reaches the file's number without making its reads uninterruptible,
// as File.Fd would.
func control(f *os.File, do func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) { inner = do(int(fd)) })
	return errors.Join(err, inner)
}

func (k *keys) read() {
	defer close(k.ended)
	defer close(k.C)
	b := make([]byte, 1)
	for {
		if _, err := k.tty.Read(b); err != nil {
			return
		}
		select {
		case k.C <- b[0]:
		case <-k.done:
			return
		}
	}
}

// close gives the keyboard back.
func (k *keys) close() {
	control(k.tty, func(fd int) error { return term.Restore(fd, k.state) })
	close(k.done)
	k.tty.Close()
	<-k.ended
}

// tell writes a line on the terminal, if there is one.
func tell(format string, args ...any) {
	if tty, err := openTerminal(context.Background()); err == nil {
		defer tty.Close()
		fmt.Fprintf(tty, format+"\n", args...)
	}
}
