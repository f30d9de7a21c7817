package onion

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sottovoce/sotto/identity"
)

// pipeLink is a link whose other end is the test, reading commands and writing
// replies. The link's reader runs until the test ends.
func pipeLink(t *testing.T, each func(string)) (l *link, tor *bufio.ReadWriter, hangUp func()) {
	t.Helper()
	ours, theirs := net.Pipe()
	l = newLink(ours)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.read(each)
	}()
	hangUp = func() { theirs.Close(); <-done }
	t.Cleanup(hangUp)
	return l, bufio.NewReadWriter(bufio.NewReader(theirs), bufio.NewWriter(theirs)), hangUp
}

func say(t *testing.T, tor *bufio.ReadWriter, text string) {
	t.Helper()
	if _, err := tor.WriteString(text); err != nil {
		t.Error(err)
	}
	if err := tor.Flush(); err != nil {
		t.Error(err)
	}
}

func hear(t *testing.T, tor *bufio.ReadWriter) string {
	t.Helper()
	line, err := tor.ReadString('\n')
	if err != nil {
		t.Error(err)
	}
	return strings.TrimSuffix(line, "\r\n")
}

// Replies go to their commands in order, and what tor said before a reply has
// been dealt with when the reply is there.
func TestEventsAndRepliesKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		l, tor, _ := pipeLink(t, func(event string) { seen = append(seen, event) })
		go func() {
			hear(t, tor)
			say(t, tor, "650 HS_DESC UPLOAD a\r\n250-circuit-status=1 BUILT\r\n250 OK\r\n")
			hear(t, tor)
			say(t, tor, "650-X\r\n650 Y\r\n650+NS\r\nmany\r\nlines\r\n.\r\n650 OK\r\n552 no such thing\r\n")
		}()
		r, err := l.command(t.Context(), "GETINFO circuit-status")
		if err != nil || !slices.Equal(r.Data, []string{"circuit-status=1 BUILT"}) || !slices.Equal(seen, []string{"HS_DESC UPLOAD a"}) {
			t.Fatalf("%v, %v, events %q", r, err, seen)
		}
		if _, err = l.command(t.Context(), "DEL_ONION secretname"); err == nil || strings.Contains(err.Error(), "secretname") {
			t.Fatal(err)
		}
		if want := []string{"HS_DESC UPLOAD a", "X", "NS"}; !slices.Equal(seen, want) {
			t.Fatalf("events %q, want %q", seen, want)
		}
	})
}

// A circuit that tor has closed meanwhile is no failure; any other refusal is.
func TestClosingCircuits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, tor, _ := pipeLink(t, nil)
		n := &Node{link: l}
		circuits := func(replies ...string) {
			hear(t, tor)
			say(t, tor, "250+circuit-status=\r\n")
			for id := range len(replies) {
				say(t, tor, fmt.Sprintf("%d BUILT PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_JOINED\r\n", id))
			}
			say(t, tor, ".\r\n250 OK\r\n")
			for id, reply := range replies {
				if got, want := hear(t, tor), fmt.Sprint("CLOSECIRCUIT ", id); got != want {
					t.Errorf("%s, want %s", got, want)
				}
				say(t, tor, reply+"\r\n")
			}
		}
		go circuits("250 OK", `552 Unknown circuit "1"`, "250 OK")
		if err := n.CloseCircuits(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait() // for the first to be done with the pipe
		go circuits("551 no")
		if err := n.CloseCircuits(t.Context()); err == nil {
			t.Error("a refusal is not told")
		}
	})
}

func TestCommandsEndWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, tor, hangUp := pipeLink(t, nil)
		go func() {
			hear(t, tor)
			hangUp()
		}()
		for range 2 { // while waiting for the reply, and afterwards
			if _, err := l.command(t.Context(), "GETINFO x"); !errors.Is(err, errLinkClosed) {
				t.Fatal(err)
			}
		}
	})
}

func TestSilentTorIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, tor, _ := pipeLink(t, nil)
		go hear(t, tor)
		if _, err := l.command(t.Context(), "GETINFO x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	})
}

func TestCommandsAreOneLine(t *testing.T) {
	l := &link{}
	for _, line := range []string{"A\nB", "A\rB", "A\x00"} {
		if _, err := l.command(t.Context(), line); err == nil {
			t.Errorf("%q was sent", line)
		}
	}
}

// published makes a node whose tor is the test, ready to publish key.
func published(t *testing.T, key *identity.Key) (*Node, *service, *bufio.ReadWriter) {
	t.Helper()
	n, err := New(Config{Tor: fakeTor(t, "echo Tor version 0.4.9.11."), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	l, tor, _ := pipeLink(t, n.event)
	n.link, n.ready = l, true
	s := &service{node: n, key: key, socket: socket}
	n.services[key.Address()] = s
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.publishAll(ctx, l)
	}()
	t.Cleanup(func() { stop(); <-done })
	return n, s, tor
}

func newKey(t *testing.T) *identity.Key {
	t.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// An upload that began before this publication does not make it ready, however
// late it ends.
func TestOnlyThisPublicationsUploadCounts(t *testing.T) {
	key := newKey(t)
	name := strings.TrimSuffix(key.Address().Onion(), ".onion")
	n, s, tor := published(t, key)
	if line := hear(t, tor); !strings.HasPrefix(line, "ADD_ONION ED25519-V3:") || !strings.Contains(line, " Flags=DiscardPK,MaxStreamsCloseCircuit MaxStreams=1 PoWDefensesEnabled=1 PoWQueueRate=16 PoWQueueBurst=64 Port=1876,unix:/") {
		t.Fatal("another command than ADD_ONION as agreed")
	}
	n.mu.Lock()
	s.stale = map[string]int{"$AA~a": 1}
	n.mu.Unlock()
	say(t, tor, "250-ServiceID="+name+"\r\n250 OK\r\n")
	state := make(chan bool)
	s.published = func() { state <- true }
	for _, step := range []struct {
		event     string
		published bool
	}{
		{"UPLOAD " + name + " UNKNOWN $AA~a", false},
		{"UPLOADED " + name + " UNKNOWN $AA~a", false}, // the old one
		{"UPLOADED " + strings.Repeat("b", 56) + " UNKNOWN $AA~a", false},
		{"FAILED " + name + " UNKNOWN $BB~b REASON=UPLOAD_REJECTED", false},
		{"UPLOADED " + name + " UNKNOWN $AA~a", true},
	} {
		go func() {
			n.event("HS_DESC " + step.event)
			if !step.published {
				state <- false
			}
		}()
		if got := <-state; got != step.published {
			t.Fatalf("after %s: published %v", step.event[:8], got)
		}
	}
	// Twice if it is closed while it is being published: tor then does not know it.
	heard := make(chan string, 2)
	go func() {
		for line, err := tor.ReadString('\n'); err == nil; line, err = tor.ReadString('\n') {
			heard <- strings.TrimSpace(line)
			say(t, tor, "250 OK\r\n")
		}
	}()
	s.Close()
	if line := <-heard; line != "DEL_ONION "+name {
		t.Fatal("Close does not take the service down")
	}
	if _, err := s.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
}

// tor takes a key with flipped bits for another one and publishes that.
func TestAnotherServiceIDIsTakenDown(t *testing.T) {
	key := newKey(t)
	_, s, tor := published(t, key)
	hear(t, tor)
	other := strings.Repeat("c", 56)
	say(t, tor, "250-ServiceID="+other+"\r\n250 OK\r\n")
	if line := hear(t, tor); line != "DEL_ONION "+other {
		t.Fatalf("%.10s…", line)
	}
	say(t, tor, "250 OK\r\n")
	hear(t, tor) // the name that should have been published
	say(t, tor, "552 Unknown Onion Service id\r\n")
	if _, err := s.Accept(); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Fatal(err)
	}
}

func TestARefusedPublicationNamesNoSecret(t *testing.T) {
	key := newKey(t)
	_, s, tor := published(t, key)
	command := hear(t, tor)
	for range 2 { // with proof of work and without
		say(t, tor, "512 Bad arguments to ADD_ONION\r\n")
		hear(t, tor)
	}
	say(t, tor, "552 Unknown Onion Service id\r\n")
	_, err := s.Accept()
	if err == nil || !strings.Contains(err.Error(), "Bad arguments") {
		t.Fatal(err)
	}
	secret, _, _ := strings.Cut(strings.TrimPrefix(command, "ADD_ONION ED25519-V3:"), " ")
	if len(secret) != 88 || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), key.Address().Onion()[:20]) {
		t.Fatal("the error tells too much")
	}
}
