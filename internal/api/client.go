package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Why there is no phone to speak to.
var (
	ErrNoPhone = errors.New("no phone is up here: sotto up starts one")
	ErrGone    = errors.New("the phone has been put away")
)

// ErrDied is an [ErrGone] of a phone that had no time to say so.
var ErrDied error = died{errors.New("the phone has ended without a word (was it killed?)")}

type died struct{ error }

func (died) Is(target error) bool { return target == ErrGone }

// Client speaks to a phone. Its methods may be called from any goroutine.
type Client struct{ http http.Client }

// answerTime is how long a phone may take to answer.
const answerTime = 10 * time.Second

// mostEvent is the most bytes of one event.
const mostEvent = 4 << 20

// Dial finds the phone of the profile in home. The error wraps [ErrNoPhone] when
// none runs.
func Dial(home string) (*Client, error) {
	first, err := connect(home)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOTDIR) {
		return nil, ErrNoPhone
	}
	if err != nil {
		return nil, fmt.Errorf("the phone's socket: %w", err)
	}
	first.Close() // the phone would tire of it, if the first request comes late
	return &Client{http.Client{Transport: &http.Transport{
		DisableCompression: true,
		DialContext:        func(context.Context, string, string) (net.Conn, error) { return connect(home) },
	}}}, nil
}

// ask sends a request and decodes its answer into to, if that is not nil.
func (c *Client) ask(ctx context.Context, method, path string, body, to any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	answer, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if to == nil {
		return nil
	}
	if err := json.NewDecoder(answer.Body).Decode(to); err != nil {
		return fmt.Errorf("the phone's answer: %w", err)
	}
	return nil
}

// send sends a request, and gives the answer if it is a good one.
func (c *Client) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var text io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		text = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://sotto/v1/"+path, text)
	if err != nil {
		return nil, err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ErrGone // with its socket, in good order
		}
		return nil, fmt.Errorf("%w (%w)", ErrDied, err)
	}
	if answer.StatusCode < 300 {
		return answer, nil
	}
	defer answer.Body.Close()
	said := &Error{}
	if err := json.NewDecoder(io.LimitReader(answer.Body, MaxBody)).Decode(said); err != nil || said.Text == "" {
		return nil, fmt.Errorf("the phone answers %s: it may be of another version", answer.Status)
	}
	return nil, said
}

func (c *Client) post(ctx context.Context, path string, body any) error {
	return c.ask(ctx, http.MethodPost, path, body, nil)
}

// Status is the whole phone at this moment.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.ask(ctx, http.MethodGet, "status", nil, &s)
	return s, err
}

// Contacts are those who have names.
func (c *Client) Contacts(ctx context.Context) (all []Contact, err error) {
	err = c.ask(ctx, http.MethodGet, "contacts", nil, &all)
	return all, err
}

// Reread tells the phone that its contacts have changed: when it returns they
// count.
func (c *Client) Reread(ctx context.Context) error {
	return c.post(ctx, "contacts/reread", struct{}{})
}

// History is what the phone keeps of calls that are over.
func (c *Client) History(ctx context.Context) (h History, err error) {
	err = c.ask(ctx, http.MethodGet, "history", nil, &h)
	return h, err
}

// Events gives f what happens, a Status first, until ctx ends, f gives an error
// or the phone is gone: ErrDied if the stream broke off, else ErrGone.
func (c *Client) Events(ctx context.Context, f func(Event) error) error {
	answer, err := c.send(ctx, http.MethodGet, "events", nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, mostEvent)
	for lines.Scan() {
		text, data := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !data {
			continue
		}
		var e Event
		if err := json.Unmarshal(text, &e); err != nil {
			return fmt.Errorf("an event of the phone: %w", err)
		}
		if err := f(e); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if lines.Err() != nil {
		return ErrDied // in the middle of the stream
	}
	return ErrGone
}

// Call calls somebody, by name or address.
func (c *Client) Call(ctx context.Context, who string) (call Call, err error) {
	err = c.ask(ctx, http.MethodPost, "calls", whom{who}, &call)
	return call, err
}

// Answer says yes to a call that rings; of this and what follows, an id of "" is
// the only call that fits.
func (c *Client) Answer(ctx context.Context, id string) error {
	return c.post(ctx, "answer", which{id})
}

// Decline says no to a call that rings.
func (c *Client) Decline(ctx context.Context, id string) error {
	return c.post(ctx, "decline", which{id})
}

// HangUp ends a call.
func (c *Client) HangUp(ctx context.Context, id string) error {
	return c.post(ctx, "hangup", which{id})
}

// Mute sends silence in place of the microphone, or ends that.
func (c *Client) Mute(ctx context.Context, id string, on bool) error {
	return c.post(ctx, "mute", turn{id, &on})
}

// Hold puts a call on hold, or takes it off, which puts the others on.
func (c *Client) Hold(ctx context.Context, id string, on bool) error {
	return c.post(ctx, "hold", turn{id, &on})
}

// Record keeps both voices, which the other side is told, or ends that.
func (c *Client) Record(ctx context.Context, id string, on bool) error {
	return c.post(ctx, "record", turn{id, &on})
}

// Say sends a line of text.
func (c *Client) Say(ctx context.Context, id, text string) error {
	return c.post(ctx, "say", words{id, text})
}

// Silent is do not disturb.
func (c *Client) Silent(ctx context.Context, on bool) error {
	return c.post(ctx, "silent", quiet{&on})
}

// PutAway ends the phone.
func (c *Client) PutAway(ctx context.Context) error { return c.post(ctx, "put-away", struct{}{}) }
