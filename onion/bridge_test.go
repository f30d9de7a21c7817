package onion

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	bridgeFP  = "CDF2E852BF539B82BD10E27E9115A31734E378C2"
	obfs4Line = "obfs4 192.0.2.3:443 " + bridgeFP + " cert=qUVQ0srL1JI/vO6V6m/24anYXiJD3QP2HgzUKQtQ7GRqqUvs7P+tG43RtAqdhLOALP7DJQ iat-mode=1"
)

func TestParseBridge(t *testing.T) {
	for line, want := range map[string]string{
		obfs4Line:                      obfs4Line,
		"Bridge " + obfs4Line:          obfs4Line,
		" bridge\t" + obfs4Line + "  ": obfs4Line,
		"192.0.2.1:9001":               "192.0.2.1:9001",
		"[2001:db8::1]:443 " + strings.ToLower(bridgeFP):                                       "[2001:db8::1]:443 " + bridgeFP,
		"webtunnel [2001:db8::1]:443 " + bridgeFP + " url=https://example.org/x?y=z ver=0.0.1": "webtunnel [2001:db8::1]:443 " + bridgeFP + " url=https://example.org/x?y=z ver=0.0.1",
		"snowflake 192.0.2.3:80 " + bridgeFP + " fingerprint=" + bridgeFP + " url=https://a.example/ fronts=b.example,c.example ice=stun:d.example:3478 utls-imitate=hellorandomizedalpn": "",
		"meek_lite 192.0.2.20:80 url=https://a.example front=b.example utls=HelloRandomizedALPN":                                                                                          "",
	} {
		if want == "" {
			want = line
		}
		b, err := ParseBridge(line)
		if err != nil || b.Line() != want {
			t.Errorf("%q: %q, %v", line, b.Line(), err)
		}
		if strings.Contains(b.String(), "192") || strings.Contains(b.String(), ":") {
			t.Errorf("printed: %s", b)
		}
	}
}

// Whatever is no bridge line is refused; above all what would be another line
// of torrc, or would cut this one short. Nothing of it is repeated.
func TestParseBridgeRefuses(t *testing.T) {
	for _, line := range []string{
		"", "Bridge", "obfs4", "Bridge Bridge 192.0.2.1:1", "example.org:443", "192.0.2.1", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:x", "2001:db8::1:443",
		"[fe80::1%eth0]:443", "[fe80::1%eth0\nControlPort]:443", "192.0.2.1:443 " + bridgeFP[:39], "192.0.2.1:443 " + bridgeFP + "0", "192.0.2.1:443 " + bridgeFP + " " + bridgeFP,
		"192.0.2.1:443 " + bridgeFP + " cert=x", "obfs4 192.0.2.3:443 " + bridgeFP, "obfs4 192.0.2.3:443 " + bridgeFP + " iat-mode=1", "obfs5 192.0.2.3:443 cert=x",
		"obfs4 192.0.2.3:443 cert=x =y", "obfs4 192.0.2.3:443 cert=x y", "exec 192.0.2.3:443", "obfs4,snowflake 192.0.2.3:443 cert=x", "-obfs4 192.0.2.3:443 cert=x",
		obfs4Line + "\nControlPort 9051", obfs4Line + "\r", obfs4Line + "\x00", obfs4Line + " x=y\\", obfs4Line + " x=#y", obfs4Line + ` x="y"`, obfs4Line + " x=\u00a0y", obfs4Line + "\x7f",
		obfs4Line + " x=" + strings.Repeat("y", maxBridgeLine), obfs4Line + strings.Repeat(" x=y", maxBridgeArgs),
	} {
		b, err := ParseBridge(line)
		if !errors.Is(err, ErrBridge) {
			t.Errorf("%q: %v, %v", line, b, err)
		} else if strings.Contains(err.Error(), "192.0.2.3") || strings.Contains(err.Error(), bridgeFP) {
			t.Errorf("the error repeats the line: %v", err)
		}
	}
}

func TestParseBridges(t *testing.T) {
	text := "# from a friend\r\n\n" + obfs4Line + "\r\n192.0.2.1:9001\n\tBridge " + obfs4Line + "\n192.0.2.2:9001"
	bridges, err := ParseBridges([]byte(text))
	if err != nil || len(bridges) != 3 || bridges[0].Line() != obfs4Line || bridges[2].Line() != "192.0.2.2:9001" {
		t.Errorf("%v, %v", bridges, err)
	}
	if _, err := ParseBridges([]byte(obfs4Line + "\n\nControlPort 9051\n")); !errors.Is(err, ErrBridge) || !strings.Contains(err.Error(), "line 3") {
		t.Error(err)
	}
	var many strings.Builder
	for i := range maxBridges {
		fmt.Fprintf(&many, "192.0.2.1:%d\n", i+1)
	}
	if bridges, err := ParseBridges([]byte(many.String())); err != nil || len(bridges) != maxBridges {
		t.Error(err)
	}
	many.WriteString("192.0.2.1:1000\n")
	if _, err := ParseBridges([]byte(many.String())); !errors.Is(err, ErrBridge) {
		t.Error(err)
	}
}

func TestBridgeOptions(t *testing.T) {
	parse := func(lines ...string) []Bridge {
		bridges, err := ParseBridges([]byte(strings.Join(lines, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		return bridges
	}
	have := func(programs ...string) func(string) string {
		return func(program string) string {
			if slices.Contains(programs, program) {
				return "/usr/bin/" + program
			}
			return ""
		}
	}
	const meek = "meek_lite 192.0.2.20:80 url=https://a.example"
	for _, test := range []struct {
		bridges []Bridge
		find    func(string) string
		want    []string
		managed bool
	}{
		{nil, have(), nil, false},
		{parse("192.0.2.1:9001"), have(), []string{"UseBridges 1", "Bridge 192.0.2.1:9001"}, false},
		{
			parse(obfs4Line, obfs4Line+" x=y", meek), have("obfs4proxy"),
			[]string{"UseBridges 1", "Bridge " + obfs4Line, "ClientTransportPlugin obfs4 exec /usr/bin/obfs4proxy", "Bridge " + obfs4Line + " x=y", "Bridge " + meek, "ClientTransportPlugin meek_lite exec /usr/bin/obfs4proxy"},
			true,
		},
		{parse(obfs4Line), have("obfs4proxy", "lyrebird"), []string{"UseBridges 1", "Bridge " + obfs4Line, "ClientTransportPlugin obfs4 exec /usr/bin/lyrebird"}, true},
	} {
		lines, managed, err := bridgeOptions(test.bridges, test.find)
		if err != nil || managed != test.managed || !slices.Equal(lines, test.want) {
			t.Errorf("%q, %v, %v; want %q", lines, managed, err, test.want)
		}
	}
	for line, install := range map[string]string{
		obfs4Line: "apt install obfs4proxy", "snowflake 192.0.2.3:80 url=https://a.example": "apt install snowflake-client", "webtunnel 192.0.2.3:80 url=https://a.example": "webtunnel-client",
	} {
		if _, _, err := bridgeOptions(parse("192.0.2.1:9001", line), have("tor")); !errors.Is(err, ErrTransport) || !strings.Contains(err.Error(), install) {
			t.Errorf("%.10s: %v", line, err)
		}
	}
}

// A transport's program that somebody else could have put there is not used.
func TestTransportsAreOurOwnOrRoots(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	folder := filepath.Join(home, "tor-browser/Browser/TorBrowser/Tor/PluggableTransports")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "sotto-transport")
	for mode, want := range map[os.FileMode]string{0o755: path, 0o757: "", 0o644: ""} {
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if got := findTransport("sotto-transport"); got != want {
			t.Errorf("mode %v: %q, want %q", mode, got, want)
		}
	}
}

// A bridge that was read is one line of torrc that reads as the same bridge.
func FuzzParseBridge(f *testing.F) {
	f.Add(obfs4Line)
	f.Add("Bridge [2001:db8::1]:443 " + bridgeFP)
	f.Add("snowflake 192.0.2.3:80 " + bridgeFP + " fingerprint=" + bridgeFP + " url=https://a.example/ ice=stun:b.example:3478")
	f.Add("192.0.2.1:443 \"#\\")
	f.Fuzz(func(t *testing.T, line string) {
		b, err := ParseBridge(line)
		if err != nil {
			if !errors.Is(err, ErrBridge) {
				t.Fatal(err)
			}
			return
		}
		text := b.Line()
		if strings.ContainsAny(text, "\r\n\t\x00\"#\\") || len(text) > maxBridgeLine+64 {
			t.Fatalf("%q", text)
		}
		again, err := ParseBridge(text)
		if err != nil || again.Line() != text {
			t.Fatalf("%q was read as %q, %v", text, again.Line(), err)
		}
	})
}
