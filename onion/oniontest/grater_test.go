package oniontest_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/oniontest"
)

// rule of a profile: what is let through, and how it is rewritten on the way.
type rule struct {
	pattern     string
	replacement string // "": as it is
	rewrites    bool
	response    []rule
}

// profile is one of docs/onion-grater, as onion-grater understands it.
type profile struct {
	commands map[string][]rule
	events   map[string][]rule
}

// match is Python's re.match(pattern + "$", text).
func (r rule) match(prefix, text string) []string {
	return regexp.MustCompile(`\A(?:` + prefix + r.pattern + `$)`).FindStringSubmatch(text)
}

// rewrite is the first rule's that matches, or the text as it was.
func rewrite(rules []rule, client, text string) string {
	for _, r := range rules {
		if groups := r.match("", text); groups != nil {
			return format(r.replacement, client, groups)
		}
	}
	return text
}

// format is Python's str.format with the groups of a match.
func format(replacement, client string, groups []string) string {
	text := strings.ReplaceAll(replacement, "{client-address}", client)
	for _, g := range groups[1:] {
		text = strings.Replace(text, "{}", g, 1)
	}
	return text
}

// grater is a Wire with onion-grater before its tor's control port. It follows
// the filter that Tails and Whonix ship in what a client meets: PROTOCOLINFO and
// AUTHENTICATE are answered by itself, what no rule allows is refused with 510.
type grater struct {
	*oniontest.Tor
	profile profile
	client  string // the address that it sees us come from
}

func (g *grater) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := g.Tor.Dial(ctx, network, address)
	if err != nil || address != oniontest.Control {
		return conn, err
	}
	ours, theirs := net.Pipe()
	if _, err := conn.Write([]byte("AUTHENTICATE\r\n")); err != nil {
		return nil, err
	}
	tor := bufio.NewReader(conn)
	if line, err := tor.ReadString('\n'); err != nil || line != "250 OK\r\n" {
		return nil, fmt.Errorf("the filter is not let in: %q, %w", line, err)
	}
	go g.serve(theirs, conn, tor)
	return ours, nil
}

// serve filters one connection until it ends. Events are passed on while it
// waits for commands, as tor sends them.
func (g *grater) serve(client, tor net.Conn, replies *bufio.Reader) {
	defer client.Close()
	defer tor.Close()
	out := make(chan string, 100)
	defer close(out)
	go func() {
		for line := range out {
			client.Write([]byte(line))
		}
	}()
	current := make(chan []rule, 1) // how the reply that is awaited is rewritten
	done := make(chan struct{}, 1)
	go func() {
		defer client.Close()
		for {
			line, err := replies.ReadString('\n')
			if err != nil {
				return
			}
			text := strings.TrimRight(line, "\r\n")
			if words := strings.Fields(text); strings.HasPrefix(text, "650") && len(words) > 1 {
				if text = rewrite(g.profile.events[words[1]], g.client, text); text != "" {
					out <- text + "\r\n"
				}
				continue
			}
			rules := <-current
			out <- rewrite(rules, g.client, text) + "\r\n"
			if len(text) < 4 || text[3] != ' ' {
				current <- rules // more of it comes
				continue
			}
			done <- struct{}{}
		}
	}()
	lines := bufio.NewScanner(client)
	for lines.Scan() {
		line := lines.Text()
		if len(line) > 10<<10 {
			return
		}
		command, args, _ := strings.Cut(strings.TrimRight(line, "\r"), " ")
		if reply := g.own(command, args); reply != "" {
			out <- reply
			continue
		}
		if command != "SETEVENTS" {
			var allowed *rule
			for _, r := range g.profile.commands[command] {
				if groups := r.match("", args); groups != nil {
					if allowed = &r; r.rewrites {
						args = format(r.replacement, g.client, groups)
					}
					break
				}
			}
			if allowed == nil {
				out <- "510 Command filtered\r\n"
				continue
			}
			current <- allowed.response
		} else {
			current <- nil
		}
		if _, err := fmt.Fprintf(tor, "%s %s\r\n", command, args); err != nil {
			return
		}
		<-done
	}
}

// own is the reply that the filter gives itself, "" if it asks tor.
func (g *grater) own(command, args string) string {
	switch command {
	case "PROTOCOLINFO":
		return "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n"
	case "AUTHENTICATE":
		return "250 OK\r\n"
	case "SETEVENTS":
		for _, event := range strings.Fields(args) {
			if _, allowed := g.profile.events[event]; !allowed {
				return "510 Command filtered\r\n"
			}
		}
	}
	return ""
}

// Through the very profiles that are shipped, publishing and being called work,
// and a service that the filter has lost is published again.
func TestThroughTheShippedProfiles(t *testing.T) {
	for file, test := range map[string]struct{ client, listen string }{
		"sotto-tails.yml":  {"127.0.0.1", ""},
		"sotto-whonix.yml": {"10.152.152.11", "10.152.152.11"},
	} {
		t.Run(file, func(t *testing.T) {
			shipped := readProfile(t, "../../docs/onion-grater/"+file)
			bubble(t, func(t *testing.T, network *oniontest.Network) {
				tor := network.Tor(oniontest.Script{Upload: time.Second})
				callee := attach(t, &grater{tor, shipped, test.client}, func(c *onion.Config) { c.Running.Listen = test.listen })
				caller := attach(t, network.Tor(oniontest.Script{}), nil)
				published := make(chan struct{}, 2)
				began := time.Now()
				l := echo(t, callee, onion.Service{Published: func() { published <- struct{}{} }})
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("published after %v: the filter kept the event back", took)
				}
				<-published
				if _, err := speak(dial(t, caller, l), "through"); err != nil {
					t.Error(err)
				}
				tor.Forget()
				<-published
				if _, err := speak(dial(t, caller, l), "again"); err != nil {
					t.Error(err)
				}
				l.Close()
				if left := tor.Published(); len(left) > 0 {
					t.Error("the address is still up")
				}
			})
		})
	}
}

// The profiles let through what sotto says, in its one order, and no more.
func TestTheShippedProfilesAreNarrow(t *testing.T) {
	key, id := strings.Repeat("A", 86)+"==", strings.Repeat("a", 56)
	client := " ClientAuthV3=" + strings.Repeat("B", 52)
	const flags, pow, port = "DiscardPK,MaxStreamsCloseCircuit", " PoWDefensesEnabled=1 PoWQueueRate=16 PoWQueueBurst=64", " Port=1876,127.0.0.1:18765"
	for command, good := range map[string]bool{
		"ADD_ONION ED25519-V3:" + key + " Flags=" + flags + " MaxStreams=1" + port:                                true,
		"ADD_ONION ED25519-V3:" + key + " Flags=" + flags + " MaxStreams=1" + pow + port:                          true,
		"ADD_ONION ED25519-V3:" + key + " Flags=" + flags + ",V3Auth MaxStreams=1" + port + client:                true,
		"ADD_ONION ED25519-V3:" + key + " Flags=" + flags + ",V3Auth MaxStreams=1" + pow + port + client + client: true,
		"ADD_ONION ED25519-V3:" + key + " Flags=" + flags + " MaxStreams=1 Port=1876,[::1]:18765":                 true,
		"DEL_ONION " + id: true,
		"ONION_CLIENT_AUTH_ADD " + id + " x25519:" + strings.Repeat("A", 43) + "=": true,
		"ONION_CLIENT_AUTH_REMOVE " + id:                                           true,
		"GETINFO status/bootstrap-phase":                                           true,
		"GETINFO onions/current":                                                   true,
		"SETEVENTS STATUS_CLIENT STATUS_GENERAL HS_DESC":                           true,

		"ADD_ONION NEW:ED25519-V3 Flags=" + flags + " MaxStreams=1" + port:                                   false,
		"ADD_ONION ED25519-V3:" + key + " Flags=" + flags + ",Detach MaxStreams=1" + port:                    false,
		"ADD_ONION ED25519-V3:" + key + " Flags=" + flags + " MaxStreams=1 Port=22,127.0.0.1:18765":          false,
		"ADD_ONION ED25519-V3:" + key + " Flags=" + flags + " MaxStreams=1 Port=1876,127.0.0.1:22":           false,
		"ADD_ONION ED25519-V3:" + key + " Flags=" + flags + " MaxStreams=1 Port=1876,127.0.0.1:187650":       false,
		"ADD_ONION ED25519-V3:" + key + " Flags=" + flags + " MaxStreams=1 Port=1876,unix:/run/x":            false,
		"ADD_ONION ED25519-V3:" + key + " Flags=" + flags + " MaxStreams=1" + port + " Port=80,127.0.0.1:80": false,
		"ADD_ONION ED25519-V3:" + key + port + " Flags=" + flags + " MaxStreams=1":                           false,
		"DEL_ONION " + id + " x":         false,
		"GETINFO address":                false,
		"GETINFO circuit-status":         false,
		"GETINFO onions/current address": false,
		"GETCONF ControlPort":            false,
		"SETCONF ControlPort=9051":       false,
		"SIGNAL SHUTDOWN":                false,
		"TAKEOWNERSHIP":                  false,
		"SETEVENTS STREAM":               false,
		"SETEVENTS HS_DESC CIRC":         false,
		"ONION_CLIENT_AUTH_ADD " + id + " x25519:A Flags=Permanent": false,
	} {
		for _, file := range []string{"sotto-tails.yml", "sotto-whonix.yml"} {
			shipped := readProfile(t, "../../docs/onion-grater/"+file)
			bubble(t, func(t *testing.T, network *oniontest.Network) {
				tor := network.Tor(oniontest.Script{Reply: func(string) (string, bool) { return "250 OK\r\n", true }})
				conn, err := (&grater{tor, shipped, "10.0.0.9"}).Dial(t.Context(), "tcp", oniontest.Control)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				fmt.Fprintf(conn, "%s\r\n", command)
				reply, err := bufio.NewReader(conn).ReadString('\n')
				if err != nil || (reply == "250 OK\r\n") != good {
					t.Errorf("%s: %.80s: %q, %v", file, command, reply, err)
				}
				synctest.Wait()
				came := tor.Commands()
				last := came[len(came)-1]
				if strings.HasPrefix(command, "ADD_ONION") && good && !strings.Contains(last, " Port=1876,10.0.0.9:18765") {
					t.Errorf("%s: tor is to bring callers elsewhere than where they were asked from: %.200s", file, last)
				}
				if len(came) > 1 != good {
					t.Errorf("%s: tor got %q", file, came)
				}
			})
		}
	}
}

// readProfile reads a profile as strictly as it is to be written: what it does
// not know fails the test.
func readProfile(t *testing.T, path string) profile {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	document, err := parseYAML(string(text))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	list, ok := document.([]any)
	if !ok || len(list) != 1 {
		t.Fatalf("%s: not a list of one filter", path)
	}
	filter := list[0].(map[string]any)
	p := profile{commands: map[string][]rule{}, events: map[string][]rule{}}
	for key, value := range filter {
		switch key {
		case "commands":
			for name, rules := range value.(map[string]any) {
				p.commands[name] = readRules(t, rules)
			}
		case "events":
			for name, options := range value.(map[string]any) {
				p.events[name] = nil
				if m, ok := options.(map[string]any); ok {
					p.events[name] = readRules(t, m["response"])
				}
			}
		case "exe-paths", "apparmor-profiles", "users", "hosts":
		default:
			t.Fatalf("%s: unknown key %q", path, key)
		}
	}
	return p
}

func readRules(t *testing.T, value any) (rules []rule) {
	t.Helper()
	for _, item := range value.([]any) {
		switch v := item.(type) {
		case string:
			rules = append(rules, rule{pattern: v})
		case map[string]any:
			r := rule{pattern: v["pattern"].(string)}
			r.replacement, r.rewrites = v["replacement"].(string)
			if v["response"] != nil {
				r.response = readRules(t, v["response"])
			}
			rules = append(rules, r)
		}
	}
	return rules
}
