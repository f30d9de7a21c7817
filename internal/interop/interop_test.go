package interop_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/call/handshake"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
)

// python is an interpreter that has the cryptography module: Debian's own, or
// the first in the path.
func python(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(program, "-c", "import cryptography").Run() == nil {
			return program
		}
	}
	t.Fatal("the other implementation needs Python and its cryptography module: install Debian's python3 and python3-cryptography")
	return ""
}

// other runs the other implementation.
type other struct {
	command *exec.Cmd
	out     *bufio.Reader
	errors  bytes.Buffer
}

func start(t *testing.T, args ...string) *other {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	o := &other{command: exec.CommandContext(ctx, python(t), append([]string{filepath.Join("python", args[0])}, args[1:]...)...)}
	o.command.Env = append(o.command.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	o.command.Stderr = &o.errors
	pipe, err := o.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	o.out = bufio.NewReader(pipe)
	if err := o.command.Start(); err != nil {
		t.Fatal(err)
	}
	return o
}

// report is what the other side has to say at its end.
type report struct {
	Caller   string
	Pumped   int
	Phases   []string
	Heard    int // frames
	Right    int // that held what they should
	Said     int
	Texts    []string
	Records  map[int]int // got, by path
	Reported map[int]int // newest number it was told of, by path
}

func (o *other) end(t *testing.T) (r report) {
	t.Helper()
	out, err := io.ReadAll(o.out)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.command.Wait(); err != nil {
		t.Fatalf("%v\n%s%s", err, out, &o.errors)
	}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return r
}

func (o *other) listening(t *testing.T) {
	t.Helper()
	if line, err := o.out.ReadString('\n'); line != "listening\n" {
		rest, _ := io.ReadAll(o.out)
		_ = o.command.Wait()
		t.Fatalf("%v: %s%s%s", err, line, rest, &o.errors)
	}
}

func secretHex(name string) string { return hex.EncodeToString(person(name)) }

func TestTheOtherImplementationDoesTheVectors(t *testing.T) {
	o := start(t, "vectors.py", folder)
	out, err := io.ReadAll(o.out)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.command.Wait(); err != nil {
		t.Fatalf("%v\n%s%s", err, out, &o.errors)
	}
	files, err := filepath.Glob(folder + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := json.Unmarshal(out, &n); err != nil || n != len(files) {
		t.Errorf("it did %d of %d: %v", n, len(files), err)
	}
}

// pumped is how many records go each way: more than one key seals.
const pumped = record.PerKey + 10

// pump sends and gets records as fast as they go, over one change of key.
func pump(t *testing.T, conn net.Conn, out, in [32]byte) {
	t.Helper()
	sealer, opener := record.NewSealer(out), record.NewOpener(in)
	for n := range pumped {
		var plain, got record.Plain
		var cell record.Cell
		plain[record.PlainSize-2], plain[record.PlainSize-1] = byte(n>>8), byte(n)
		sealer.Seal(&cell, &plain)
		if _, err := conn.Write(cell[:]); err != nil {
			t.Fatalf("record %d: %v", n, err)
		}
		if _, err := io.ReadFull(conn, cell[:]); err != nil {
			t.Fatalf("record %d: %v", n, err)
		}
		if err := opener.Open(&got, &cell); err != nil || got != plain {
			t.Fatalf("record %d: %v", n, err)
		}
	}
}

func path0(s handshake.Secrets) (caller, callee [32]byte) {
	keys := record.NewChain(s.Binding, s.K1, s.K2).Next()
	return keys.Records(nil)
}

var everything = handshake.Offer{Versions: 1, Profiles: 7, Paces: 1}

func TestHandshakeAndRecordsWithThemCalling(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := start(t, "phone.py", "pump-call", socket, secretHex("alice"), addressOf(t, "bob").Onion())
	l.(*net.UnixListener).SetDeadline(time.Now().Add(20 * time.Second))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err, o.end(t))
	}
	defer conn.Close()
	h, err := handshake.NewCallee(keyOf(t, person("bob")), everything, nil)
	if err != nil {
		t.Fatal(err)
	}
	m1, m3 := make([]byte, handshake.M1Size), make([]byte, handshake.M3Size)
	if _, err := io.ReadFull(conn, m1); err != nil {
		t.Fatal(err)
	}
	if err := h.M1(m1); err != nil {
		t.Fatal(err)
	}
	m2, _, err := h.M2()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(m2); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, m3); err != nil {
		t.Fatal(err)
	}
	peer, _, secrets, err := h.M3(m3)
	if err != nil || peer != addressOf(t, "alice") {
		t.Fatalf("%v calls: %v", peer, err)
	}
	caller, callee := path0(secrets)
	pump(t, conn, callee, caller)
	if r := o.end(t); r.Pumped != pumped {
		t.Errorf("%+v", r)
	}
}

func TestHandshakeAndRecordsWithThemCalled(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	o := start(t, "phone.py", "pump-answer", socket, secretHex("bob"))
	o.listening(t)
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	h, err := handshake.NewCaller(keyOf(t, person("alice")), addressOf(t, "bob"), everything, nil)
	if err != nil {
		t.Fatal(err)
	}
	m1, err := h.M1()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(m1); err != nil {
		t.Fatal(err)
	}
	m2 := make([]byte, handshake.M2Size)
	if _, err := io.ReadFull(conn, m2); err != nil {
		t.Fatal(err, o.end(t))
	}
	if _, err := h.M2(m2); err != nil {
		t.Fatal(err)
	}
	m3, secrets, err := h.M3(handshake.Wishes{CallID: [16]byte{1}, Paths: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(m3); err != nil {
		t.Fatal(err)
	}
	caller, callee := path0(secrets)
	pump(t, conn, caller, callee)
	if r := o.end(t); r.Pumped != pumped || r.Caller != addressOf(t, "alice").Onion() {
		t.Errorf("%+v", r)
	}
}

// The whole machine, called: they ring, join a second path, talk, write a line
// and hang up.
func TestTheyCallALine(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ours := newParty(t, "bob", nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	served, ended := make(chan error, 1), make(chan error, 1)
	line := call.Line{Config: ours.config, Handle: func(ctx context.Context, c *call.Call) { ended <- ours.live(ctx, c) }}
	go func() { served <- line.Serve(ctx, l) }()
	o := start(t, "phone.py", "call", socket, secretHex("alice"), addressOf(t, "bob").Onion())
	r := o.end(t)
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	ours.check(t, r, "alice", []string{"ringing", "talking", "closing", "over"})
	if want := []string{strings.TrimSpace(strings.Repeat("sotto voce ", 20))}; !slices.Equal(ours.texts, want) {
		t.Errorf("we read %q", ours.texts)
	}
}

// And calling: we join a second path, talk, write a line and hang up.
func TestALineCallsThem(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	o := start(t, "phone.py", "answer", socket, secretHex("bob"))
	o.listening(t)
	ours := newParty(t, "alice", func(context.Context, identity.Address) (net.Conn, error) { return net.Dial("unix", socket) })
	ours.hangUp = 2500 * time.Millisecond
	c, err := call.Dial(t.Context(), ours.config, addressOf(t, "bob"))
	if err != nil {
		t.Fatal(err, o.end(t))
	}
	if err := ours.live(t.Context(), c); err != nil {
		t.Errorf("ended with %v", err)
	}
	r := o.end(t)
	ours.check(t, r, "bob", []string{"talking", "closing", "over"})
	if r.Caller != addressOf(t, "alice").Onion() {
		t.Errorf("they took us for %s", r.Caller)
	}
}
