package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sottovoce/sotto/onion"
)

// live shows what goes on: lines that stay, and on a terminal one line that
// changes in place. Elsewhere (a pipe, a log) the changing line is written now
// and then, so that nothing is lost and nothing floods.
type live struct {
	mu     sync.Mutex
	out    io.Writer
	tty    bool // the changing line changes in place
	bare   bool // a terminal, on which it does not
	width  int
	shown  bool      // a changing line stands on the terminal
	line   string    // which
	stage  string    // of the changing line last written
	spoken time.Time // when that was

	once sync.Once
	lost chan struct{} // closed when out is a terminal or pipe that is gone
}

// seldom is how often the changing line is written where it cannot change.
const seldom = 5 * time.Second

// live is what a command shows its progress on.
func (o *options) live(c *cobra.Command) *live {
	l := newLive(c.ErrOrStderr())
	l.plain(o.plain || noDrawing(os.Getenv("TERM")) != "")
	return l
}

// plain has lines written and nothing else: nothing moves, nothing rings.
func (l *live) plain(on bool) {
	if on {
		l.tty, l.bare = false, l.tty
	}
}

// newLive writes to out.
func newLive(out io.Writer) *live {
	l := &live{out: out, width: 80, lost: make(chan struct{})}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		l.tty = true
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 20 {
			l.width = w
		}
	}
	return l
}

// write writes to a terminal that may be gone, as when its window was closed.
func (l *live) write(what ...any) {
	if _, err := fmt.Fprint(l.out, what...); errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EPIPE) {
		l.once.Do(func() { close(l.lost) })
	}
}

// say writes a line that stays.
func (l *live) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wipe()
	end := "\n"
	if l.tty || l.bare {
		end = "\r\n" // the terminal may be reading single keys
	}
	l.write(fmt.Sprintf(format, args...), end)
}

// show writes the changing line. stage names what it is about.
func (l *live) show(stage, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tty {
		if r := []rune(text); len(r) >= l.width {
			text = string(r[:l.width-1])
		}
		if !l.shown || text != l.line { // a line that stays is not written again and again
			l.write("\r\x1b[K", text)
		}
		l.shown, l.line = true, text
		return
	}
	if stage == l.stage && time.Since(l.spoken) < seldom {
		return
	}
	l.stage, l.spoken = stage, time.Now()
	end := "\n"
	if l.bare {
		end = "\r\n"
	}
	l.write(text, end)
}

// bell rings the terminal's bell.
func (l *live) bell() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tty {
		l.write("\a")
	}
}

// clear takes the changing line away.
func (l *live) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wipe()
}

func (l *live) wipe() {
	if l.shown {
		l.write("\r\x1b[K")
		l.shown = false
	}
}

// bootstrap shows tor on its way into the network.
func (l *live) bootstrap(b onion.Bootstrap) {
	text := bar("tor", b.Percent, b.Summary)
	if b.Warning != "" {
		l.say("tor: %s", b.Warning)
	}
	if b.Advice != "" {
		l.say("tor: %s", b.Advice)
	}
	l.show("tor "+b.Tag, text)
}

// bar is a progress bar in a line.
func bar(what string, percent int, summary string) string {
	const width = 24
	n := min(max(percent, 0), 100) * width / 100
	return fmt.Sprintf("%s [%s%s] %3d %%  %s", what, strings.Repeat("#", n), strings.Repeat("-", width-n), percent, summary)
}

// meter is a level as a bar of eight, from −48 dBFS up to full scale.
func meter(dBFS float64) string {
	const width, floor = 8, -48.0
	n := 0
	if dBFS > floor {
		n = min(width, 1+int((dBFS-floor)/-floor*(width-1)))
	}
	return strings.Repeat("=", n) + strings.Repeat(".", width-n)
}

// clock is a duration as people read it: 1:05.
func clock(d time.Duration) string {
	s := int(d / time.Second)
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
