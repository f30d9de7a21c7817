package onion_test

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/onion"
)

func shell(t *testing.T, script string) onion.Process {
	t.Helper()
	path, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	return onion.Process{Path: path, Args: []string{"-c", script}}
}

func TestFailureCarriesTheProgramsOwnReason(t *testing.T) {
	address := strings.Repeat("abcdefg2", 7)
	for script, want := range map[string]string{
		`echo "Nov 01 [warn] Could not bind to 127.0.0.1:1: Address already in use."; echo "Nov 01 [err] Reading config failed--see warnings above."; exit 1`: "Address already in use.",
		`printf 'no newline at the end' >&2; exit 3`:                                              "no newline at the end",
		`echo "[warn] a"; echo "[warn] b"; echo "[err] c"; echo "[notice] d"; exit 1`:             "said: b / c",
		`echo "[err] no route to ` + address + `.onion"; exit 1`:                                  "no route to [onion]",
		`i=0; while [ $i -lt 3000 ]; do printf %0500d $i; i=$((i+1)); done; echo; echo z; exit 1`: "said: z",
		`exit 7`: "exit status 7",
	} {
		err := shell(t, script).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s…: error %v does not say %q", script, err, want)
		}
		if err != nil && (len(err.Error()) > 1200 || strings.Contains(err.Error(), address)) {
			t.Errorf("%.40s…: error of %d bytes: %.100v", script, len(err.Error()), err)
		}
	}
	if err := (onion.Process{Path: "/no/such/tor"}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "starting tor") {
		t.Errorf("a missing program: %v", err)
	}
}

// A program that ignores SIGINT is killed, and its end is no error: it was
// asked to go.
func TestEndOfContextStopsEvenTheDeaf(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := shell(t, `trap "" INT; echo up; while :; do read x < /dev/zero; done`)
	p.Line = func(line string) {
		if line == "up" {
			cancel()
		}
	}
	began := time.Now()
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestStdinAndLines(t *testing.T) {
	p := shell(t, `cat`)
	p.Stdin = strings.NewReader("one\n\ntwo\n")
	var got bytes.Buffer
	p.Line = func(line string) { got.WriteString(line + ";") }
	if err := p.Run(t.Context()); err != nil || got.String() != "one;two;" {
		t.Fatalf("%q, %v", got.String(), err)
	}
}
