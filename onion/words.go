package onion

import (
	"bytes"
	"regexp"
	"strings"
)

const (
	keptLines = 20
	lineBytes = 500 // of one line; the rest is dropped
)

// lastWords takes a program's output line by line and keeps the last ones.
// os/exec writes to it from one goroutine, which has ended when Wait returns.
type lastWords struct {
	each    func(string)
	partial []byte
	lines   []string
}

func (w *lastWords) Write(p []byte) (int, error) {
	n := len(p)
	for {
		line, rest, found := bytes.Cut(p, []byte("\n"))
		w.partial = append(w.partial, line[:min(len(line), lineBytes-len(w.partial))]...)
		if !found {
			return n, nil
		}
		w.end()
		p = rest
	}
}

func (w *lastWords) end() {
	line := scrub(strings.TrimSpace(string(w.partial)))
	w.partial = w.partial[:0]
	if line == "" {
		return
	}
	if len(w.lines) == keptLines {
		w.lines = append(w.lines[:0], w.lines[1:]...)
	}
	w.lines = append(w.lines, line)
	if w.each != nil {
		w.each(line)
	}
}

// reason is why a program says it failed: tor's last two warnings or errors,
// or whatever line came last.
func (w *lastWords) reason() string {
	w.end()
	var bad []string
	for _, line := range w.lines {
		_, text, found := strings.Cut(line, "[err] ")
		if !found {
			_, text, found = strings.Cut(line, "[warn] ")
		}
		// "Reading config failed--see warnings above." adds nothing.
		if found && !strings.Contains(text, "see warnings above") {
			bad = append(bad, text)
		}
	}
	switch {
	case len(bad) > 0:
		return strings.Join(bad[max(0, len(bad)-2):], " / ")
	case len(w.lines) > 0:
		return w.lines[len(w.lines)-1]
	}
	return ""
}

var onionName = regexp.MustCompile(`(?i)[a-z2-7]{56}(\.onion)?`)

// scrub removes v3 onion addresses from a text that is to be shown or logged.
// tor's SafeLogging does so for nearly all of its lines; this is for the rest.
func scrub(text string) string { return onionName.ReplaceAllString(text, "[onion]") }
