package oniontest_test

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/oniontest"
)

// asked notes where a Node wants to connect to, and lets it to one place.
type asked struct {
	*oniontest.Tor
	at string // "": to none

	mu     sync.Mutex
	places []string
}

func (a *asked) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.places = append(a.places, network+" "+address)
	switch address {
	case a.at:
		return a.Tor.Dial(ctx, "tcp", oniontest.Control)
	case oniontest.Socks:
		return a.Tor.Dial(ctx, "tcp", oniontest.Socks)
	}
	return nil, os.ErrNotExist
}

func TestUsualPlacesInTheirOrder(t *testing.T) {
	t.Setenv("TOR_CONTROL_IPC_PATH", "/tmp/ipc")
	t.Setenv("TOR_CONTROL_HOST", "127.0.0.2")
	t.Setenv("TOR_CONTROL_PORT", "4711")
	usual := []string{"unix /tmp/ipc", "tcp 127.0.0.2:4711", "unix /run/tor/control", "tcp 127.0.0.1:9051", "tcp 127.0.0.1:9151", "tcp 127.0.0.1:951"}
	for i, place := range usual {
		_, at, _ := strings.Cut(place, " ")
		bubble(t, func(t *testing.T, network *oniontest.Network) {
			wire := &asked{Tor: network.Tor(oniontest.Script{}), at: at}
			n := attach(t, wire, func(c *onion.Config) { c.Running.Control = onion.Auto })
			if err := n.Ready(t.Context()); err != nil || !slices.Equal(wire.places, usual[:i+1]) {
				t.Errorf("%v, looked at %q", err, wire.places)
			}
		})
	}
	bubble(t, func(t *testing.T, network *oniontest.Network) {
		n, end := attempt(t, &asked{Tor: network.Tor(oniontest.Script{})}, func(c *onion.Config) { c.Running.Control = onion.Auto })
		err := n.Ready(t.Context())
		end()
		for _, place := range usual {
			_, at, _ := strings.Cut(place, " ")
			if !errors.Is(err, onion.ErrNoRunning) || !strings.Contains(err.Error(), at) {
				t.Errorf("%v does not tell of %s", err, at)
			}
		}
	})
}

func TestWhereAControlPortCanBe(t *testing.T) {
	for control, good := range map[string]bool{
		"/run/tor/control": true, "unix:/run/tor/control": true, "9051": true, "127.0.0.1:9051": true, "localhost:9051": true,
		"[::1]:9051": true, "10.152.152.10:9051": true, "192.168.1.1:9051": true, "[fd00::1]:9051": true,
		"run/tor/control": false, "unix:control": false, "0": false, "65536": false, "127.0.0.1": false, "127.0.0.1:0": false,
		"example.com:9051": false, "93.184.216.34:9051": false, "[2606:2800::1]:9051": false, "0.0.0.0:9051": false, "a\nb": false,
	} {
		_, err := onion.New(onion.Config{Dir: t.TempDir(), Running: onion.Running{Control: control}})
		if (err == nil) != good || !good && !errors.Is(err, onion.ErrNoRunning) {
			t.Errorf("%q: %v", control, err)
		}
	}
	for _, r := range []onion.Running{{Control: "9051", Listen: "eth0"}, {Control: "9051", Target: "10.0.0.1:5"}} {
		if _, err := onion.New(onion.Config{Dir: t.TempDir(), Running: r}); !errors.Is(err, onion.ErrNoRunning) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// Callers come in where it was said, on one of ten ports.
func TestListenAddress(t *testing.T) {
	for _, test := range []struct{ listen, target, want string }{
		{"", "", "127.0.0.1:18760"},
		{"10.152.152.11", "", "10.152.152.11:18760"},
		{"::1", "", "[::1]:18760"},
		{"0.0.0.0", "", "127.0.0.1:18760"},
		{"0.0.0.0", "10.152.152.11", "10.152.152.11:18760"},
	} {
		bubble(t, func(t *testing.T, network *oniontest.Network) {
			tor := network.Tor(oniontest.Script{})
			n := attach(t, tor, func(c *onion.Config) { c.Running.Listen, c.Running.Target = test.listen, test.target })
			echo(t, n, onion.Service{})
			if !slices.ContainsFunc(tor.Commands(), func(c string) bool { return strings.HasSuffix(c, " Port=1876,"+test.want) }) {
				t.Errorf("%+v: not asked for", test)
			}
		})
	}
	bubble(t, func(t *testing.T, network *oniontest.Network) {
		n := attach(t, network.Tor(oniontest.Script{}), nil)
		for range 10 {
			echo(t, n, onion.Service{})
		}
		if _, err := n.Listen(t.Context(), newKey(t), onion.Service{}); err == nil || !strings.Contains(err.Error(), "18760") {
			t.Errorf("an eleventh: %v", err)
		}
	})
}

// Where tor says its SOCKS socket is, it is believed if that can be; else the
// environment is, and else it is beside the control port.
func TestSocksIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		control, listeners, host, port, want string
	}{
		"told":                   {"127.0.0.1:9051", `"127.0.0.1:7777"`, "", "", "127.0.0.1:7777"},
		"several":                {"127.0.0.1:9051", `"unix:/not/there" "127.0.0.1:7777"`, "", "", "127.0.0.1:7777"},
		"everywhere":             {"10.0.0.1:9051", `"0.0.0.0:7777"`, "", "", "10.0.0.1:7777"},
		"another's loopback":     {"10.0.0.1:9051", `"127.0.0.1:7777"`, "", "", "10.0.0.1:9050"},
		"a stranger":             {"127.0.0.1:9051", `"93.184.216.34:9050"`, "", "", "127.0.0.1:9050"},
		"none":                   {"127.0.0.1:9051", ``, "", "", "127.0.0.1:9050"},
		"Tor Browser, filtered":  {"127.0.0.1:9151", "", "", "", "127.0.0.1:9150"},
		"Whonix, filtered":       {"10.152.152.10:9051", "", "", "", "10.152.152.10:9050"},
		"environment":            {"127.0.0.1:9051", "", "127.0.0.3", "4712", "127.0.0.3:4712"},
		"environment, port only": {"127.0.0.1:9051", "", "", "4712", "127.0.0.1:4712"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TOR_SOCKS_HOST", test.host)
			t.Setenv("TOR_SOCKS_PORT", test.port)
			bubble(t, func(t *testing.T, network *oniontest.Network) {
				wire := &asked{at: test.control, Tor: network.Tor(oniontest.Script{Reply: func(line string) (string, bool) {
					reply := "250-net/listeners/socks=" + test.listeners + "\r\n250 OK\r\n"
					if test.listeners == "" {
						reply = "510 Command filtered\r\n"
					}
					return reply, line == "GETINFO net/listeners/socks"
				}})}
				n := attach(t, wire, func(c *onion.Config) { c.Running.Control = test.control })
				if err := n.Ready(t.Context()); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				n.Dial(ctx, newKey(t).Address(), onion.NewIsolation())
				wire.mu.Lock()
				defer wire.mu.Unlock()
				if got := wire.places[len(wire.places)-1]; got != "tcp "+test.want {
					t.Errorf("SOCKS was looked for at %s, want %s", got, test.want)
				}
			})
		})
	}
}
