package tui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/muesli/cancelreader"

	"github.com/sottovoce/sotto/internal/api"
)

// Plain tells what the phone does as lines on o.Out, and takes commands as lines
// from o.In, help among them. Nothing is ever drawn over, so that a screen reader
// reads it in order. It returns when the person says quit, o.In ends, or ctx does;
// that the phone is gone is an error.
func Plain(ctx context.Context, phone Phone, o Options) error {
	outer := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	keyboard, err := cancelreader.NewReader(o.In)
	if err != nil {
		return fmt.Errorf("reading commands: %w", err)
	}
	defer keyboard.Close()
	p := &plain{phone: aimed{phone, o.aim}, out: o.Out, aim: o.aim, known: make(chan struct{})}
	var group sync.WaitGroup
	group.Go(func() {
		cancel(p.follow(ctx))
	})
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		cancel(p.read(ctx, keyboard))
	}()
	<-ctx.Done()
	if keyboard.Cancel() { // else it is no file, and ends with its next line
		<-reading
	}
	group.Wait()
	switch cause := context.Cause(ctx); {
	case outer.Err() != nil:
		return outer.Err()
	case errors.Is(cause, errLeft):
		return nil
	default:
		return cause
	}
}

// errLeft is the person who says quit.
var errLeft = errors.New("left")

// plain is what has been told so far.
type plain struct {
	phone Phone
	aim   func(string) string // [Options.Aim]
	known chan struct{}       // closed by the first status
	once  sync.Once

	mu   sync.Mutex // of out and all below
	out  io.Writer
	last told
}

func (p *plain) say(format string, args ...any) {
	fmt.Fprintf(p.out, format+"\n", args...)
}

// follow tells the phone's events.
func (p *plain) follow(ctx context.Context) error {
	return listen(ctx, p.phone, func(e api.Event) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if e.Status != nil {
			defer p.once.Do(func() { close(p.known) })
		}
		for _, line := range p.last.hear(e) {
			p.say("%s", line)
		}
		return nil
	})
}

// read takes commands until in ends, the first once it is known what there is: in a
// pipe it is there before the phone has said anything.
func (p *plain) read(ctx context.Context, in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 4*maxLine)
	p.tell("type help for what can be typed")
	select {
	case <-p.known:
	case <-ctx.Done():
		return ctx.Err()
	}
	for lines.Scan() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := p.command(ctx, clean(lines.Text())); err != nil {
			return err
		}
	}
	if errors.Is(lines.Err(), cancelreader.ErrCanceled) {
		return ctx.Err()
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading commands: %w", err)
	}
	return errLeft
}

func (p *plain) tell(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.say("%s", line)
}

const plainHelp = `call NAME or ADDRESS; answer; decline; hangup
mute, hold, record: each again ends it
say TEXT: writes a line to the other side
contacts; status; silent: do not disturb, again ends it
quit: leaves, and with a phone of its own hangs up`

// command does what a line asks for. Its errors end all; those of the phone are
// told.
func (p *plain) command(ctx context.Context, line string) error {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	p.mu.Lock()
	now := p.last
	now.calls = append([]api.Call(nil), now.calls...)
	p.mu.Unlock()
	var one api.Call // the call that is meant
	for _, c := range now.calls {
		if one.ID == "" || c.Phase == api.Talking && one.Phase != api.Talking {
			one = c
		}
	}
	a := action{call: one.ID, text: rest}
	switch strings.ToLower(word) {
	case "":
		return nil
	case "quit", "exit":
		return errLeft
	case "help", "?":
		p.tell(plainHelp)
		return nil
	case "status":
		p.status(now)
		return nil
	case "contacts":
		a.verb = list
	case "call":
		a.verb = dial
	case "answer", "y":
		a.verb, a.call = answer, ringing(now.calls)
	case "decline", "n":
		a.verb, a.call = decline, ringing(now.calls)
	case "hangup", "x":
		a.verb = hangUp
	case "mute":
		a.verb, a.on = mute, !one.Muted
	case "hold":
		a.verb, a.on = hold, !one.Holding
	case "record":
		a.verb, a.on = record, !one.Recording && !one.Announced
	case "say":
		a.verb = say
	case "silent":
		a.verb, a.on = silent, !now.silent
	default:
		p.tell("there is no " + word + ": type help")
		return nil
	}
	switch {
	case (a.verb == dial || a.verb == say) && a.text == "":
		p.tell(word + " whom or what? type help")
		return nil
	case a.verb != dial && a.verb != list && a.verb != silent && a.call == "":
		p.tell("there is no call for that")
		return nil
	}
	done := a.ask(ctx, p.phone)
	if done.err != nil && ctx.Err() == nil {
		p.tell("that failed: " + clean(done.err.Error()))
	} else if a.verb == list {
		p.contacts(done.contacts)
	}
	return nil
}

// ringing is the oldest call that waits to be answered, "" if there is none.
func ringing(calls []api.Call) string {
	for _, c := range calls {
		if !c.Outgoing && c.Phase == api.Ringing {
			return c.ID
		}
	}
	return ""
}

func (p *plain) status(now told) {
	lines := []string{"the phone is " + string(now.phase) + onOff(now.silent, "; do not disturb: nothing rings", "")}
	for i := range now.calls {
		lines = append(lines, figuresOf(&now.calls[i]))
	}
	p.tell(strings.Join(lines, "\n"))
}

func (p *plain) contacts(all []api.Contact) {
	if len(all) == 0 {
		p.tell(p.aim("no contacts yet: sotto contacts add NAME takes a friend's card"))
	}
	for _, c := range all {
		p.tell(clean(c.Name) + ", " + onOff(c.Blocked, "blocked", spoken(c.Name, c.Verified)))
	}
}
