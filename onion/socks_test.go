package onion

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/sottovoce/sotto/identity"
)

// somebody is a valid address.
const somebody = "rkeohxlubhyzl7ks3mwtzos5olfgocn7dwkbeg7toseadnapn5optfad.onion"

// serveSocks is a SOCKS server for one connection: it checks the request and
// answers it with reply, or, when there is none, calls asked and keeps silent
// until the client goes.
func serveSocks(t *testing.T, who Isolation, reply []byte, asked func()) (reach func(context.Context) (net.Conn, error)) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			served <- err
			return
		}
		defer conn.Close()
		user := hex.EncodeToString(who[:])
		for _, step := range []struct{ want, answer string }{
			{"\x05\x01\x02", "\x05\x02"},
			{"\x01\x20" + user + "\x010", "\x01\x00"},
			{"\x05\x01\x00\x03\x3e" + somebody + "\x07\x54", string(reply)},
		} {
			got := make([]byte, len(step.want))
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != step.want {
				served <- errors.Join(err, errors.New("the server got "+hex.EncodeToString(got)))
				return
			}
			if _, err := conn.Write([]byte(step.answer)); err != nil {
				served <- err
				return
			}
		}
		if reply == nil {
			asked()
			_, err = io.Copy(io.Discard, conn)
		}
		served <- err
	}()
	t.Cleanup(func() {
		l.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return func(ctx context.Context) (net.Conn, error) { return sockets{}.Dial(ctx, "unix", socket) }
}

func TestSocksOpensAndKeepsTheStreamsFirstByte(t *testing.T) {
	for name, bound := range map[string]string{
		"IPv4": "\x01\x00\x00\x00\x00", "IPv6": "\x04" + strings.Repeat("\x00", 16), "name": "\x03\x03abc", "empty name": "\x03\x00",
	} {
		who := NewIsolation()
		conn, err := connectSocks(t.Context(), serveSocks(t, who, []byte("\x05\x00\x00"+bound+"\x00\x00first"), nil), somebody, Port, who)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := io.ReadAll(conn); err != nil || string(got) != "first" {
			t.Errorf("%s: the stream begins with %q, %v", name, got, err)
		}
		conn.Close()
	}
}

func TestSocksRepliesHaveNames(t *testing.T) {
	for code := range 256 {
		if code == 0 {
			continue
		}
		reply := Reply(code)
		who := NewIsolation()
		_, err := connectSocks(t.Context(), serveSocks(t, who, []byte{5, byte(code), 0, 1, 0, 0, 0, 0, 0, 0}, nil), somebody, Port, who)
		var got Reply
		if !errors.As(err, &got) || got != reply || got.Error() == "" {
			t.Fatalf("reply %#x: %v", code, err)
		}
	}
	for reply, want := range map[Reply]error{
		NoDescriptor: ErrUnreachable, BadDescriptor: ErrUnreachable, IntroductionFailed: ErrUnreachable, RendezvousFailed: ErrUnreachable,
		IntroductionTimeout: ErrUnreachable, 1: ErrUnreachable, 4: ErrUnreachable, 6: ErrUnreachable,
		NeedsAuthorisation: ErrAuthorisation, WrongAuthorisation: ErrAuthorisation,
	} {
		if err := refused(reply); !errors.Is(err, want) || !errors.Is(err, reply) {
			t.Errorf("%#x: %v", byte(reply), err)
		}
	}
	for _, reply := range []Reply{NeedsAuthorisation, WrongAuthorisation, BadAddress, 2, 7, 8, 0xEE} {
		if reply.Temporary() {
			t.Errorf("%#x is tried again", byte(reply))
		}
	}
	if errors.Is(refused(BadAddress), ErrUnreachable) || errors.Is(refused(0xEE), ErrUnreachable) {
		t.Error("a refusal by tor itself is taken for an offline callee")
	}
}

func TestSocksRefusesWhatIsNotSocks(t *testing.T) {
	for name, answer := range map[string]string{
		"no method":     "\x05\xff",
		"HTTP":          "HTTP/1.0 501 Tor is not an HTTP Proxy",
		"bad login":     "\x05\x02\x01\x01",
		"other version": "\x05\x02\x01\x00\x04\x00\x00\x01",
		"address type":  "\x05\x02\x01\x00\x05\x00\x00\x09",
		"cut":           "\x05\x02\x01\x00\x05\x00\x00\x01\x00",
		"nothing":       "",
	} {
		rw := struct {
			io.Reader
			io.Writer
		}{iotest.OneByteReader(strings.NewReader(answer)), io.Discard}
		var reply Reply
		if err := socksRequest(rw, somebody, Port, Isolation{}); err == nil || errors.As(err, &reply) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSocksEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	who, mine := NewIsolation(), errors.New("mine")
	reach := serveSocks(t, who, nil, func() { cancel(mine) })
	for range 2 { // while it waits for an answer, and before it asks
		if _, err := connectSocks(ctx, reach, somebody, Port, who); !errors.Is(err, mine) {
			t.Fatal(err)
		}
	}
}

// Nothing but an onion address gets as far as the socket.
func TestSocksAsksForOnionsOnly(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	reach := func(ctx context.Context) (net.Conn, error) { return sockets{}.Dial(ctx, "unix", socket) }
	const damaged = "a" + somebody
	hosts := []string{
		"example.com", "127.0.0.1", "::1", "localhost", "", "onion", ".onion", "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion.com",
		"abcdefghijklmnop.onion", "www." + somebody, somebody + ".", somebody + ":80", strings.ToUpper(somebody), " " + somebody,
		damaged[:62], strings.TrimSuffix(somebody, ".onion"), somebody + "\x00.example.com", strings.Repeat("a", 300) + ".onion",
		identity.Address{}.Onion(), // of small order
	}
	for _, host := range hosts {
		if conn, err := connectSocks(t.Context(), reach, host, Port, NewIsolation()); !errors.Is(err, ErrBadAddress) {
			t.Errorf("%q: %v, %v", host, conn, err)
		}
	}
	// Whoever had connected would stand in the queue before this one.
	go connectSocks(t.Context(), reach, somebody, Port, NewIsolation())
	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if got := make([]byte, 3); true {
		if _, err := io.ReadFull(first, got); err != nil || string(got) != "\x05\x01\x02" {
			t.Errorf("the first to connect says %q, %v", got, err)
		}
	}
	first.Close()
	n := &Node{ready: true, cfg: Config{Wire: nil}} // at which a connection would be a panic
	if conn, err := n.Dial(t.Context(), identity.Address{}, NewIsolation()); !errors.Is(err, ErrBadAddress) {
		t.Errorf("Dial: %v, %v", conn, err)
	}
	l.(*net.UnixListener).SetDeadline(time.Unix(1, 0))
	if conn, err := l.Accept(); err == nil {
		t.Errorf("another has connected: %v", conn)
	}
	l.Close()
}

func TestIsolationsDiffer(t *testing.T) {
	if a, b := NewIsolation(), NewIsolation(); bytes.Equal(a[:], b[:]) {
		t.Fatal("the same twice")
	}
}
