package onion

import (
	"errors"
	"net"
	"net/textproto"
	"strings"
	"unicode"
)

// maxReply bounds one reply or event of tor's, in bytes. The longest that is
// asked for is the list of circuits, some 300 bytes each.
const maxReply = 1 << 20

// bounded is a connection of which only so many bytes are read in one go.
type bounded struct {
	net.Conn
	left int
}

// allow lets one more reply come in.
func (b *bounded) allow() { b.left = maxReply }

var errTooLong = errors.New("tor said more at once than it ever does")

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// printable makes tor's words in an error fit for a terminal and a log.
func printable(err error) error {
	if refusal, ok := errors.AsType[*textproto.Error](err); ok {
		return &textproto.Error{Code: refusal.Code, Msg: plain(refusal.Msg)}
	}
	if words, ok := errors.AsType[textproto.ProtocolError](err); ok {
		return textproto.ProtocolError(plain(string(words)))
	}
	return err
}

// plain is a text without control characters and onion addresses, and short.
func plain(text string) string {
	const most = 300
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '�'
		}
		return r
	}, scrub(text))
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + " …"
	}
	return text
}
