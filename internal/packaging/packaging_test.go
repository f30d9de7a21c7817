// Package packaging has what make install and make deb need besides the program:
// a unit for a person's systemd, an AppArmor profile, a desktop entry, what a
// Debian package says of itself, and two scripts. Its test makes and unpacks
// the real thing.
package packaging

import (
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// run runs a command and gives all it prints.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// read is a file that must be there, and not be empty.
func read(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil || len(b) == 0 {
		t.Fatalf("%v: %d bytes, %v", path, len(b), err)
	}
	return string(b)
}

// made makes a target with everything in a folder of the test's own. It is
// built without -trimpath, as the tests are, because all of Go would else be
// compiled again.
func made(t *testing.T, target string, more ...string) string {
	return run(t, "make", append([]string{
		"-s", "-C", "../..", target, "BIN=" + bin, "BUILD_FLAGS=-buildvcs=false",
		"RELEASE=v1.2.0-3-gabc", "COMMIT=0123456789ab", "SOURCE_DATE_EPOCH=1700000000",
	}, more...)...)
}

// bin is where all tests build.
var bin string

func TestMain(m *testing.M) {
	var err error
	if bin, err = os.MkdirTemp("", "sotto-packaging-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(bin)
	os.Exit(code)
}

// build builds the program, unless it is there.
func build(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(bin + "/sotto"); err != nil {
		made(t, "build")
	}
}

// valid lets a checker look at a file, where the machine has it: setup.sh test
// installs them on Debian. Any word of it is a fault.
func valid(t *testing.T, name string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Logf("not checked: there is no %s here", name)
		return
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	// What the parser says of a kernel without AppArmor is none of the profile.
	said := ""
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "Cache read/write disabled") && !strings.HasPrefix(line, "Warning from stdin") && !strings.Contains(line, "parser.conf") {
			said += line
		}
	}
	if err != nil || said != "" {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
}

func TestInstall(t *testing.T) {
	build(t)
	dest := t.TempDir()
	early := exec.Command("make", "-s", "-C", "../..", "install", "BIN="+t.TempDir(), "DESTDIR="+dest)
	if out, err := early.CombinedOutput(); err == nil || !strings.Contains(string(out), "run make first") {
		t.Errorf("installed before it was built: %v\n%s", err, out)
	}
	made(t, "install", "DESTDIR="+dest, "PREFIX=/opt/voice")
	if got := run(t, dest+"/opt/voice/bin/sotto", "version"); !strings.HasPrefix(got, "sotto v1.2.0-3-gabc (commit 0123456789ab, go") {
		t.Errorf("version: %s", got)
	}
	share := dest + "/opt/voice/share"
	for path, want := range map[string]string{
		"/opt/voice/lib/systemd/user/sotto.service":             "\nExecStart=/opt/voice/bin/sotto up\n",
		"/opt/voice/share/applications/sotto.desktop":           "\nExec=/opt/voice/bin/sotto\n",
		"/etc/apparmor.d/usr.bin.sotto":                         "profile sotto /opt/voice/bin/sotto ",
		"/opt/voice/share/doc/sotto/LICENSE":                    "the sotto authors",
		"/opt/voice/share/man/man1/sotto-contacts-verify.1":     ".TH \"SOTTO\\-CONTACTS\\-VERIFY\" 1 \"\" \"sotto v1.2.0",
		"/opt/voice/share/fish/vendor_completions.d/sotto.fish": "complete -c sotto",
		"/opt/voice/share/zsh/site-functions/_sotto":            "#compdef sotto",
		"/opt/voice/share/bash-completion/completions/sotto":    "complete ",
	} {
		text := read(t, dest, path)
		if !strings.Contains(text, want) || strings.Contains(text, "@BIN@") {
			t.Errorf("%s does not say %q, or has not been told where the program is", path, want)
		}
		if info, err := os.Stat(filepath.Join(dest, path)); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if got := run(t, "bash", "-c", `. "$0" && complete -p sotto`, share+"/bash-completion/completions/sotto"); !strings.Contains(got, "__start_sotto") {
		t.Errorf("bash completes by %q", got)
	}
	valid(t, "desktop-file-validate", share+"/applications/sotto.desktop")
	valid(t, "apparmor_parser", "-Q", "-K", dest+"/etc/apparmor.d/usr.bin.sotto")
	// It looks whether the program is there.
	unit := filepath.Join(t.TempDir(), "sotto.service")
	text := strings.ReplaceAll(read(t, dest, "opt/voice/lib/systemd/user/sotto.service"), "/opt/voice", dest+"/opt/voice")
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	valid(t, "systemd-analyze", "verify", "--user", "--man=no", unit)
	if plan := run(t, "make", "-n", "-C", "../..", "build"); !strings.Contains(plan, " -trimpath ") {
		t.Errorf("make build keeps the paths of the machine it runs on:\n%s", plan)
	}
}

func TestDebianPackage(t *testing.T) {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Log("not made: this is no Debian")
		return
	}
	build(t)
	root := t.TempDir()
	made(t, "deb", "-o", "build")
	debs, err := filepath.Glob(bin + "/*.deb")
	if err != nil || len(debs) != 1 || !strings.HasPrefix(filepath.Base(debs[0]), "sotto_1.2.0+3.gabc_") {
		t.Fatalf("%v, %v", debs, err)
	}
	deb := debs[0]
	control := run(t, "dpkg-deb", "--info", deb, "control")
	for _, want := range []string{"Package: sotto\n", "Version: 1.2.0+3.gabc\n", "libc6", "libopus0", "libportaudio2", "libspeexdsp1", ", tor (>= 0.4.9.11)\n"} {
		if !strings.Contains(control, want) {
			t.Errorf("the package does not say %q", want)
		}
	}
	if strings.Contains(control, "@") && strings.Count(control, "@") != 1 { // the maintainer's
		t.Errorf("something was not filled in:\n%s", control)
	}
	if got := run(t, "dpkg-deb", "--info", deb, "conffiles"); got != "/etc/apparmor.d/usr.bin.sotto\n" {
		t.Errorf("conffiles: %q", got)
	}
	contents := run(t, "dpkg-deb", "--contents", deb)
	for line := range strings.Lines(contents) {
		f := strings.Fields(line)
		want := map[bool]string{true: "drwxr-xr-x", false: "-rw-r--r--"}[strings.HasSuffix(f[5], "/")]
		if f[5] == "./usr/bin/sotto" {
			want = "-rwxr-xr-x"
		}
		if f[0] != want || f[1] != "root/root" || f[3] > "2023-11-14" {
			t.Errorf("%s", line)
		}
	}
	for _, want := range []string{
		"usr/bin/sotto", "usr/share/man/man1/sotto.1.gz", "usr/share/man/man1/sotto-config-set.1.gz", "usr/share/doc/sotto/copyright",
		"usr/share/doc/sotto/changelog.gz", "usr/lib/systemd/user/sotto.service", "usr/share/zsh/vendor-completions/_sotto",
	} {
		if !strings.Contains(contents, " ./"+want+"\n") {
			t.Errorf("%s is not in it", want)
		}
	}
	run(t, "dpkg-deb", "-x", deb, root)
	if got := run(t, root+"/usr/bin/sotto", "version"); !strings.Contains(got, "0123456789ab") {
		t.Errorf("version: %s", got)
	}
	sums := filepath.Join(root, "sums")
	if err := os.WriteFile(sums, []byte(run(t, "dpkg-deb", "--info", deb, "md5sums")), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "sh", "-c", `cd "$0" && md5sum --quiet -c sums`, root)
	run(t, "sh", "-n", "postinst")

	first := sha256.Sum256([]byte(read(t, deb)))
	made(t, "deb", "-o", "build")
	if sha256.Sum256([]byte(read(t, deb))) != first {
		t.Error("the same sources give another package")
	}
}
