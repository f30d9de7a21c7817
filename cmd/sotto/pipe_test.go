package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sottovoce/sotto/voice"
)

// A call between two pipes: what one program writes to sotto's standard input
// is what another reads from sotto's standard output, at the other end.
func TestPipes(t *testing.T) {
	t.Parallel()
	var unlike []string
	for range 3 { // the machine may be busy with something else
		if unlike = pipesRound(t); len(unlike) == 0 || t.Failed() {
			return
		}
		t.Logf("a round: %q", unlike)
	}
	t.Errorf("in all rounds: %q", unlike)
}

func pipesRound(t *testing.T) (unlike []string) {
	net, sotto := need(t, network), need(t, binary)
	dir := t.TempDir()
	home := func(who string) string { return filepath.Join(dir, who) }
	address := ""
	for _, who := range []string{"bob", "alice"} {
		out, err := exec.Command(sotto, "id", "--yes", "--no-passphrase", "--home", home(who)).Output()
		if err != nil {
			t.Fatal(err)
		}
		address = strings.TrimSpace(string(out))
	}
	speech, err := os.ReadFile("../../internal/demo/speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	speech = speech[:44+2*16000*8] // eight seconds; the header says more, as a cut pipe's does

	up := exec.Command(sotto, "up", "--from", "anyone", "--answer", "--network", net, "--home", home("alice"), "--in", "../../internal/demo/speech.wav", "--out", "-")
	heard, err := up.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	talk, err := up.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	defer up.Process.Kill()
	all := make(chan []byte, 1)
	go func() { b, _ := io.ReadAll(heard); all <- b }()
	lines := bufio.NewScanner(talk)
	var told []string
	await(t, lines, &told, "waiting for calls")

	// An address as an argument works too; it is only not recommended.
	call := exec.Command(sotto, "call", "--once", "--network", net, "--home", home("bob"), "--in", "-", "--out", "-", address)
	call.Stdin = struct{ io.Reader }{bytes.NewReader(speech)} // a pipe, not a file
	var stderr bytes.Buffer
	call.Stderr = &stderr
	back, err := call.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	await(t, lines, &told, "is over after")
	up.Process.Signal(syscall.SIGINT)
	for lines.Scan() {
	}
	there := <-all
	up.Wait()

	said, err := voice.ReadWAV(bytes.NewReader(speech))
	if err != nil {
		t.Fatal(err)
	}
	for what, wav := range map[string][]byte{"to the callee's standard output": there, "to the caller's": back} {
		clip, err := voice.ReadWAV(bytes.NewReader(wav))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		// Half a second is left before it, as the delay moves, most in the first of
		// so few seconds.
		m := voice.Compare(said.Samples, clip.Samples)
		heard := clip.Samples[max(0, min(len(clip.Samples), int((m.Lag.Seconds()-0.5)*voice.SampleRate))):]
		if likeness, _ := aligned(said.Samples, heard, voice.SampleRate); likeness < 0.8 {
			unlike = append(unlike, fmt.Sprintf("what came %s resembles what was said by %.2f", what, likeness))
		}
	}
	nothingRuns(t, dir)
	return unlike
}
