package announce_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/announce"
)

func calls(phases ...api.CallPhase) (events []api.Event) {
	for _, p := range phases {
		events = append(events, api.Event{Call: &api.Call{ID: "3", Name: "Ann; rm -rf $HOME", Peer: "secret.onion", Phase: p}})
	}
	return events
}

func TestMoments(t *testing.T) {
	var f announce.Follow
	now := time.Unix(1000, 0)
	var got []string
	note := func(after time.Duration, events ...api.Event) {
		for _, e := range events {
			if m, ok := f.Next(e, now.Add(after)); ok {
				got = append(got, strings.Join([]string{m.Event, m.Call, m.Name}, " "))
			}
		}
	}
	note(0, api.Event{Status: &api.Status{}}, api.Event{Notice: "x"})
	note(0, calls(api.Ringing, api.Ringing, api.Talking, api.Talking, api.Closing, api.Over)...)
	out := api.Call{ID: "4", Outgoing: true}
	for _, p := range []api.CallPhase{api.Dialing, api.Ringing, api.Over} {
		c := out
		c.Phase = p
		note(0, api.Event{Call: &c})
	}
	stranger := api.Event{Missed: &api.Missed{Peer: "secret.onion"}}
	note(0, stranger, stranger, api.Event{Missed: &api.Missed{Name: "bob"}})
	note(11*time.Second, stranger)
	want := []string{
		"ringing 3 Ann; rm -rf $HOME", "talking 3 Ann; rm -rf $HOME", "over 3 Ann; rm -rf $HOME", "over 4 ",
		"missed  ", "missed  bob", "missed  ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// run announces events, and returns when that is done.
func run(t *testing.T, c announce.Config, events ...api.Event) {
	t.Helper()
	queue := make(chan api.Event, len(events))
	for _, e := range events {
		queue <- e
	}
	close(queue)
	announce.Run(t.Context(), queue, c)
}

// The program has what it may know in its environment, and nothing else: no
// address, no secret of sotto's, no argument.
func TestTheHook(t *testing.T) {
	dir := t.TempDir()
	hook := filepath.Join(dir, "hook")
	script := "#!/bin/sh\n{ echo \"$# $SOTTO_EVENT $SOTTO_CALL $SOTTO_NAME $SOTTO_DIRECTION $SOTTO_SOCKET\"; env; } >\"" + dir + "/$SOTTO_EVENT\"\n"
	if err := os.WriteFile(hook, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOTTO_PASSPHRASE_FILE", "/secret")
	t.Setenv("TOR_CONTROL_PASSWD", "secret")
	run(t, announce.Config{Hook: hook, Socket: "/s", Warn: func(err error) { t.Error(err) }}, calls(api.Ringing, api.Talking, api.Over)...)
	for _, event := range []string{"ringing", "talking", "over"} {
		text, err := os.ReadFile(filepath.Join(dir, event))
		if err != nil {
			t.Fatal(err)
		}
		if want := "0 " + event + " 3 Ann; rm -rf $HOME in /s\n"; !strings.HasPrefix(string(text), want) {
			t.Errorf("%s: %q", event, text)
		}
		if strings.Contains(string(text), "secret") {
			t.Errorf("%s: it knows too much:\n%s", event, text)
		}
	}
}

// One that fails is told of once, and one that does not end is ended.
func TestAHookThatFails(t *testing.T) {
	var mu sync.Mutex
	var told []string
	warn := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, err.Error())
	}
	run(t, announce.Config{Hook: "/nowhere/hook", Warn: warn}, calls(api.Ringing, api.Talking, api.Over)...)
	if len(told) != 1 || !strings.Contains(told[0], "/nowhere/hook") {
		t.Errorf("%q", told)
	}
	ctx, cancel := context.WithCancel(t.Context())
	queue := make(chan api.Event, 9)
	for _, e := range calls(api.Ringing) {
		queue <- e
	}
	sleeps := filepath.Join(t.TempDir(), "hook")
	began := sleeps + ".began"
	if err := os.WriteFile(sleeps, []byte("#!/bin/sh\n: >"+began+"\nexec sleep 1000\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { announce.Run(ctx, queue, announce.Config{Hook: sleeps, Warn: warn}); close(done) }()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for late := time.After(time.Minute); ; {
		if _, err := os.Stat(began); err == nil {
			break
		}
		select {
		case <-look.C:
		case <-late:
			t.Fatal("the hook never began")
		}
	}
	cancel()
	close(queue)
	<-done
}

// What a hook has started is ended with it, even if neither heeds the first signal.
func TestAHookThatDoesNotHeed(t *testing.T) {
	dir := t.TempDir()
	fifo, hook := filepath.Join(dir, "fifo"), filepath.Join(dir, "hook")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\ntrap '' TERM\nexec 3>'" + fifo + "'\necho there >&3\nsleep 1000 &\nwait\n"
	if err := os.WriteFile(hook, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	queue := make(chan api.Event, 1)
	queue <- calls(api.Ringing)[0]
	close(queue)
	done := make(chan struct{})
	go func() {
		announce.Run(ctx, queue, announce.Config{Hook: hook, Warn: func(err error) { t.Error(err) }})
		close(done)
	}()
	held, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	in := bufio.NewReader(held)
	if _, err := in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-done
	if err := held.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) { // nobody holds the other end any more
		t.Errorf("something is left: %v", err)
	}
}

// A bus that lets one in and says nothing holds up no end.
func TestABusThatSaysNothing(t *testing.T) {
	dir, err := os.MkdirTemp("", "bus") // short, for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(dir, "bus"))
	run(t, announce.Config{Desktop: true, Warn: func(err error) { t.Error(err) }}, calls(api.Ringing)...)
}

// bus is a session bus with a desktop on it, as far as notifications need one.
type bus struct {
	mu   sync.Mutex
	told []string
}

func (b *bus) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch line = strings.Trim(line, "\x00\r\n"); {
		case line == "AUTH":
			conn.Write([]byte("REJECTED EXTERNAL\r\n"))
		case strings.HasPrefix(line, "AUTH EXTERNAL"):
			conn.Write([]byte("OK 0123456789abcdef0123456789abcdef\r\n"))
		case line == "BEGIN":
			b.talk(conn, in)
			return
		default:
			conn.Write([]byte("ERROR\r\n"))
		}
	}
}

func (b *bus) talk(conn net.Conn, in *bufio.Reader) {
	for {
		m, err := dbus.DecodeMessage(in)
		if err != nil {
			return
		}
		var answer any = ":1.7"
		switch m.Headers[dbus.FieldMember].Value() {
		case "Notify":
			answer = uint32(42)
			b.note("notify " + m.Body[3].(string) + m.Body[4].(string))
		case "CloseNotification":
			b.note("close")
			if m.Body[0] != uint32(42) {
				b.note("of another")
			}
			continue
		}
		reply := &dbus.Message{Type: dbus.TypeMethodReply, Body: []any{answer}, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldReplySerial: dbus.MakeVariant(m.Serial()), dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(answer)),
		}}
		if err := reply.EncodeTo(conn, binary.LittleEndian); err != nil {
			b.note(err.Error())
			return
		}
	}
}

func (b *bus) note(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, what)
}

// The desktop is told who calls, by name, until it does not ring any more.
func TestTheDesktop(t *testing.T) {
	dir, err := os.MkdirTemp("", "bus") // short, for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := &bus{}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if conn, err := l.Accept(); err == nil {
			b.serve(conn)
		}
	}()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "tcp:host=127.0.0.1,port=1;unix:path="+filepath.Join(dir, "bus")+",guid=0123456789abcdef0123456789abcdef")
	stranger := api.Event{Call: &api.Call{ID: "4", Peer: "secret.onion", Phase: api.Ringing}}
	events := append(calls(api.Ringing, api.Talking, api.Over), stranger, api.Event{Missed: &api.Missed{Name: "bob"}})
	run(t, announce.Config{Desktop: true, Warn: func(err error) { t.Error(err) }}, events...)
	<-served
	want := []string{"notify Ann; rm -rf $HOME calls", "close", "notify a stranger calls", "notify missed a call from bob", "close"}
	if !slices.Equal(b.told, want) {
		t.Errorf("%q", b.told)
	}
	// None there, or one on another machine: nothing is tried.
	for _, address := range []string{"", "tcp:host=192.0.2.1,port=1", "unix:path=/nowhere/bus"} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		t.Setenv("XDG_RUNTIME_DIR", dir+"/none")
		run(t, announce.Config{Desktop: true, Warn: func(err error) { t.Error(err) }}, events...)
	}
}
