// Package soundtest starts sound servers that need no sound card, JACK with its
// dummy driver and PulseAudio with a null sink, for tests alone: what is played
// can be heard again. Each dies with its test, and the libraries see nothing else
// of the machine's sound.
package soundtest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// server starts a sound server, which dies with the test, and returns when it
// has printed ready. What kills it is returned.
func server(t *testing.T, ready, name string, args ...string) (kill func()) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed: run ./setup.sh test (%v)", name, err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan struct{})
	go func() { // the kernel's death signal is tied to this thread
		defer close(ended)
		runtime.LockOSThread()
		started <- cmd.Start()
		w.Close()
		if cmd.Process != nil {
			cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // kindly: jackd has shared memory to give back
		cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	})
	kill = func() {
		cmd.Process.Kill()
		<-ended
	}
	var said strings.Builder
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), ready) {
			go func() { // so that it never waits for us
				defer r.Close()
				for lines.Scan() {
				}
			}()
			return kill
		}
	}
	t.Fatalf("%s did not start:\n%s", name, said.String())
	return nil
}

// jackName is always the same: jackd takes the place of a dead server of its
// own name, while those of other names fill its table of eight.
const jackName = "sotto-test"

// Alone keeps the libraries from every sound device and server of the machine
// and makes ALSA read config instead of its own files.
func Alone(t *testing.T, config string) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "snd") // short, for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := filepath.Join(dir, "asound.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"HOME": dir, "XDG_RUNTIME_DIR": dir, "XDG_CONFIG_HOME": dir, "ALSA_CONFIG_PATH": file,
		"PULSE_SERVER": "unix:" + filepath.Join(dir, "none"), "JACK_NO_START_SERVER": "1",
		"JACK_DEFAULT_SERVER": jackName, "PULSE_COOKIE": filepath.Join(dir, "cookie"),
		"DBUS_SESSION_BUS_ADDRESS": "unix:path=" + filepath.Join(dir, "none"),
	} {
		t.Setenv(name, value)
	}
	return dir
}

// Pulse starts a PulseAudio whose loudspeaker is heard by its microphone, and
// makes it ALSA's only device. What begins it anew is returned with what kills it.
func Pulse(t *testing.T) (kill, begin func()) {
	t.Helper()
	dir := Alone(t, `
pcm.!default { type pulse hint { show on description "loop" } }
ctl.!default { type pulse }
`)
	socket := filepath.Join(dir, "pulse.sock")
	t.Setenv("PULSE_SERVER", "unix:"+socket)
	t.Setenv("PULSE_SOURCE", "spk.monitor")
	var end func()
	begin = func() {
		end = server(t, "Daemon startup complete", "pulseaudio", "-n", "-vv", "--daemonize=no", "--use-pid-file=no",
			"--exit-idle-time=-1", "--disable-shm=yes", "--log-target=stderr",
			"-L", "module-null-sink sink_name=spk rate=48000 channels=1",
			"-L", "module-native-protocol-unix auth-anonymous=1 socket="+socket)
	}
	begin()
	return func() { end() }, begin
}

// Jack starts a JACK server without a card.
func Jack(t *testing.T, rate, period int) (kill, begin func()) {
	t.Helper()
	Alone(t, "pcm.!default { type hw card 99 }")
	var end func()
	begin = func() {
		end = server(t, "JACK server starting", "jackd", "-r", "-n", jackName,
			"-d", "dummy", "-r", strconv.Itoa(rate), "-p", strconv.Itoa(period))
		if b, err := exec.Command("jack_wait", "-w", "-t", "20").CombinedOutput(); err != nil {
			t.Fatalf("jack_wait: %v\n%s", err, b)
		}
	}
	begin()
	return func() { end() }, begin
}

// JackPorts lists PortAudio's ports, those it plays to others by (input false) or
// hears them by.
func JackPorts(t *testing.T, input bool) (ports []string) {
	t.Helper()
	list, err := exec.Command("jack_lsp").CombinedOutput()
	if err != nil {
		t.Fatalf("jack_lsp: %v\n%s", err, list)
	}
	kind := ":out"
	if input {
		kind = ":in"
	}
	for port := range strings.FieldsSeq(string(list)) {
		if strings.HasPrefix(port, "PortAudio") && strings.Contains(port, kind) {
			ports = append(ports, port)
		}
	}
	return ports
}

// JackConnect lets one port hear another.
func JackConnect(t *testing.T, out, in string) {
	t.Helper()
	if b, err := exec.Command("jack_connect", out, in).CombinedOutput(); err != nil {
		t.Fatalf("jack_connect %q %q: %v\n%s", out, in, err, b)
	}
}

// ConnectJack lets PortAudio's microphone, the only one, hear its loudspeaker.
func ConnectJack(t *testing.T) {
	t.Helper()
	out, in := JackPorts(t, false), JackPorts(t, true)
	if len(out) != 1 || len(in) != 1 {
		t.Fatalf("ports %q and %q", out, in)
	}
	JackConnect(t, out[0], in[0])
}
