package onion

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cretz/bine/control"
)

// commandTimeout bounds one command. tor is on this machine and answers within
// milliseconds unless it is stuck.
const commandTimeout = 10 * time.Second

// oddLines is how many lines that are none of the control protocol a running tor
// may say.
const oddLines = 100

// link is one control connection. Replies come in the order of the commands,
// with events (650) between them, so one reader hands them all out in the order
// in which tor said them: an event that precedes a reply has been dealt with
// when the reply is seen.
type link struct {
	conn    net.Conn
	bound   *bounded
	text    *textproto.Conn
	tor     *control.Conn
	running *attachment // nil: to a tor of our own

	mu      sync.Mutex
	waiting []chan<- *control.Response
	broken  bool
	reason  error // why it was given up; nil if tor ended it
}

func newLink(conn net.Conn) *link {
	bound := &bounded{Conn: conn}
	bound.allow()
	text := textproto.NewConn(bound)
	return &link{conn: conn, bound: bound, text: text, tor: control.NewConn(text)}
}

// dialLink connects to the control socket as soon as tor has made it. A unix
// socket's creation can only be polled for.
func dialLink(ctx context.Context, wire Wire, path string) (*link, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := wire.Dial(ctx, "unix", path)
		if err == nil {
			return newLink(conn), nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("tor does not open its control socket: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// statusEvents tell how far tor is, and what it warns of.
const statusEvents = "STATUS_CLIENT STATUS_GENERAL"

// open authenticates with the cookie of our own tor, makes it stop with this
// connection, subscribes to events and asks for the first one. It must precede
// [link.read].
func (l *link) open(cookie string) (phase string, err error) {
	l.conn.SetDeadline(time.Now().Add(commandTimeout))
	defer l.conn.SetDeadline(time.Time{})
	info, err := l.tor.ProtocolInfo()
	if err != nil {
		return "", fmt.Errorf("tor's control socket: %w", err)
	}
	// Ours offers nothing that is less.
	if slices.Contains(info.AuthMethods, "NULL") || !slices.Contains(info.AuthMethods, "SAFECOOKIE") {
		return "", errors.New("tor's control socket does not ask for a cookie: it is not the tor that was started")
	}
	secret, err := readCookie(cookie)
	if err != nil {
		return "", err
	}
	if err := l.safeCookie(secret); err != nil {
		return "", err
	}
	for _, line := range []string{"TAKEOWNERSHIP", "SETEVENTS " + statusEvents + " HS_DESC"} {
		if _, err := l.ask(line); err != nil {
			return "", err
		}
	}
	values, err := l.tor.GetInfo("status/bootstrap-phase")
	if err != nil {
		return "", fmt.Errorf("asking tor how far it is: %w", err)
	}
	if len(values) != 1 {
		return "", errors.New("tor does not say how far it is")
	}
	return values[0].Val, nil
}

// read hands events to each and replies to their commands until the connection
// ends. each must not wait for a command.
func (l *link) read(each func(event string)) error {
	defer l.close()
	for odd := 0; ; {
		l.bound.allow()
		r, err := l.tor.ReadResponse()
		if _, ok := errors.AsType[textproto.ProtocolError](err); ok && l.running != nil && odd < oddLines {
			odd++ // filters put what they like in place of an event
			continue
		}
		if err != nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.reason != nil {
				return l.reason
			}
			return fmt.Errorf("tor's control connection ended: %w", printable(err))
		}
		if r.IsAsync() {
			each(r.RawLines[0][4:])
			continue
		}
		l.mu.Lock()
		if len(l.waiting) == 0 {
			l.mu.Unlock()
			return errors.New("tor answered what was not asked")
		}
		l.waiting[0] <- r
		l.waiting = l.waiting[1:]
		l.mu.Unlock()
	}
}

var errLinkClosed = errors.New("the control connection to tor is closed")

// command sends one line and returns tor's reply. What line holds is in no
// error. A command once sent is carried out by tor even if ctx ends.
func (l *link) command(ctx context.Context, line string) (*control.Response, error) {
	name, _, _ := strings.Cut(line, " ")
	if strings.ContainsAny(line, "\r\n\x00") {
		return nil, fmt.Errorf("%s: a line break in a command", name)
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	reply := make(chan *control.Response, 1)
	if err := l.send(line, reply); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: tor does not answer: %w", name, ctx.Err())
	case r, ok := <-reply:
		if !ok {
			return nil, fmt.Errorf("%s: %w", name, errLinkClosed)
		}
		if !r.IsOk() {
			return nil, fmt.Errorf("tor refuses %s: %w", name, printable(r.Err))
		}
		return r, nil
	}
}

// refusalOf is tor's reply behind a command's error, nil if it gave none.
func refusalOf(err error) *textproto.Error {
	refusal, _ := errors.AsType[*textproto.Error](err)
	return refusal
}

func (l *link) send(line string, reply chan<- *control.Response) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken {
		return errLinkClosed
	}
	l.conn.SetWriteDeadline(time.Now().Add(commandTimeout))
	if err := l.text.PrintfLine("%s", line); err != nil {
		l.conn.Close() // half a command may be out: the reader ends, tor with it
		return fmt.Errorf("%w: %w", errLinkClosed, err)
	}
	l.waiting = append(l.waiting, reply)
	return nil
}

// giveUp closes, and has [link.read] return the reason.
func (l *link) giveUp(reason error) {
	l.mu.Lock()
	l.reason = reason
	l.mu.Unlock()
	l.close()
}

// close ends the connection, and with it the tor that it owns.
func (l *link) close() {
	l.conn.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = true
	for _, reply := range l.waiting {
		close(reply)
	}
	l.waiting = nil
}
