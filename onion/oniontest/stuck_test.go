package oniontest_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/oniontest"
)

// A tor on its way is told of stage by stage; what stands in its way is named,
// and after half a minute at one stage what to try, once.
func TestBootstrapIsToldWithItsCauses(t *testing.T) {
	for name, test := range map[string]struct {
		phase  string
		events []string
		want   []string // in the warnings and advice, in order
	}{
		"a blocked network": {
			`NOTICE BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="Connecting to a relay"`,
			[]string{`650 STATUS_CLIENT WARN BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="Connecting to a relay" WARNING="Connection timed out" REASON=TIMEOUT COUNT=11 RECOMMENDATION=warn HOSTID="00" HOSTADDR="192.0.2.1:443"`},
			[]string{"a censor stands in between (tor says: Connection timed out)", "use bridges"},
		},
		"no network": {
			`NOTICE BOOTSTRAP PROGRESS=0 TAG=starting SUMMARY="Starting"`,
			[]string{`650 STATUS_CLIENT WARN BOOTSTRAP PROGRESS=0 TAG=starting SUMMARY="Starting" WARNING="No route to host" REASON=NOROUTE COUNT=10 RECOMMENDATION=warn`},
			[]string{"is it connected?", "check that this machine is online"},
		},
		"a wrong clock": {
			`NOTICE BOOTSTRAP PROGRESS=14 TAG=handshake SUMMARY="Handshaking with a relay"`,
			[]string{`650 STATUS_GENERAL WARN CLOCK_SKEW SKEW=-10800 SOURCE=OR:192.0.2.1:443`},
			[]string{"3 hours behind", "use bridges"},
		},
		"no directory": {
			`NOTICE BOOTSTRAP PROGRESS=30 TAG=loading_status SUMMARY="Loading networkstatus consensus"`,
			nil,
			[]string{"no directory of Tor's relays arrives"},
		},
		"no circuit": {
			`NOTICE BOOTSTRAP PROGRESS=85 TAG=ap_conn_done SUMMARY="Connected to a relay to build circuits"`,
			nil,
			[]string{"no circuit can be built"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, network *oniontest.Network) {
				var mu sync.Mutex // holds phase and told
				phase := test.phase
				tor := network.Tor(oniontest.Script{Reply: func(line string) (string, bool) {
					mu.Lock()
					defer mu.Unlock()
					return "250-status/bootstrap-phase=" + phase + "\r\n250 OK\r\n", line == "GETINFO status/bootstrap-phase"
				}})
				var told []onion.Bootstrap
				n := attach(t, tor, func(c *onion.Config) {
					c.Progress = func(b onion.Bootstrap) {
						mu.Lock()
						defer mu.Unlock()
						told = append(told, b)
					}
				})
				synctest.Wait()
				for _, event := range test.events {
					tor.Say(event + "\r\n")
				}
				pass(2 * time.Minute)
				var said []string
				mu.Lock()
				for _, b := range told {
					said = append(said, b.Warning, b.Advice)
				}
				from := 0
				for _, want := range test.want {
					i := slices.IndexFunc(said[from:], func(s string) bool { return strings.Contains(s, want) })
					if i < 0 {
						mu.Unlock()
						t.Fatalf("%q is not said in %q", want, said)
					}
					from += i
				}
				if len(told) > 4 {
					t.Errorf("said too often: %v", told)
				}
				// Events may be kept from us: tor is asked as well.
				phase = `NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"`
				mu.Unlock()
				began := time.Now()
				if err := n.Ready(t.Context()); err != nil || time.Since(began) > 6*time.Second {
					t.Errorf("ready after %v, %v", time.Since(began), err)
				}
			})
		})
	}
}

// A control port may say whatever it likes: nothing panics, hangs or reaches a
// terminal unclean.
func FuzzControlPort(f *testing.F) {
	for _, said := range []string{
		"250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n",
		"250 OK\r\n", "650 HS_DESC UPLOADED a b c\r\n", "250+x=\r\n.\r\n250 OK\r\n", "510 Command filtered\r\n",
		"250-net/listeners/socks=\"127.0.0.1:9050\" \"unix:/x\"\r\n250 OK\r\n",
		"250-AUTH METHODS=SAFECOOKIE COOKIEFILE=\"/dev/zero\"\r\n250 OK\r\n", "250 AUTHCHALLENGE SERVERHASH=00 SERVERNONCE=00\r\n",
		"250-status/bootstrap-phase=WARN BOOTSTRAP PROGRESS=5 TAG=a SUMMARY=\"\x1b\" WARNING=\"w\" REASON=TIMEOUT\r\n250 OK\r\n",
		"650 STATUS_GENERAL WARN CLOCK_SKEW SKEW=-9223372036854775808\r\n", "\r\n", "999", "250-\r\n",
	} {
		f.Add(said, said)
	}
	f.Fuzz(func(t *testing.T, first, then string) {
		bubble(t, func(t *testing.T, network *oniontest.Network) {
			tor := network.Tor(oniontest.Script{Reply: func(line string) (string, bool) {
				if strings.HasPrefix(line, "PROTOCOLINFO") && first != "" {
					return first, true
				}
				return then, then != "" && !strings.HasPrefix(line, "PROTOCOLINFO")
			}})
			n, end := attempt(t, tor, func(c *onion.Config) {
				c.Progress = func(b onion.Bootstrap) {
					if strings.ContainsAny(b.String(), "\x1b\r\n\x00") {
						t.Errorf("unclean: %q", b.String())
					}
				}
			})
			pass(time.Minute)
			tor.Say(then)
			pass(time.Minute)
			if err := end(); err != nil && (!errors.Is(err, onion.ErrTorStopped) || strings.ContainsAny(err.Error(), "\x1b\x07\x00")) {
				t.Errorf("%q", err)
			}
			_ = n.Version()
		})
	})
}
