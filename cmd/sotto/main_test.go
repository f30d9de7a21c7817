package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"filippo.io/edwards25519"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/cli"
	"github.com/sottovoce/sotto/onion/tornet"
	"github.com/sottovoce/sotto/voice/portaudio"
)

// TestMain lets the scripts run this very program as sotto, without a terminal
// even where the tests have one, and takes down the private network if a test
// has started it.
func TestMain(m *testing.M) {
	portaudio.Main()
	testscript.Main(tidy{m}, map[string]func(){"sotto": func() {
		if _, err := syscall.Setsid(); err != nil {
			fmt.Fprintln(os.Stderr, "leaving the terminal:", err)
			os.Exit(99)
		}
		os.Exit(cli.Main(os.Args[1:]))
	}})
}

type tidy struct{ *testing.M }

func (t tidy) Run() int {
	// Whose machine this is has settings of their own.
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "SOTTO_") && name != "SOTTO_SOAK" {
			os.Unsetenv(name)
		}
	}
	os.Setenv("XDG_CONFIG_HOME", filepath.Join(os.TempDir(), "sotto-no-settings"))
	// Tests that only wait for tor run beside one another, after those that
	// measure time.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	code := t.M.Run()
	if shared.network != nil {
		if err := shared.network.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.RemoveAll(shared.dir)
	return code
}

// shared is what the tests that need real parts share: a private Tor network
// and the real binary.
var shared struct {
	dir     string
	network *tornet.Network
}

var network = sync.OnceValues(func() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	n, err := tornet.Start(ctx, tornet.Config{})
	if err != nil {
		return "", err
	}
	shared.network = n
	return n.Dir(), nil
})

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sotto-bin-")
	if err != nil {
		return "", err
	}
	shared.dir = dir
	path := filepath.Join(dir, "sotto")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Stderr = os.Stderr
	return path, build.Run()
})

func need(t *testing.T, get func() (string, error)) string {
	t.Helper()
	v, err := get()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// run runs the binary, which must do well, and gives what it prints.
func run(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command(need(t, binary), args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v: %s", args, err, stderr.String())
	}
	return string(out)
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("TORSION", torsioned(t).Onion())
			e.Setenv("SOMEBODY", somebody(t).Onion())
			// No sound device is found here, whatever the machine has.
			alsa := filepath.Join(e.WorkDir, "asound.conf")
			if err := os.WriteFile(alsa, []byte("pcm.!default { type hw card 99 }\n"), 0o600); err != nil {
				return err
			}
			e.Setenv("ALSA_CONFIG_PATH", alsa)
			e.Setenv("PULSE_SERVER", "unix:"+filepath.Join(e.WorkDir, "none"))
			e.Setenv("JACK_NO_START_SERVER", "1")
			e.Setenv("JACK_DEFAULT_SERVER", "sotto-none")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":       exits,
			"network":     func(ts *testscript.TestScript, _ bool, _ []string) { ts.Setenv("NETWORK", need(t, network)) },
			"flipbit":     flipBit,
			"within":      within,
			"verifywords": verifyWords,
			"until":       until,
			"putaway":     putAway,
		},
	})
}

// exits CODE COMMAND… runs a command and wants that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG ...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, want)
	}
}

// until SECONDS COMMAND… runs a command again and again until it does well.
func until(ts *testscript.TestScript, neg bool, args []string) {
	seconds, err := strconv.Atoi(args[0])
	ts.Check(err)
	late := time.After(time.Duration(seconds) * time.Second)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for ts.Exec(args[1], args[2:]...) != nil {
		select {
		case <-look.C:
		case <-late:
			ts.Fatalf("%v: never does well", args[1:])
		}
	}
}

// putaway HOME ends the phone of a profile.
func putAway(ts *testscript.TestScript, neg bool, args []string) {
	phone, err := api.Dial(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(phone.PutAway(context.Background()))
}

// within SECONDS CODE COMMAND… is exits with a bound on the time.
func within(ts *testscript.TestScript, neg bool, args []string) {
	seconds, err := strconv.Atoi(args[0])
	ts.Check(err)
	began := time.Now()
	exits(ts, neg, args[1:])
	if took := time.Since(began); took > time.Duration(seconds)*time.Second {
		ts.Fatalf("%v took %v", args[2:], took)
	}
}

// flipbit FILE damages a file in its middle.
func flipBit(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	b = bytes.Clone(b)
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(path, b, 0o600))
}

// verifywords FILE HOME NAME gives the words that were shown back.
func verifyWords(ts *testscript.TestScript, _ bool, args []string) {
	var heard []string
	for _, field := range strings.Fields(ts.ReadFile(args[0])) {
		if _, err := strconv.Atoi(field); err != nil {
			heard = append(heard, strings.ToUpper(field[:min(4, len(field))]))
		}
	}
	ts.Check(ts.Exec("sotto", append([]string{"contacts", "verify", "--home", args[1], args[2]}, heard...)...))
}

func somebody(t *testing.T) identity.Address {
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key.Address()
}

// torsioned is an address with a component of small order: its checksum is
// right, and it is an alias of another.
func torsioned(t *testing.T) identity.Address {
	address := somebody(t)
	p, err := new(edwards25519.Point).SetBytes(address[:])
	if err != nil {
		t.Fatal(err)
	}
	small, err := new(edwards25519.Point).SetBytes([]byte{31: 0}) // of order 4
	if err != nil {
		t.Fatal(err)
	}
	return identity.Address(p.Add(p, small).Bytes())
}
