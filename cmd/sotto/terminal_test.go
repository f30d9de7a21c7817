package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Two people at two terminals, with sound devices: it rings, the callee is
// asked, mutes, and hangs up with a key. No microphone is open before both
// have said yes, which the sound server is asked, and none is left open.
func TestTwoTerminals(t *testing.T) {
	t.Parallel()
	net, sotto := need(t, network), need(t, binary)
	dir := t.TempDir()
	sound := pulse(t)
	mics := func() int {
		out, err := sound("pactl", "list", "short", "source-outputs").Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(out), "\n")
	}
	home := func(who string) string { return filepath.Join(dir, who) }
	for _, who := range []string{"alice", "bob", "carol"} {
		if out, err := exec.Command(sotto, "id", "--yes", "--no-passphrase", "--home", home(who)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for _, pair := range [][2]string{{"alice", "bob"}, {"bob", "alice"}, {"alice", "carol"}} {
		who, friend := pair[0], pair[1]
		card, err := exec.Command(sotto, "contacts", "card", "--home", home(friend)).Output()
		if err != nil {
			t.Fatal(err)
		}
		add := exec.Command(sotto, "contacts", "add", friend, "--home", home(who))
		add.Stdin = bytes.NewReader(card)
		if out, err := add.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	address, err := exec.Command(sotto, "id", "--home", home("alice")).Output()
	if err != nil {
		t.Fatal(err)
	}
	alice := screen(t, sound, dir, "alice", sotto, "up", "--from", "anyone", "--network", net, "--home", home("alice"))
	alice.waitFor("waiting for calls")
	if strings.Contains(alice.text(), "ALSA") {
		t.Errorf("the sound libraries' chatter is on the screen:\n%s", alice.text())
	}
	bob := screen(t, sound, dir, "bob", sotto, "call", "--network", net, "--home", home("bob"), "--record", filepath.Join(dir, "talk.opus"))
	bob.waitFor("Whom to call")
	bob.keys("ALI", "Tab", "Enter")
	bob.waitFor("calling alice")
	alice.waitFor("a call from bob")
	alice.waitFor("answer? y or n")
	bob.waitFor("ringing")
	if n := mics(); n != 0 {
		t.Errorf("%d microphones are open while it rings", n)
	}
	alice.keys("y")
	alice.waitFor("talking: m mutes")
	bob.waitFor("delay about")
	// A recording is announced, and shown for as long as it lasts.
	alice.waitFor("the other side records this call")
	alice.waitFor("bob records")
	bob.keys("r")
	alice.waitFor("the other side does not record any more")
	bob.waitFor("recorded to")
	look := time.NewTicker(50 * time.Millisecond) // a busy machine opens one late
	defer look.Stop()
	for late := time.Now().Add(10 * time.Second); mics() != 2 && time.Now().Before(late); {
		<-look.C
	}
	if n := mics(); n != 2 {
		t.Errorf("%d microphones are open while both talk", n)
	}
	alice.keys("m")
	alice.waitFor("you (muted)")
	alice.keys("m")
	alice.waitFor("you ...")
	// Meanwhile a stranger hears it ring, and a contact rings, too: not taken, she
	// is busy for them.
	stranger := screen(t, sound, dir, "stranger", sotto, "call", "--once", "--network", net, "--home", home("bob"), strings.TrimSpace(string(address)))
	stranger.waitFor("ringing … 0:0")
	carol := screen(t, sound, dir, "carol", sotto, "call", "--network", net, "--home", home("carol"), strings.TrimSpace(string(address)))
	alice.waitFor("a call from carol")
	alice.waitFor("answer? y or n")
	alice.keys("n")
	carol.waitFor("in another call")
	carol.waitFor("exit code 5")
	alice.waitFor("they were told that you are in another call")
	stranger.keys("q")
	stranger.waitFor("you hung up before they answered")
	alice.waitFor("a stranger: you were busy with another")
	alice.keys("q")
	alice.waitFor("is over after")
	bob.waitFor("exit code 0")
	if out, err := exec.Command("opusinfo", filepath.Join(dir, "talk.opus")).CombinedOutput(); err != nil || !strings.Contains(string(out), "Encoded with sotto") || strings.Contains(string(out), "WARNING") {
		t.Errorf("the recording: %v\n%s", err, out)
	}
	if n := mics(); n != 0 {
		t.Errorf("%d microphones are open after the hang-up", n)
	}
	// Declined: a contact is told, and nobody's microphone opens.
	bob = screen(t, sound, dir, "bob2", sotto, "call", "--network", net, "--home", home("bob"), "alice")
	alice.waitFor("answer? y or n")
	alice.keys("n")
	bob.waitFor("declined the call")
	bob.waitFor("exit code 5")
	// A stranger is not told: it rings on, while the callee is free again.
	bob = screen(t, sound, dir, "once", sotto, "call", "--once", "--network", net, "--home", home("bob"))
	bob.waitFor("Whom to call")
	bob.keys(strings.TrimSpace(string(address)), "Enter")
	bob.waitFor("calling with a one-time identity")
	bob.waitFor("(one-time identity)")
	alice.waitFor("a stranger: not in your contacts")
	alice.waitFor("answer? y or n")
	alice.keys("n")
	alice.waitFor("you declined; strangers are not told")
	alice.waitFor("waiting for calls")
	if text := bob.text(); !strings.Contains(text, "ringing") || strings.Contains(text, "declined") {
		t.Errorf("the stranger sees:\n%s", text)
	}
	bob.keys("q")
	bob.waitFor("you hung up before they answered")
	if n := mics(); n != 0 {
		t.Errorf("%d microphones are open after a declined call", n)
	}
	// A stranger who only rings gives way to a contact, and hears it ring on.
	stranger = screen(t, sound, dir, "stranger2", sotto, "call", "--once", "--network", net, "--home", home("bob"), strings.TrimSpace(string(address)))
	alice.waitFor("answer? y or n")
	carol = screen(t, sound, dir, "carol2", sotto, "call", "--plain", "--network", net, "--home", home("carol"), strings.TrimSpace(string(address)))
	alice.waitFor("a call from carol")
	alice.waitFor("a stranger: a contact called meanwhile")
	alice.waitFor("answer? y or n")
	alice.keys("y")
	carol.waitFor("delay about")
	carol.waitFor("reaching the other side") // a plain line stays
	if text := stranger.text(); !strings.Contains(text, "ringing") {
		t.Errorf("the stranger sees:\n%s", text)
	}
	carol.keys("q")
	alice.waitFor("is over after")
	alice.waitFor("waiting for calls")
	stranger.keys("q")
	stranger.waitFor("you hung up before they answered")
	// The callee is interrupted in a call: the caller is told at once, the
	// address goes down, nothing is left.
	bob = screen(t, sound, dir, "bob3", sotto, "call", "--network", net, "--home", home("bob"))
	bob.waitFor("Whom to call")
	bob.keys(strings.TrimSpace(string(address)), "Enter")
	alice.waitFor("answer? y or n")
	alice.keys("y")
	bob.waitFor("delay about")
	alice.keys("C-c")
	alice.waitFor("exit code 130")
	bob.waitFor("exit code 0")
	nothingRuns(t, dir)
}

// terminal is a tmux of its own with a program in it.
type terminal struct {
	t      *testing.T
	socket string
	env    []string
}

// screen runs a program in a terminal of 100×24, which shows its exit code at
// the end and stays.
func screen(t *testing.T, sound func(string, ...string) *exec.Cmd, dir, name string, command ...string) *terminal {
	t.Helper()
	s := &terminal{t: t, socket: filepath.Join(dir, name+".tmux"), env: sound("true").Env}
	script := strings.Join(command, " ") + `; echo exit code $?; cat`
	start := exec.Command("tmux", "-S", s.socket, "-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "24", "sh", "-c", script)
	start.Env = s.env
	if out, err := start.CombinedOutput(); err != nil {
		t.Fatalf("tmux: %v: %s", err, out)
	}
	t.Cleanup(func() { exec.Command("tmux", "-S", s.socket, "kill-server").Run() })
	return s
}

func (s *terminal) text() string {
	out, err := exec.Command("tmux", "-S", s.socket, "capture-pane", "-p").Output()
	if err != nil {
		s.t.Fatalf("tmux: %v", err)
	}
	return string(out)
}

func (s *terminal) keys(keys ...string) {
	s.t.Helper()
	if out, err := exec.Command("tmux", append([]string{"-S", s.socket, "send-keys"}, keys...)...).CombinedOutput(); err != nil {
		s.t.Fatalf("tmux: %v: %s", err, out)
	}
}

// waitFor looks until the screen shows something.
func (s *terminal) waitFor(what string) {
	s.t.Helper()
	deadline := time.NewTimer(60 * time.Second)
	defer deadline.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		text := s.text()
		if strings.Contains(text, what) {
			return
		}
		select {
		case <-look.C:
		case <-deadline.C:
			s.t.Fatalf("the screen never showed %q:\n%s", what, text)
		}
	}
}

// pulse starts a sound server without a card, whose loudspeaker is heard by
// its microphone, and gives commands that use it and no other.
func pulse(t *testing.T) func(string, ...string) *exec.Cmd {
	t.Helper()
	dir, err := os.MkdirTemp("", "snd") // short, for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := filepath.Join(dir, "asound.conf")
	if err := os.WriteFile(config, []byte("pcm.!default { type pulse hint { show on description \"loop\" } }\nctl.!default { type pulse }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "pulse.sock")
	env := append(os.Environ(), "HOME="+dir, "XDG_RUNTIME_DIR="+dir, "XDG_CONFIG_HOME="+dir, "ALSA_CONFIG_PATH="+config,
		"PULSE_SERVER=unix:"+socket, "PULSE_SOURCE=spk.monitor", "PULSE_COOKIE="+filepath.Join(dir, "cookie"),
		"JACK_NO_START_SERVER=1", "JACK_DEFAULT_SERVER=sotto-none", "TERM=screen")
	server := exec.Command("pulseaudio", "-n", "-vv", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1",
		"--disable-shm=yes", "--log-target=stderr", "-L", "module-null-sink sink_name=spk rate=48000 channels=1",
		"-L", "module-native-protocol-unix auth-anonymous=1 socket="+socket)
	server.Env = env
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	started, ended := make(chan error), make(chan struct{})
	ready := make(chan bool, 1)
	go func() { // the kernel's death signal is tied to this thread
		defer close(ended)
		runtime.LockOSThread()
		err := server.Start()
		started <- err
		if err != nil {
			return
		}
		for lines := bufio.NewScanner(said); lines.Scan(); {
			if strings.Contains(lines.Text(), "Daemon startup complete") {
				ready <- true
			}
		}
		close(ready)
		server.Wait()
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Process.Signal(syscall.SIGTERM); <-ended })
	if !<-ready {
		t.Fatal("pulseaudio did not start")
	}
	return func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.Env = env
		return cmd
	}
}
