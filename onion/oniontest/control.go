package oniontest

import (
	"bufio"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
)

// session is one control connection.
type session struct {
	tor  *Tor
	conn net.Conn
	out  chan string
	over chan struct{}
	once sync.Once

	proof []byte // that SAFECOOKIE's client has to give; nil: no challenge yet
	in    bool   // authenticated

	mu     sync.Mutex
	events []string
}

func newSession(t *Tor, conn net.Conn) *session {
	return &session{tor: t, conn: conn, out: make(chan string, 1024), over: make(chan struct{})}
}

// hangUp, said, ends the connection after what was said before.
const hangUp = "\x00"

// say queues lines; a client that does not read loses them.
func (s *session) say(lines string) {
	select {
	case s.out <- lines:
	default:
	}
}

// speak writes what is to be said, in order.
func (s *session) speak() {
	for {
		select {
		case lines := <-s.out:
			if lines == hangUp {
				s.end()
				return
			}
			if _, err := s.conn.Write([]byte(lines)); err != nil {
				s.end()
				return
			}
		case <-s.over:
			return
		}
	}
}

// end closes the connection, and takes down the services that it holds.
func (s *session) end() {
	s.once.Do(func() {
		close(s.over)
		s.conn.Close()
		s.tor.mu.Lock()
		delete(s.tor.sessions, s)
		s.tor.mu.Unlock()
		s.tor.net.mu.Lock()
		defer s.tor.net.mu.Unlock()
		for _, v := range s.tor.net.services {
			if v.owner == s {
				v.gone = true
			}
		}
	})
}

// serve answers commands until the connection ends.
func (s *session) serve() {
	defer func() {
		select {
		case s.out <- hangUp:
		default:
			s.end()
		}
	}()
	lines := bufio.NewScanner(s.conn)
	lines.Buffer(nil, 1<<16)
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), "\r")
		s.tor.mu.Lock()
		s.tor.commands = append(s.tor.commands, line)
		hung := s.tor.hung
		s.tor.mu.Unlock()
		if hung != nil {
			select {
			case <-hung:
			case <-s.over:
				return
			}
		}
		if !s.tor.net.wait(s.tor.script.Answer) {
			return
		}
		reply, answered := "", false
		if s.tor.script.Reply != nil {
			reply, answered = s.tor.script.Reply(line)
		}
		if !answered {
			reply = s.answer(line)
		}
		s.say(reply)
		if name, _, _ := strings.Cut(line, " "); name == "QUIT" || strings.HasPrefix(reply, "515") {
			return
		}
	}
}

// answer carries out one command and gives tor's reply to it.
func (s *session) answer(line string) string {
	name, rest, _ := strings.Cut(line, " ")
	switch name {
	case "PROTOCOLINFO":
		return s.protocolInfo()
	case "AUTHCHALLENGE":
		return s.challenge(rest)
	case "AUTHENTICATE":
		return s.authenticate(rest)
	}
	if !s.in {
		return "514 Authentication required.\r\n"
	}
	switch name {
	case "SETEVENTS":
		s.mu.Lock()
		defer s.mu.Unlock()
		s.events = strings.Fields(rest)
		return ok
	case "GETINFO":
		return s.info(rest)
	case "ADD_ONION":
		return s.addOnion(strings.Fields(rest))
	case "DEL_ONION":
		return s.delOnion(rest)
	case "ONION_CLIENT_AUTH_ADD":
		return s.addKey(strings.Fields(rest))
	case "ONION_CLIENT_AUTH_REMOVE":
		s.tor.mu.Lock()
		defer s.tor.mu.Unlock()
		delete(s.tor.keys, rest)
		return ok
	}
	return fmt.Sprintf("510 Unrecognized command %q\r\n", name)
}

const ok = "250 OK\r\n"

func (s *session) protocolInfo() string {
	cookie := ""
	if s.tor.script.CookieFile != "" {
		cookie = fmt.Sprintf(" COOKIEFILE=%q", s.tor.script.CookieFile)
	}
	return fmt.Sprintf("250-PROTOCOLINFO 1\r\n250-AUTH METHODS=%s%s\r\n250-VERSION Tor=%q\r\n%s",
		strings.Join(s.tor.script.Auth, ","), cookie, s.tor.script.Version, ok)
}

func (s *session) challenge(rest string) string {
	nonce, err := hex.DecodeString(strings.TrimPrefix(rest, "SAFECOOKIE "))
	if err != nil || !slices.Contains(s.tor.script.Auth, "SAFECOOKIE") {
		return "513 AUTHCHALLENGE only supports SAFECOOKIE authentication\r\n"
	}
	ours := make([]byte, 32)
	rand.Read(ours)
	sum := func(key string) []byte {
		m := hmac.New(sha256.New, []byte(key))
		m.Write(slices.Concat(s.tor.script.Cookie, nonce, ours))
		return m.Sum(nil)
	}
	s.proof = sum("Tor safe cookie authentication controller-to-server hash")
	return fmt.Sprintf("250 AUTHCHALLENGE SERVERHASH=%X SERVERNONCE=%X\r\n",
		sum("Tor safe cookie authentication server-to-controller hash"), ours)
}

func (s *session) authenticate(rest string) string {
	given, err := hex.DecodeString(rest)
	offers := func(method string) bool { return slices.Contains(s.tor.script.Auth, method) }
	switch {
	case err != nil:
	case offers("NULL"),
		offers("SAFECOOKIE") && s.proof != nil && hmac.Equal(given, s.proof),
		offers("COOKIE") && s.proof == nil && len(given) > 0 && hmac.Equal(given, s.tor.script.Cookie),
		offers("HASHEDPASSWORD") && s.tor.script.Password != "" && string(given) == s.tor.script.Password:
		s.in = true
		return ok
	}
	return "515 Authentication failed\r\n"
}

func (s *session) info(what string) string {
	switch what {
	case "status/bootstrap-phase":
		return fmt.Sprintf("250-%s=%s\r\n%s", what, s.tor.script.Phase, ok)
	case "net/listeners/socks":
		return fmt.Sprintf("250-%s=%q\r\n%s", what, Socks, ok)
	case "version":
		return fmt.Sprintf("250-%s=%s\r\n%s", what, s.tor.script.Version, ok)
	case "onions/current":
		s.tor.net.mu.Lock()
		defer s.tor.net.mu.Unlock()
		var ids []string
		for id, v := range s.tor.net.services {
			if v.owner == s && !v.gone {
				ids = append(ids, id)
			}
		}
		if len(ids) < 2 {
			return fmt.Sprintf("250-%s=%s\r\n%s", what, strings.Join(ids, ""), ok)
		}
		return fmt.Sprintf("250+%s=\r\n%s\r\n.\r\n%s", what, strings.Join(ids, "\r\n"), ok)
	}
	return fmt.Sprintf("552 Unrecognized key %q\r\n", what)
}
