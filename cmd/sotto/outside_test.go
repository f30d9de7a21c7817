package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/tornet"
)

// watched is a command of sotto under strace, which sees every socket that it
// and its children make, and every connection. Once the test is over, none may
// have gone further than to tor: see [wentOut]. tor and its control and SOCKS
// port, if it is not sotto's own, are named by ports.
func watched(t *testing.T, ports []string, args ...string) *exec.Cmd {
	t.Helper()
	log := filepath.Join(t.TempDir(), "strace")
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal(err)
	}
	// -D: the process that is started is sotto itself, strace its grandchild.
	cmd := exec.Command(strace, append([]string{"-D", "-f", "--seccomp-bpf", "-Y", "-q", "-o", log, "-e", "trace=socket,connect,sendto,sendmsg,sendmmsg,execve"}, args...)...)
	t.Cleanup(func() {
		ended := regexp.MustCompile(fmt.Sprintf(`(?m)^%d<[^>]*> \+\+\+ `, cmd.Process.Pid))
		var text []byte
		for began := time.Now(); !ended.Match(text); {
			text, err = os.ReadFile(log)
			if time.Since(began) > 20*time.Second {
				t.Fatalf("strace has not seen the end of %v: %v, %s", args, err, tail(text))
			}
		}
		if !bytes.Contains(text, []byte("execve(")) {
			t.Errorf("strace has seen nothing of %v: %s", args, tail(text))
		}
		for _, line := range wentOut(string(text), ports) {
			t.Errorf("%v goes out: %s", args, line)
		}
	})
	return cmd
}

func tail(text []byte) []byte { return text[max(0, len(text)-1000):] }

var (
	madeSocket = regexp.MustCompile(`^\d+<([^>]*)> socket\((AF_\w+), (SOCK_\w+)`)
	goesTo     = regexp.MustCompile(`^\d+<([^>]*)> (?:connect|send\w+)\(.*?\{sa_family=(AF_\w+)(?:, sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]*)"\))?`)
	looksUp    = regexp.MustCompile(`sun_path="[^"]*(?:nscd|resolve)`)
)

// wentOut are the lines of strace's that should not be:
//   - of anyone, what goes over the internet's protocols and not to 127.0.0.1,
//     or to a name server;
//   - of all but tor, what goes over them at all, ports excepted, or to a service
//     of this machine that looks up names; and a socket for datagrams.
func wentOut(text string, ports []string) (lines []string) {
	for line := range strings.Lines(text) {
		if m := madeSocket.FindStringSubmatch(line); m != nil {
			internet := m[2] == "AF_INET" || m[2] == "AF_INET6"
			if internet && m[3] != "SOCK_STREAM" && m[1] != "tor" || !internet && m[2] != "AF_UNIX" && m[2] != "AF_NETLINK" {
				lines = append(lines, line)
			}
		}
		m := goesTo.FindStringSubmatch(line)
		if m == nil || m[2] == "AF_NETLINK" || m[2] == "AF_UNIX" && !looksUp.MatchString(line) {
			continue
		}
		here := m[2] == "AF_INET" && m[4] == "127.0.0.1" && m[3] != "53"
		if !here || m[1] != "tor" && !slices.Contains(ports, "127.0.0.1:"+m[3]) {
			lines = append(lines, line)
		}
	}
	return lines
}

// What the rules are worth: each of these is seen.
func TestWentOut(t *testing.T) {
	for line, bad := range map[string]bool{
		`7<sotto> socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3`:                                                                     false,
		`7<sotto> connect(3, {sa_family=AF_UNIX, sun_path="/h/tor/sockets/control"}, 110) = 0`:                                          false,
		`7<sotto> connect(3, {sa_family=AF_INET, sin_port=htons(9051), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 EINPROGRESS`:          false,
		`7<sotto> connect(3, {sa_family=AF_INET, sin_port=htons(9052), sin_addr=inet_addr("127.0.0.1")}, 16 <unfinished ...>`:           true,
		`8<tor> connect(3, {sa_family=AF_INET, sin_port=htons(9052), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 EINPROGRESS`:            false,
		`8<tor> connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.1")}, 16) = 0`:                           true,
		`8<tor> connect(3, {sa_family=AF_INET, sin_port=htons(9001), sin_addr=inet_addr("192.0.2.1")}, 16) = -1 EINPROGRESS`:            true,
		`8<tor> connect(3, {sa_family=AF_INET6, sin6_port=htons(9001), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &s), 28) = 0`: true,
		`7<sotto> socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = 3`:                                               true,
		`7<sotto> connect(3, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT`:                                    true,
		`7<sotto> connect(3, {sa_family=AF_UNIX, sun_path="/run/systemd/resolve/io.systemd.Resolve"}, 42) = 0`:                          true,
		`7<threaded-ml> connect(9, {sa_family=AF_INET, sin_port=htons(4713), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 ECONNREFUSED`:   true,
		`7<sotto> connect(3, {sa_family=AF_INET, sin_port=htons(9051), sin_addr=inet_addr("192.0.2.1")}, 16) = -1 ENETUNREACH`:          true,
		`8<tor> sendto(9, "\1\0"..., 29, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.1")}, 16) = 29`:         true,
		`8<tor> sendto(9, "\1\0"..., 514, 0, NULL, 0) = 514`:                                                                            false,
		`7<sotto> sendto(3, [{nlmsg_len=20}], 20, 0, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 20`:                    false,
		`7<sotto> socket(AF_PACKET, SOCK_RAW, htons(0 /* ETH_P_??? */)) = 3`:                                                            true,
	} {
		if got := wentOut(line, []string{"127.0.0.1:9051"}); (len(got) > 0) != bad {
			t.Errorf("%s: %v", line, got)
		}
	}
}

// No command goes further than to sotto's own tor, and that not further than
// the private network. demo, doctor and a call that is answered have tests of
// their own.
func TestCommandsStayHere(t *testing.T) {
	t.Parallel()
	net, sotto := need(t, network), need(t, binary)
	home := filepath.Join(t.TempDir(), "home")
	for _, test := range []struct {
		stdin string
		code  int
		args  []string
	}{
		{"", 0, []string{"id", "--yes", "--no-passphrase"}},
		{"", 0, []string{"id"}},
		{somebody(t).Onion(), 0, []string{"contacts", "add", "ann"}},
		{"", 0, []string{"contacts"}},
		{"", 0, []string{"contacts", "card"}},
		{"", 0, []string{"contacts", "policy"}},
		{"", 0, []string{"contacts", "rename", "ann", "anna"}},
		{"", 0, []string{"bridges"}},
		{"", 0, []string{"config", "list"}},
		{"", 0, []string{"version"}},
		{"", 0, []string{"call", "--help"}},
		{"", -1, []string{"devices"}}, // the machine may have some
		{"", 3, []string{"up", "--answer", "--tor", "/nowhere"}},
		{"not an address", 2, []string{"call", "--tor", "/nowhere", "--in", "../../internal/demo/speech.wav", "--out", "/dev/null"}},
		{somebody(t).Onion(), 4, []string{"call", "--once", "--network", net, "--in", "../../internal/demo/speech.wav", "--out", "/dev/null"}},
		{"www.example.com", 2, []string{"call", "--once", "--in", "../../internal/demo/speech.wav", "--out", "/dev/null"}},
		{"", 3, []string{"up", "--answer", "--tor-control", "www.example.com:9051"}},
	} {
		cmd := watched(t, nil, append([]string{sotto, "--home", home}, test.args...)...)
		cmd.Stdin = strings.NewReader(test.stdin)
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != test.code && test.code >= 0 {
			t.Errorf("%v: %v, want exit code %d: %s", test.args, err, test.code, out)
		}
	}
}

// A network, a call and all that is said in it are on this machine.
func TestDemoStaysHere(t *testing.T) {
	t.Parallel()
	cmd := watched(t, nil, need(t, binary), "demo")
	talk, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(talk)
	var told []string
	defer cmd.Wait()
	await(t, lines, &told, "0:05 ")
	cmd.Process.Signal(syscall.SIGINT)
	for lines.Scan() {
	}
	if cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("exit code %d: %q", cmd.ProcessState.ExitCode(), told)
	}
}

// With a tor that runs already sotto connects to its control port and its SOCKS
// port, and to nothing else.
func TestARunningTorIsAllThatIsConnectedTo(t *testing.T) {
	t.Parallel()
	network, sotto := need(t, network), need(t, binary)
	dir := t.TempDir()
	lines, err := tornet.Client(network)
	if err != nil {
		t.Fatal(err)
	}
	ports := []string{freePort(t), freePort(t)}
	torrc := filepath.Join(dir, "torrc")
	lines = append(lines, "DataDirectory "+filepath.Join(dir, "data"), "ControlPort "+ports[0], "SocksPort "+ports[1], "CookieAuthentication 1", "Log notice stdout")
	if err := os.WriteFile(torrc, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tor, err := onion.FindTor("")
	if err != nil {
		t.Fatal(err)
	}
	system := exec.Command(tor.Path, "-f", torrc, "--defaults-torrc", os.DevNull)
	talk, err := system.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := system.Start(); err != nil {
		t.Fatal(err)
	}
	defer system.Wait()
	defer system.Process.Kill()
	var told []string
	await(t, bufio.NewScanner(talk), &told, "Opened Control listener")

	home := filepath.Join(dir, "home")
	if out, err := exec.Command(sotto, "id", "--yes", "--no-passphrase", "--home", home).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := watched(t, ports, sotto, "doctor", "--home", home, "--tor-control", ports[0])
	out, _ := cmd.Output()
	if !regexp.MustCompile(`(?m)^ok +reach`).Match(out) {
		t.Errorf("it has not reached itself:\n%s", out)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
