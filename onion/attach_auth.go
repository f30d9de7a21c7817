package onion

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cretz/bine/control"
)

// introduce authenticates at a running tor. Best first: SAFECOOKIE, by which tor
// proves itself, too; a password; none, which is how a filter before the control
// port has it. The cookie itself is shown to a unix socket alone: at a port it
// could be anybody who asks for that file.
func (l *link) introduce(a *attachment, p place) error {
	l.conn.SetDeadline(time.Now().Add(commandTimeout))
	info, err := l.tor.ProtocolInfo()
	if err != nil {
		return fmt.Errorf("what listens there does not speak as a tor's control port does: %w", printable(err))
	}
	if v, err := parseVersion("Tor version " + info.TorVersion); err == nil {
		a.version = v
	}
	offers := func(method string) bool { return slices.Contains(info.AuthMethods, method) }
	path := os.Getenv("TOR_CONTROL_COOKIE_AUTH_FILE")
	if path == "" {
		path = info.CookieFile
	}
	password := os.Getenv("TOR_CONTROL_PASSWD")
	var cookie []byte
	why := error(nil)
	if offers("SAFECOOKIE") || offers("COOKIE") && p.network == "unix" {
		cookie, why = readCookie(path)
	}
	switch {
	case cookie != nil && offers("SAFECOOKIE"):
		a.security = "SAFECOOKIE"
		return l.safeCookie(cookie)
	case password != "" && offers("HASHEDPASSWORD"):
		a.security = "HASHEDPASSWORD"
		return l.authenticate([]byte(unquoted(password)))
	case offers("NULL"):
		a.security = "NULL"
		return l.authenticate(nil)
	case cookie != nil:
		a.security = "COOKIE"
		return l.authenticate(cookie)
	case why != nil && offers("HASHEDPASSWORD"):
		return fmt.Errorf("it asks for a cookie or a password: %w; set TOR_CONTROL_PASSWD, or get the right to read the cookie (on Debian: the group debian-tor)", why)
	case why != nil:
		return fmt.Errorf("it asks for a cookie: %w; get the right to read it (on Debian: the group debian-tor), or name a copy in TOR_CONTROL_COOKIE_AUTH_FILE", why)
	case offers("HASHEDPASSWORD"):
		return errors.New("it asks for a password: set TOR_CONTROL_PASSWD")
	}
	return fmt.Errorf("it offers no way to authenticate that sotto takes (%.60q)", info.AuthMethods)
}

// cookieBytes is the length of tor's cookie.
const cookieBytes = 32

// readCookie reads a cookie, and nothing that cannot be one: it may be a
// stranger who names the file.
func readCookie(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("the cookie: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() != cookieBytes {
		return nil, fmt.Errorf("%q is no cookie of tor's", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the cookie: %w", err)
	}
	defer f.Close()
	cookie := make([]byte, cookieBytes)
	if _, err := io.ReadFull(f, cookie); err != nil {
		return nil, fmt.Errorf("the cookie: %w", err)
	}
	return cookie, nil
}

// The keys of SAFECOOKIE's two proofs (control-spec, "AUTHCHALLENGE").
const (
	serverProof = "Tor safe cookie authentication server-to-controller hash"
	clientProof = "Tor safe cookie authentication controller-to-server hash"
)

// safeCookie proves that the cookie is known here, after tor has.
func (l *link) safeCookie(cookie []byte) error {
	var nonce [32]byte
	rand.Read(nonce[:]) // never fails
	r, err := l.ask("AUTHCHALLENGE SAFECOOKIE " + hex.EncodeToString(nonce[:]))
	if err != nil {
		return err
	}
	said := keywords(strings.Fields(r.Reply))
	proof, err := hex.DecodeString(said["SERVERHASH"])
	if err != nil {
		return errors.New("tor's proof that it knows the cookie cannot be read")
	}
	theirs, err := hex.DecodeString(said["SERVERNONCE"])
	if err != nil || len(theirs) > 1024 {
		return errors.New("tor's proof that it knows the cookie cannot be read")
	}
	sum := func(key string) []byte {
		m := hmac.New(sha256.New, []byte(key))
		m.Write(cookie)
		m.Write(nonce[:])
		m.Write(theirs)
		return m.Sum(nil)
	}
	if !hmac.Equal(proof, sum(serverProof)) {
		return errors.New("what listens there does not know tor's cookie: it is not the tor that wrote it")
	}
	return l.authenticate(sum(clientProof))
}

func (l *link) authenticate(proof []byte) error {
	if _, err := l.ask(strings.TrimSpace("AUTHENTICATE " + hex.EncodeToString(proof))); err != nil {
		return fmt.Errorf("authenticating to tor: %w", err)
	}
	return nil
}

// unquoted takes the quotes off a password in tor's own notation, which Tor
// Browser's start script puts into TOR_CONTROL_PASSWD.
func unquoted(password string) string {
	if len(password) < 2 || password[0] != '"' || password[len(password)-1] != '"' {
		return password
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(password[1 : len(password)-1])
}

// ask sends one command before [link.read] runs, and waits for its reply. It
// leaves a deadline on the connection. What line holds is in no error.
func (l *link) ask(line string) (*control.Response, error) {
	name, _, _ := strings.Cut(line, " ")
	l.bound.allow()
	l.conn.SetDeadline(time.Now().Add(commandTimeout))
	r, err := l.tor.SendRequest("%s", line)
	if err == nil {
		return r, nil
	}
	if refusalOf(err) != nil {
		return nil, fmt.Errorf("tor refuses %s: %w", name, printable(err))
	}
	return nil, fmt.Errorf("tor does not answer %s: %w", name, printable(err))
}
