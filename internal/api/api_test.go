package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// fake is a phone that notes what it is told.
type fake struct {
	mu     sync.Mutex
	told   []string
	refuse error
	events chan api.Event
	left   chan struct{} // told when somebody listens no more
}

func (f *fake) note(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, fmt.Sprintf(format, args...))
	return f.refuse
}

func (f *fake) Status() api.Status { return api.Status{Version: api.Version, PID: 7, Phase: api.Up} }

func (f *fake) Listen() (<-chan api.Event, func()) {
	return f.events, func() { f.left <- struct{}{} }
}

func (f *fake) History() (api.History, error) {
	return api.History{Kept: true, Calls: []api.Past{{Name: "ann", How: "missed"}}}, f.note("history")
}
func (f *fake) Contacts() []api.Contact { return []api.Contact{{Name: "ann", Auto: true}} }
func (f *fake) Call(_ context.Context, whom string) (api.Call, error) {
	return api.Call{ID: "9", Peer: whom}, f.note("call %s", whom)
}
func (f *fake) Answer(id string) error          { return f.note("answer %q", id) }
func (f *fake) Decline(id string) error         { return f.note("decline %q", id) }
func (f *fake) HangUp(id string) error          { return f.note("hang up %q", id) }
func (f *fake) Mute(id string, on bool) error   { return f.note("mute %q %v", id, on) }
func (f *fake) Hold(id string, on bool) error   { return f.note("hold %q %v", id, on) }
func (f *fake) Record(id string, on bool) error { return f.note("record %q %v", id, on) }
func (f *fake) Say(id, text string) error       { return f.note("say %q %s", id, text) }
func (f *fake) Reread() error                   { return f.note("reread") }
func (f *fake) Silent(on bool)                  { f.note("silent %v", on) }
func (f *fake) PutAway()                        { f.note("put away") }

// A phone that was killed is not said to have been put away.
func TestAPhoneThatIsKilled(t *testing.T) {
	dir := home(t)
	l, err := api.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				text := "data: {\"notice\":\"first\"}\n\n"
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(text), text)
			}
			conn.Close()
		}
	}()
	c, err := api.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	heard := ""
	err = c.Events(t.Context(), func(e api.Event) error { heard = e.Notice; return nil })
	if heard != "first" || !errors.Is(err, api.ErrDied) || !errors.Is(err, api.ErrGone) {
		t.Errorf("%q, %v", heard, err)
	}
	l.Close()
	<-killed
}

// serve answers for f in a profile until the test, or stop, ends it.
func serve(t *testing.T, f *fake, home string) (stop func()) {
	t.Helper()
	l, err := api.Listen(home)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- (&api.Server{Phone: f, Exit: func(error) int { return 6 }}).Serve(ctx, l) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// home is a profile's folder with a path short enough for anything.
func home(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "api")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// All that a client can say comes to the phone, and its answers come back.
func TestAClientDrivesAPhone(t *testing.T) {
	f, dir := &fake{events: make(chan api.Event, 4), left: make(chan struct{}, 4)}, home(t)
	stop := serve(t, f, dir)
	c, err := api.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if s, err := c.Status(ctx); err != nil || s.PID != 7 || s.Phase != api.Up {
		t.Errorf("%+v, %v", s, err)
	}
	if all, err := c.Contacts(ctx); err != nil || !slices.Equal(all, f.Contacts()) {
		t.Errorf("%+v, %v", all, err)
	}
	if h, err := c.History(ctx); err != nil || !h.Kept || len(h.Calls) != 1 || h.Calls[0].How != "missed" {
		t.Errorf("%+v, %v", h, err)
	}
	if call, err := c.Call(ctx, "ann"); err != nil || call.ID != "9" || call.Peer != "ann" {
		t.Errorf("%+v, %v", call, err)
	}
	for _, err := range []error{
		c.Answer(ctx, ""), c.Decline(ctx, "1"), c.HangUp(ctx, "2"), c.Mute(ctx, "3", true), c.Hold(ctx, "", false),
		c.Record(ctx, "4", true), c.Say(ctx, "5", "hä?"), c.Silent(ctx, false), c.Reread(ctx), c.PutAway(ctx),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"history", "call ann", `answer ""`, `decline "1"`, `hang up "2"`, `mute "3" true`, `hold "" false`, `record "4" true`, `say "5" hä?`, "silent false", "reread", "put away",
	}
	if f.mu.Lock(); !slices.Equal(f.told, want) {
		t.Errorf("%q", f.told)
	}
	f.refuse = errors.New("not now")
	f.mu.Unlock()
	var refused *api.Error
	if err := c.Answer(ctx, ""); !errors.As(err, &refused) || refused.Text != "not now" || refused.Exit != 6 {
		t.Errorf("%#v", err)
	}
	if _, err := c.History(ctx); !errors.As(err, &refused) || refused.Text != "not now" {
		t.Errorf("%#v", err)
	}
	// Events, until the phone is gone: what it said last comes still.
	f.events <- api.Event{Notice: "first"}
	var heard []string
	err = c.Events(ctx, func(e api.Event) error {
		if heard = append(heard, e.Notice); len(heard) == 1 {
			f.events <- api.Event{Notice: "last"}
			go stop()
		}
		return nil
	})
	if !errors.Is(err, api.ErrGone) || errors.Is(err, api.ErrDied) || !slices.Equal(heard, []string{"first", "last"}) {
		t.Errorf("%q, %v", heard, err)
	}
	if _, err := c.Status(ctx); !errors.Is(err, api.ErrGone) || errors.Is(err, api.ErrDied) {
		t.Error(err)
	}
	if _, err := api.Dial(dir); !errors.Is(err, api.ErrNoPhone) {
		t.Error(err)
	}
	if _, err := os.Lstat(api.Socket(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

// Events end when the client wants it, and the phone is told.
func TestAClientStopsListening(t *testing.T) {
	f, dir := &fake{events: make(chan api.Event, 4), left: make(chan struct{}, 4)}, home(t)
	stop := serve(t, f, dir)
	c, err := api.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	f.events <- api.Event{Notice: "first"}
	if err := c.Events(t.Context(), func(api.Event) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
	<-f.left
	ctx, cancel := context.WithCancel(t.Context())
	f.events <- api.Event{Notice: "second"}
	if err := c.Events(ctx, func(api.Event) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-f.left
	stop()
}

// What is no request is refused, in words, and does nothing.
func TestWhatIsRefused(t *testing.T) {
	f, dir := &fake{}, home(t)
	serve(t, f, dir)
	web := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", api.Socket(dir))
	}}}
	for _, c := range []struct {
		method, path, body string
		code, exit         int
		says               string
	}{
		{"GET", "/", "", 404, 2, "there is no GET \"/\" in version 1"},
		{"GET", "/v2/status", "", 404, 2, "there is no"},
		{"POST", "/v1/status", "", 404, 2, "there is no POST"},
		{"GET", "/v1/answer", "", 404, 2, "there is no GET"},
		{"POST", "/v1/calls", "", 400, 2, `"whom" is missing`},
		{"POST", "/v1/calls", `{"who": "ann"}`, 400, 2, `wanted here: "who" is no field that is known here`},
		{"POST", "/v1/answer", `{"call": 7}`, 400, 2, `wanted here: "call" takes a string`},
		{"POST", "/v1/answer", `{"call": ""} {}`, 400, 2, "something follows the object"},
		{"POST", "/v1/answer", `{"call": ""`, 400, 2, "it ends in the middle"},
		{"POST", "/v1/answer", `{"call": ann}`, 400, 2, "it is no JSON, at byte 10"},
		{"POST", "/v1/answer", `call=1`, 400, 2, "it is no JSON, at byte 1"},
		{"POST", "/v1/answer", `["1"]`, 400, 2, "it is no object"},
		{"POST", "/v1/mute", `{"call": "1", "on": "yes"}`, 400, 2, `wanted here: "on" takes true or false`},
		{"POST", "/v1/put-away", `{"now": true}`, 400, 2, `"now" is no field`},
		{"POST", "/v1/say", `{"text": "` + strings.Repeat("x", api.MaxBody) + `"}`, 400, 2, "it is too large: over 64 KiB"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, "http://x"+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := web.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var said api.Error
		err = json.NewDecoder(answer.Body).Decode(&said)
		answer.Body.Close()
		if err != nil || answer.StatusCode != c.code || said.Exit != c.exit || !strings.Contains(said.Text, c.says) {
			t.Errorf("%s %s %.40s: %d %+v, %v", c.method, c.path, c.body, answer.StatusCode, said, err)
		}
	}
	if f.mu.Lock(); len(f.told) > 0 {
		t.Errorf("%q", f.told)
	}
	f.mu.Unlock()
}

// The socket is its owner's alone, replaces one that a killed phone has left, and
// can lie anywhere.
func TestTheSocket(t *testing.T) {
	deep := filepath.Join(home(t), strings.Repeat("a long way down/", 12))
	for _, dir := range []string{home(t), deep} {
		if _, err := api.Dial(dir); !errors.Is(err, api.ErrNoPhone) {
			t.Errorf("%s: %v", dir, err)
		}
		killed, err := api.Listen(dir)
		if err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		for path, want := range map[string]fs.FileMode{filepath.Dir(api.Socket(dir)): 0o700 | fs.ModeDir, api.Socket(dir): 0o600 | fs.ModeSocket} {
			if is, err := os.Lstat(path); err != nil || is.Mode() != want {
				t.Errorf("%s: %v, %v", path, is.Mode(), err)
			}
		}
		// What a killed one leaves: a socket on which nobody listens.
		reflect.ValueOf(killed).Elem().FieldByName("UnixListener").Interface().(*net.UnixListener).Close()
		if _, err := api.Dial(dir); !errors.Is(err, api.ErrNoPhone) {
			t.Errorf("%s: %v", dir, err)
		}
		stop := serve(t, &fake{}, dir)
		c, err := api.Dial(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Status(t.Context()); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		stop()
	}
	dir := home(t)
	if err := os.MkdirAll(api.Socket(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := api.Listen(dir); err == nil || !strings.Contains(err.Error(), "no socket: remove it") {
		t.Error(err)
	}
	dir = home(t)
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "api")); err != nil {
		t.Fatal(err)
	}
	if _, err := api.Listen(dir); err == nil || !strings.Contains(err.Error(), "a folder of its own") {
		t.Error(err)
	}
}

// Who connects and says nothing, or half of something, holds up nobody.
func TestAClientThatStandsStill(t *testing.T) {
	f, dir := &fake{}, home(t)
	serve(t, f, dir)
	for _, half := range []string{"", "POST /v1/answer HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"} {
		conn, err := net.Dial("unix", api.Socket(dir))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, half); err != nil {
			t.Fatal(err)
		}
	}
	c, err := api.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
	defer cancel()
	if _, err := c.Status(ctx); err != nil {
		t.Error(err)
	}
}
