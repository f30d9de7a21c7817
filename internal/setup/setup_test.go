// Package setup tests setup.sh with an apt, a dpkg, a sudo and a Go that only
// write down what they were asked, in a root folder of the test's own.
package setup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	policyPath = "usr/sbin/policy-rc.d"

	// Each stub finds its folder in $STUB and appends to $STUB/log.
	dpkg = `#!/bin/sh
grep -qx "$2" "$STUB/installed" && echo 'Status: install ok installed'`
	apt = `#!/bin/sh
policy="$SOTTO_SETUP_ROOT/usr/sbin/policy-rc.d"
status=none
if [ -x "$policy" ]; then "$policy"; status=$?; fi
echo "apt-get $* frontend=$DEBIAN_FRONTEND policy=$status" >>"$STUB/log"
[ -e "$STUB/interrupt-$1" ] && kill -s "$(cat "$STUB/interrupt-$1")" $PPID
[ -e "$STUB/fail-$1" ] && exit 100
[ "$1" = install ] || exit 0
for package; do echo "$package" >>"$STUB/installed"; done`
	sudo = `#!/bin/sh
echo "sudo $1" >>"$STUB/log"
exec "$@"`
)

// machine is a made-up computer to run setup.sh on.
type machine struct {
	t    *testing.T
	root string
}

// newMachine makes a Debian with Go 1.26, nothing installed, and us root.
func newMachine(t *testing.T) *machine {
	m := &machine{t, t.TempDir()}
	for _, tool := range []string{"sh", "grep", "cut", "cat", "rm", "mkdir", "chmod", "env", "dirname"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(m.root, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(m.root, "bin", tool)); err != nil {
			t.Fatal(err)
		}
	}
	m.write("bin/apt-get", apt)
	m.write("bin/dpkg", dpkg)
	m.write("installed", "")
	m.user(0)
	m.golang("go1.26.8")
	return m
}

func (m *machine) write(name, text string) {
	m.t.Helper()
	path := filepath.Join(m.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text+"\n"), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) remove(name string) {
	m.t.Helper()
	if err := os.Remove(filepath.Join(m.root, name)); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) read(name string) string {
	b, err := os.ReadFile(filepath.Join(m.root, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		m.t.Fatal(err)
	}
	return string(b)
}

func (m *machine) user(id int)           { m.write("bin/id", fmt.Sprintf("#!/bin/sh\necho %d", id)) }
func (m *machine) golang(version string) { m.write("bin/go", "#!/bin/sh\necho "+version) }

// run runs setup.sh and returns its exit code and all it said.
func (m *machine) run(args ...string) (int, string) {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), filepath.Join(m.root, "bin/sh"), append([]string{"../../setup.sh"}, args...)...)
	cmd.Env = []string{"PATH=" + filepath.Join(m.root, "bin"), "SOTTO_SETUP_ROOT=" + m.root, "STUB=" + m.root}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), said.String()
}

// wantLog compares what the stubs were asked, line by line.
func (m *machine) wantLog(want ...string) {
	m.t.Helper()
	got := strings.Split(strings.TrimSuffix(m.read("log"), "\n"), "\n")
	if len(want) == 0 {
		want = []string{""}
	}
	if !slices.Equal(got, want) {
		m.t.Errorf("asked\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func (m *machine) wantPolicy(want string) {
	m.t.Helper()
	if got := m.read(policyPath); got != want {
		m.t.Errorf("policy-rc.d holds %q afterwards, want %q", got, want)
	}
}

const (
	buildPackages = "gcc libc6-dev pkg-config libopus-dev portaudio19-dev libspeexdsp-dev tor ca-certificates git"
	testPackages  = "jackd2 pulseaudio pulseaudio-utils libasound2-plugins tmux sox opus-tools strace iproute2 procps asterisk-core-sounds-en-wav python3 python3-cryptography zbar-tools age obfs4proxy systemd apparmor desktop-file-utils"

	updateLine  = "apt-get update frontend=noninteractive policy=101"
	installLine = "apt-get install -y --no-install-recommends " + buildPackages + " frontend=noninteractive policy=101"
)

func TestInstallsThenNothing(t *testing.T) {
	m := newMachine(t)
	code, said := m.run()
	if code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	for package_ := range strings.FieldsSeq(buildPackages) {
		if !strings.Contains(said, "  "+package_+" ") {
			t.Errorf("does not say that it installs %s:\n%s", package_, said)
		}
	}
	m.wantLog(updateLine, installLine)
	m.wantPolicy("")

	m.write("log", "")
	begin := time.Now()
	code, said = m.run()
	if code != 0 || said != "setup: everything is there\n" {
		t.Errorf("second run: exit %d, said %q", code, said)
	}
	m.wantLog("")
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("the second run took %v", took)
	}
}

func TestInstallsOnlyWhatIsMissing(t *testing.T) {
	m := newMachine(t)
	m.write("installed", strings.ReplaceAll(buildPackages, " ", "\n"))
	if code, said := m.run("test"); code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	m.wantLog(updateLine, strings.Replace(installLine, buildPackages, testPackages, 1))
}

func TestPolicyIsTakenBack(t *testing.T) {
	for file, want := range map[string]struct {
		text string
		code int
		says string
	}{
		"fail-update":       {"", 1, "is there a network?"},
		"fail-install":      {"", 1, "could not install everything"},
		"interrupt-install": {"INT", 130, ""},
		"interrupt-update":  {"TERM", 143, ""},
	} {
		t.Run(file+want.text, func(t *testing.T) {
			m := newMachine(t)
			m.write(file, want.text)
			code, said := m.run()
			if code != want.code || !strings.Contains(said, want.says) {
				t.Errorf("exit %d, said %s; want exit %d and %q", code, said, want.code, want.says)
			}
			if !strings.Contains(m.read("log"), "policy=101") {
				t.Errorf("there was no policy: %s", m.read("log"))
			}
			m.wantPolicy("")
		})
	}
}

func TestKeepsAPolicyThatIsThere(t *testing.T) {
	m := newMachine(t)
	const own = "#!/bin/sh\nexit 104"
	m.write(policyPath, own)
	if code, said := m.run(); code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	m.wantLog(strings.ReplaceAll(updateLine, "101", "104"), strings.ReplaceAll(installLine, "101", "104"))
	m.wantPolicy(own + "\n")
}

func TestNotRoot(t *testing.T) {
	m := newMachine(t)
	m.user(1000)
	code, said := m.run()
	if code == 0 || !strings.Contains(said, "apt-get install --no-install-recommends "+buildPackages) {
		t.Errorf("without sudo: exit %d, said %s", code, said)
	}
	m.wantLog()

	m.write("bin/sudo", sudo)
	if code, said := m.run(); code != 0 {
		t.Errorf("with sudo: exit %d, said %s", code, said)
	}
	m.wantLog("sudo sh", "sudo env", updateLine, "sudo env", installLine, "sudo rm")
	m.wantPolicy("")
}

func TestNoApt(t *testing.T) {
	m := newMachine(t)
	m.remove("bin/apt-get")
	code, said := m.run()
	for _, want := range []string{"Fedora", "Arch", "Homebrew", "portaudio-devel"} {
		if code != 1 || !strings.Contains(said, want) {
			t.Errorf("exit %d, does not name %s:\n%s", code, want, said)
		}
	}
	for _, tool := range []string{"gcc", "pkg-config", "git", "tor"} {
		m.write("bin/"+tool, "#!/bin/sh")
	}
	if code, said := m.run(); code != 0 {
		t.Errorf("with everything there: exit %d, said %s", code, said)
	}
}

func TestGo(t *testing.T) {
	for version, good := range map[string]bool{
		"go1.26.0": true, "go1.26rc1": true, "go1.26": true, "go1.30.2": true, "go2.0": true,
		"go1.25.9": false, "go1.19.8": false, "devel": false, "": false,
	} {
		m := newMachine(t)
		m.golang(version)
		code, said := m.run()
		if (code == 0) != good || !good && !strings.Contains(said, "install Go 1.26 or newer") && !strings.Contains(said, "1.26 or newer is needed") {
			t.Errorf("%q: exit %d, said %s", version, code, said)
		}
		if !good {
			m.wantLog()
		}
	}
	m := newMachine(t)
	m.remove("bin/go")
	if code, said := m.run(); code != 1 || !strings.Contains(said, "Go is missing: install Go 1.26") {
		t.Errorf("without Go: exit %d, said %s", code, said)
	}
	m.write("usr/local/go/bin/go", "#!/bin/sh\necho go1.26.1")
	if code, said := m.run(); code != 0 {
		t.Errorf("with Go in /usr/local: exit %d, said %s", code, said)
	}
}

func TestUsage(t *testing.T) {
	if code, said := newMachine(t).run("everything"); code != 2 || !strings.HasPrefix(said, "usage:") {
		t.Errorf("exit %d, said %s", code, said)
	}
}
