package switchboard_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/switchboard"
)

// block is a block of code of docs/api.md.
var block = regexp.MustCompile("(?s)```([a-z]*)\n(.*?)```")

// example is one line of curl.
type example struct {
	line, method, path, body string
}

var curl = regexp.MustCompile(`^curl (?:--no-buffer )?--unix-socket \$S (?:-d '([^']*)' )?(-X POST )?http://sotto(/v1/[a-z/-]+)(?:  # (.*))?$`)

// documented are the examples of docs/api.md, and its JSON.
func documented(t *testing.T) (examples []example, objects []string) {
	t.Helper()
	text, err := os.ReadFile("../../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range block.FindAllStringSubmatch(string(text), -1) {
		switch {
		case b[1] == "json":
			objects = append(objects, b[2])
		case b[1] == "sh":
			for line := range strings.Lines(b[2]) {
				line = strings.TrimRight(line, "\n")
				if !strings.HasPrefix(line, "curl ") {
					continue
				}
				m := curl.FindStringSubmatch(line)
				if m == nil {
					t.Fatalf("docs/api.md: %q is no example that can be run", line)
				}
				e := example{line: line, method: http.MethodGet, path: m[3], body: m[1]}
				if m[1] != "" || m[2] != "" {
					e.method = http.MethodPost
				}
				examples = append(examples, e)
			}
		}
	}
	return examples, objects
}

func strictly(t *testing.T, text string, to any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		t.Errorf("docs/api.md: %v:\n%s", err, text)
	}
}

// Every example of docs/api.md does what it says, at a phone that is up, and
// every object there is one that the phone says.
func TestTheExamplesOfTheDocumentation(t *testing.T) {
	examples, objects := documented(t)
	if len(examples) != 19 || len(objects) != 7 {
		t.Fatalf("%d examples and %d objects: this test knows 19 and 7", len(examples), len(objects))
	}
	refused := api.Error{}
	for i, to := range []any{&api.Status{}, &api.Missed{}, &[]api.Contact{}, &api.History{}, &api.Call{}, &api.Text{}, &refused} {
		strictly(t, objects[i], to)
	}
	people := household(t, memory(), func(_ string, c *switchboard.Config) {
		c.Record = func(k *call.Call) (string, func(), error) { return "talk.opus", func() {}, nil }
	}, "me", "ann")
	me, ann := people["me"], people["ann"]
	home := t.TempDir()
	socket, err := api.Listen(home)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- (&api.Server{Phone: me.Board, Exit: func(error) int { return 1 }}).Serve(ctx, socket)
	}()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	web := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(home, "api", "socket"))
	}}}
	do := func(e example) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, e.method, "http://sotto"+e.path, strings.NewReader(e.body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := web.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", e.line, err)
		}
		defer answer.Body.Close()
		if e.path == "/v1/events" {
			line, err := bufio.NewReader(answer.Body).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, `data: {"status":{"version":1,`) {
				t.Errorf("%s: %q, %v", e.line, line, err)
			}
			return answer.StatusCode, "{}"
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatalf("%s: %v", e.line, err)
		}
		return answer.StatusCode, string(text)
	}
	free := func() {
		t.Helper()
		for _, p := range []*person{me, ann} {
			for range 100 {
				if len(p.Status().Calls) == 0 {
					break
				}
				<-time.After(50 * time.Millisecond)
			}
			p.forget()
		}
	}
	// rung has ann call, once nothing is on any more.
	rung := func() {
		t.Helper()
		free()
		ann.dials("me")
		me.call("ann", api.Ringing)
	}
	for _, e := range examples {
		want := http.StatusOK
		var to any = &struct{}{}
		switch e.path {
		case "/v1/put-away":
			continue // at the end
		case "/v1/status":
			to = &api.Status{}
		case "/v1/contacts":
			to = &[]api.Contact{}
		case "/v1/history":
			to = &api.History{}
		case "/v1/calls":
			want, to = http.StatusCreated, &api.Call{}
		case "/v1/answer":
			if strings.Contains(e.line, "nobody rings") {
				want, to = http.StatusConflict, &api.Error{}
			} else {
				rung()
			}
		case "/v1/decline":
			rung()
		case "/v1/mute":
			rung()
			me.must(me.Answer(""))
			me.call("ann", api.Talking)
		}
		got, text := do(e)
		if got != want {
			t.Errorf("%s: %d, not %d: %s", e.line, got, want, text)
		}
		strictly(t, text, to)
		switch said := to.(type) {
		case *api.Error:
			if *said != refused {
				t.Errorf("%s: %+v, and docs/api.md says %+v", e.line, said, refused)
			}
		case *api.Call:
			if said.Name != "ann" || said.ID != "1" {
				t.Errorf("%s: %s", e.line, text)
			}
		}
		switch e.path {
		case "/v1/answer":
			if want == http.StatusOK {
				ann.call("me", api.Talking)
				me.must(me.HangUp(""))
			}
		case "/v1/decline":
			ann.call("me", api.Over)
		case "/v1/silent":
			if !me.Status().Silent {
				t.Errorf("%s: it is not silent", e.line)
			}
		}
	}
	if text := ann.await("the text", func(e api.Event) bool { return e.Text != nil }).Text.Text; text != "can you hear me?" {
		t.Error(text)
	}
	for _, e := range examples {
		if e.path == "/v1/put-away" {
			if got, text := do(e); got != http.StatusOK {
				t.Errorf("%s: %d: %s", e.line, got, text)
			}
		}
	}
}
