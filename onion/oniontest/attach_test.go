package oniontest_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/oniontest"
)

// refusing answers the commands that begin so with a refusal.
func refusing(refusal string, commands ...string) func(string) (string, bool) {
	return func(line string) (string, bool) {
		for _, c := range commands {
			if strings.HasPrefix(line, c) {
				return refusal + "\r\n", true
			}
		}
		return "", false
	}
}

func cookieFile(t *testing.T, cookie []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cookie")
	if err := os.WriteFile(path, cookie, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What is offered decides how a tor is authenticated to, and what cannot be
// done says what is missing. No secret is said or logged.
func TestAuthentication(t *testing.T) {
	cookie := bytes.Repeat([]byte("C"), 32)
	right := cookieFile(t, cookie)
	wrong := cookieFile(t, bytes.Repeat([]byte("W"), 32))
	short := cookieFile(t, []byte("short"))
	for name, test := range map[string]struct {
		script   oniontest.Script
		password string
		cookie   string // TOR_CONTROL_COOKIE_AUTH_FILE
		want     string // of the error; "": none
	}{
		"none":                {script: oniontest.Script{}},
		"safe cookie":         {script: oniontest.Script{Auth: []string{"COOKIE", "SAFECOOKIE", "HASHEDPASSWORD"}, Cookie: cookie, CookieFile: right}},
		"cookie by name":      {script: oniontest.Script{Auth: []string{"SAFECOOKIE"}, Cookie: cookie, CookieFile: "/not/there"}, cookie: right},
		"password":            {script: oniontest.Script{Auth: []string{"HASHEDPASSWORD"}, Password: "open sesame"}, password: "open sesame"},
		"quoted password":     {script: oniontest.Script{Auth: []string{"HASHEDPASSWORD"}, Password: `o"s`}, password: `"o\"s"`},
		"password, no cookie": {script: oniontest.Script{Auth: []string{"SAFECOOKIE", "HASHEDPASSWORD"}, CookieFile: "/not/there", Password: "p"}, password: "p"},

		"no password":        {script: oniontest.Script{Auth: []string{"HASHEDPASSWORD"}, Password: "p"}, want: "set TOR_CONTROL_PASSWD"},
		"wrong password":     {script: oniontest.Script{Auth: []string{"HASHEDPASSWORD"}, Password: "p"}, password: "mistaken", want: "Authentication failed"},
		"no cookie":          {script: oniontest.Script{Auth: []string{"SAFECOOKIE"}, CookieFile: "/not/there"}, want: "group debian-tor"},
		"another's cookie":   {script: oniontest.Script{Auth: []string{"SAFECOOKIE"}, Cookie: cookie, CookieFile: wrong}, want: "does not know tor's cookie"},
		"no cookie at all":   {script: oniontest.Script{Auth: []string{"SAFECOOKIE"}, CookieFile: short}, want: "is no cookie"},
		"an endless cookie":  {script: oniontest.Script{Auth: []string{"SAFECOOKIE"}, CookieFile: "/dev/zero"}, want: "is no cookie"},
		"a cookie by a port": {script: oniontest.Script{Auth: []string{"COOKIE"}, Cookie: cookie, CookieFile: right}, want: "no way to authenticate"},
		"nothing known":      {script: oniontest.Script{Auth: []string{"SCRYPT"}}, want: "no way to authenticate"},
		"too old":            {script: oniontest.Script{Version: "0.4.6.9"}, want: "too old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TOR_CONTROL_PASSWD", test.password)
			t.Setenv("TOR_CONTROL_COOKIE_AUTH_FILE", test.cookie)
			bubble(t, func(t *testing.T, network *oniontest.Network) {
				var log bytes.Buffer
				tor := network.Tor(test.script)
				n, end := attempt(t, tor, func(c *onion.Config) {
					c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				})
				err := n.Ready(t.Context())
				end()
				if test.want == "" && err != nil || test.want != "" && (!errors.Is(err, onion.ErrTorStopped) || !errors.Is(err, onion.ErrNoRunning) || !strings.Contains(err.Error(), test.want)) {
					t.Errorf("%v, want %q", err, test.want)
				}
				said := log.String()
				if err != nil {
					said += err.Error()
				}
				if test.password != "" && len(test.password) > 1 && strings.Contains(said, test.password) || strings.Contains(said, string(cookie)) {
					t.Error("a secret was told")
				}
				if test.want == "no way to authenticate" && slices.ContainsFunc(tor.Commands(), func(c string) bool { return strings.HasPrefix(c, "AUTHENTICATE") }) {
					t.Error("a cookie was shown to a port")
				}
			})
		})
	}
}

// A tor that is not ours is told nothing but what a filter may be made for, in
// one order, and never to change or to stop.
func TestARunningTorIsToldNothingElse(t *testing.T) {
	bubble(t, func(t *testing.T, network *oniontest.Network) {
		tor := network.Tor(oniontest.Script{})
		n := attach(t, tor, nil)
		l := echo(t, n, onion.Service{})
		l.Close()
		pass(time.Minute)
		add := regexp.MustCompile(`^ADD_ONION ED25519-V3:[A-Za-z0-9+/]{86}== Flags=DiscardPK,MaxStreamsCloseCircuit MaxStreams=1( PoWDefensesEnabled=1 PoWQueueRate=\d+ PoWQueueBurst=\d+)? Port=1876,127\.0\.0\.1:1876[0-9]$`)
		added := 0
		for _, command := range tor.Commands() {
			name, _, _ := strings.Cut(command, " ")
			if add.MatchString(command) {
				added++
			} else if !slices.Contains([]string{
				"PROTOCOLINFO", "AUTHENTICATE", "GETINFO net/listeners/socks", "SETEVENTS STATUS_CLIENT STATUS_GENERAL HS_DESC",
				"GETINFO status/bootstrap-phase", "GETINFO onions/current",
			}, command) && name != "DEL_ONION" {
				t.Errorf("tor was told %.60s", command)
			}
		}
		if added != 1 {
			t.Errorf("%d ADD_ONION of the fixed shape", added)
		}
	})
}

// Where a filter refuses all but publishing, calls go on: the address counts as
// published once it can be called.
func TestRefusedCommandsAndMissingEvents(t *testing.T) {
	for name, script := range map[string]oniontest.Script{
		"all is refused with 510":   {Reply: refusing("510 Command filtered", "GETINFO", "SETEVENTS"), Upload: 2 * time.Second},
		"all is refused with 551":   {Reply: refusing("551 no", "GETINFO", "SETEVENTS"), Upload: 2 * time.Second},
		"some events are":           {Reply: refusing("510 Command filtered", "SETEVENTS STATUS_CLIENT STATUS_GENERAL"), Upload: 2 * time.Second},
		"events are and never come": {NoDescriptorEvents: true, Upload: 2 * time.Second},
		"an old tor":                {Version: "0.4.7.16", Reply: func(c string) (string, bool) { return "512 Unrecognized argument\r\n", strings.Contains(c, "PoW") }, Upload: 2 * time.Second},
		"a slow one":                {Answer: 2 * time.Second, Upload: 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, network *oniontest.Network) {
				callee := attach(t, network.Tor(script), nil)
				caller := attach(t, network.Tor(oniontest.Script{}), nil)
				published := 0
				began := time.Now()
				l := echo(t, callee, onion.Service{Published: func() { published++ }})
				if took := time.Since(began); took < 2*time.Second || took > 30*time.Second {
					t.Errorf("published after %v", took)
				}
				if _, err := speak(dial(t, caller, l), "here"); err != nil {
					t.Error(err)
				}
				if want := script.Version == "0.4.7.16"; callee.Warning() != "" != want {
					t.Errorf("version %s: warning %q", callee.Version(), callee.Warning())
				}
				pass(time.Minute)
				if published != 1 {
					t.Errorf("published %d times", published)
				}
			})
		})
	}
}

// Whatever happens to a running tor, the service is published again on the same
// listener once it is back.
func TestPublishedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(*oniontest.Tor)
		least time.Duration // until it is published again
		most  time.Duration
	}{
		"control connection cut": {func(tor *oniontest.Tor) { tor.Cut() }, 0, 200 * time.Millisecond},
		"tor restarted at once":  {func(tor *oniontest.Tor) { tor.Kill(); tor.Start() }, 0, 200 * time.Millisecond},
		"tor gone for an hour":   {func(tor *oniontest.Tor) { tor.Kill(); pass(time.Hour); tor.Start() }, time.Hour, time.Hour + 20*time.Second},
		"tor hangs":              {func(tor *oniontest.Tor) { tor.Hang(true); pass(30 * time.Second); tor.Hang(false) }, 30 * time.Second, time.Minute},
		"the filter lost it":     {func(tor *oniontest.Tor) { tor.Forget() }, 0, 6 * time.Second},
		"garbage":                {func(tor *oniontest.Tor) { tor.Say(strings.Repeat("what?\r\n", 101)) }, 0, 200 * time.Millisecond},
		"an answer unasked":      {func(tor *oniontest.Tor) { tor.Say("250 OK\r\n") }, 0, 200 * time.Millisecond},
		"a line without end":     {func(tor *oniontest.Tor) { tor.Say("650 " + strings.Repeat("x", 2<<20)) }, 0, 200 * time.Millisecond},
		"data without end":       {func(tor *oniontest.Tor) { tor.Say("650+x\r\n" + strings.Repeat("x\r\n", 1<<20)) }, 0, 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, network *oniontest.Network) {
				tor := network.Tor(oniontest.Script{})
				published := make(chan struct{}, 8)
				l := echo(t, attach(t, tor, nil), onion.Service{Published: func() { published <- struct{}{} }})
				caller := attach(t, network.Tor(oniontest.Script{}), nil)
				<-published
				pass(time.Second)
				began := time.Now()
				test.fault(tor)
				<-published
				if took := time.Since(began); took < test.least || took > test.most {
					t.Errorf("published again after %v", took)
				}
				if _, err := speak(dial(t, caller, l), "back"); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A tor that is there and hangs is noticed and given up within 15 s, and told so.
func TestAHungTorIsNoticed(t *testing.T) {
	bubble(t, func(t *testing.T, network *oniontest.Network) {
		tor := network.Tor(oniontest.Script{})
		lost := make(chan onion.Bootstrap, 8)
		n := attach(t, tor, func(c *onion.Config) {
			c.Progress = func(b onion.Bootstrap) {
				if b.Tag == "lost" {
					lost <- b
				}
			}
		})
		if err := n.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		tor.Hang(true)
		b := <-lost
		if took := time.Since(began); took > 15*time.Second || !strings.Contains(b.Warning, "hangs") {
			t.Errorf("after %v: %v", took, b)
		}
	})
}

// Odd words of a control port are no news, hurt nothing and reach no screen as
// they are.
func TestOddControlPorts(t *testing.T) {
	bubble(t, func(t *testing.T, network *oniontest.Network) {
		tor := network.Tor(oniontest.Script{})
		n := attach(t, tor, nil)
		l := echo(t, n, onion.Service{})
		for _, said := range []string{
			"650 ", "650 HS_DESC", "650 HS_DESC UPLOADED", "650 HS_DESC UPLOADED x UNKNOWN y", "650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=-1",
			"650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=3 TAG=late SUMMARY=\"a\"", "650 STATUS_GENERAL WARN CLOCK_SKEW SKEW=abc", "650-x\r\n650 y", "650 XXXredactedXXX",
			"XXXredactedXXX", "what?", "", "65", "abc def",
		} {
			tor.Say(said + "\r\n")
		}
		synctest.Wait()
		if _, err := speak(dial(t, n, l), "fine"); err != nil {
			t.Error(err)
		}
		if said := tor.Commands(); slices.Index(said[1:], said[0]) >= 0 {
			t.Error("the control connection was given up")
		}
	})
	for name, script := range map[string]oniontest.Script{
		"escapes":   {Reply: refusing("515 \x1b]0;owned\x07", "AUTHENTICATE")},
		"no number": {Reply: refusing("\x1b[2Jhello", "PROTOCOLINFO")},
		"HTTP":      {Reply: refusing("HTTP/1.1 400 Bad Request", "PROTOCOLINFO")},
		"silence":   {Reply: func(string) (string, bool) { return "", true }},
		"too much":  {Reply: refusing("250-"+strings.Repeat("x", 2<<20), "PROTOCOLINFO")},
		"no hash":   {Auth: []string{"SAFECOOKIE"}, CookieFile: cookieFile(t, make([]byte, 32)), Reply: refusing("250 AUTHCHALLENGE SERVERHASH=zz", "AUTHCHALLENGE")},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, network *oniontest.Network) {
				n, end := attempt(t, network.Tor(script), nil)
				began := time.Now()
				err := n.Ready(t.Context())
				end()
				if !errors.Is(err, onion.ErrNoRunning) || strings.ContainsAny(err.Error(), "\x1b\x07") || len(err.Error()) > 1000 {
					t.Errorf("%.300q", err)
				}
				if took := time.Since(began); took > 11*time.Second {
					t.Errorf("after %v", took)
				}
			})
		})
	}
}
