package onion

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/sottovoce/sotto/identity"
)

// Isolation is a SOCKS user name. tor gives streams with different ones
// different circuits, even to the same address; the same one shares a circuit.
// It shows in tor's circuit list, so it is random and means nothing.
type Isolation [16]byte

// NewIsolation is one that nobody else has.
func NewIsolation() Isolation {
	var i Isolation
	rand.Read(i[:]) // never fails
	return i
}

// What a caller may want to tell apart when nobody can be reached.
var (
	// ErrUnreachable says that the address did not answer: its owner is
	// offline, or it never was published.
	ErrUnreachable = errors.New("this address cannot be reached now")
	// ErrAuthorisation says that the service admits only callers whose key it knows.
	ErrAuthorisation = errors.New("this address is closed to all but those whom its owner has authorised")
	// ErrBadAddress says that there can be no onion service of this name.
	ErrBadAddress = errors.New("this is no onion address")
)

// errNotOnion is an ErrBadAddress of which tor was not even asked.
var errNotOnion = fmt.Errorf("%w, and nothing else is connected to", ErrBadAddress)

// Reply is a SOCKS5 reply code other than success: RFC 1928's, and tor's own
// for onion services (socks-extensions, "Extended error codes").
type Reply byte

// tor's own replies.
const (
	NoDescriptor        Reply = 0xF0
	BadDescriptor       Reply = 0xF1
	IntroductionFailed  Reply = 0xF2
	RendezvousFailed    Reply = 0xF3
	NeedsAuthorisation  Reply = 0xF4
	WrongAuthorisation  Reply = 0xF5
	BadAddress          Reply = 0xF6
	IntroductionTimeout Reply = 0xF7
)

var replies = map[Reply]struct {
	text  string
	kind  error
	again bool // worth another attempt
}{
	0x01:                {"tor failed at it; it may still be connecting", ErrUnreachable, true},
	0x02:                {"tor's own rules forbid it", nil, false},
	0x03:                {"tor's network is out of reach", ErrUnreachable, true},
	0x04:                {"no way to it was found", ErrUnreachable, true},
	0x05:                {"it is there and refuses: no sotto listens behind it", ErrUnreachable, true},
	0x06:                {"it took too long", ErrUnreachable, true},
	0x07:                {"tor does not know this command", nil, false},
	0x08:                {"tor does not take this kind of address", nil, false},
	NoDescriptor:        {"no directory knows it: it has never been published, or not for hours; check the address, and whether its owner is online", ErrUnreachable, true},
	BadDescriptor:       {"its descriptor cannot be read; its tor may be much older or newer", ErrUnreachable, true},
	IntroductionFailed:  {"its introduction points do not know it any more: it has gone offline, try again later", ErrUnreachable, true},
	RendezvousFailed:    {"the two circuits did not meet", ErrUnreachable, true},
	NeedsAuthorisation:  {"no key for it is known here: give its owner a card of yours, with your key", ErrAuthorisation, false},
	WrongAuthorisation:  {"your key is not among those that it admits: give its owner a card of yours, with your key", ErrAuthorisation, false},
	BadAddress:          {"tor says that the address is not valid: copy it again", ErrBadAddress, false},
	IntroductionTimeout: {"its introduction points do not answer", ErrUnreachable, true},
}

// Error says what the reply means, and what to do where something can be done.
func (r Reply) Error() string {
	if known, ok := replies[r]; ok {
		return known.text
	}
	return fmt.Sprintf("tor gave an unknown SOCKS reply, %#02x", byte(r))
}

// Unwrap is the reply's sentinel, nil if it has none.
func (r Reply) Unwrap() error { return replies[r].kind }

// Temporary tells whether the same dial may work a little later.
func (r Reply) Temporary() bool { return replies[r].again }

// connectSocks opens one stream through tor's SOCKS socket, which reach connects
// to: RFC 1928 with user name and password (RFC 1929). The host must be an onion
// address: for anything else the socket is not even connected to. It returns when
// the stream is open; a negative answer is a [Reply]. The connection is closed on
// any error, and when ctx ends.
func connectSocks(ctx context.Context, reach func(context.Context) (net.Conn, error), host string, port uint16, who Isolation) (net.Conn, error) {
	if address, err := identity.Parse(host); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotOnion, err)
	} else if address.Onion() != host { // with a port, in capitals: nothing that could be taken otherwise
		return nil, errNotOnion
	}
	conn, err := reach(ctx)
	if ctx.Err() != nil {
		if err == nil { // at the last moment
			conn.Close()
		}
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("tor's SOCKS socket: %w", err)
	}
	undo := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	err = socksRequest(conn, host, port, who)
	if !undo() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	return conn, nil
}

// socksRequest asks for the stream. Each message waits for the answer to the one
// before: tor leaves out an answer when it finds two messages at once.
func socksRequest(conn io.ReadWriter, host string, port uint16, who Isolation) error {
	if err := exchange(conn, []byte{5, 1, 2}, []byte{5, 2}); err != nil { // version 5, one method: user name
		return err
	}
	user := hex.EncodeToString(who[:])
	login := append([]byte{1, byte(len(user))}, user...)
	login = append(login, 1, '0') // a password must not be empty
	if err := exchange(conn, login, []byte{1, 0}); err != nil {
		return err
	}
	connect := append([]byte{5, 1, 0, 3, byte(len(host))}, host...) // connect to a name
	connect = binary.BigEndian.AppendUint16(connect, port)
	if _, err := conn.Write(connect); err != nil {
		return fmt.Errorf("tor's SOCKS socket: %w", err)
	}
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return fmt.Errorf("tor's SOCKS socket: %w", err)
	}
	if head[0] != 5 {
		return fmt.Errorf("tor's SOCKS socket does not speak SOCKS5: % x", head)
	}
	if head[1] != 0 {
		return Reply(head[1])
	}
	// What follows is the bound address, of no use, and must be read exactly:
	// the stream's first byte comes right after.
	size := map[byte]int{1: 4, 4: 16}[head[3]]
	if head[3] == 3 {
		var n [1]byte
		if _, err := io.ReadFull(conn, n[:]); err != nil {
			return fmt.Errorf("tor's SOCKS socket: %w", err)
		}
		size = int(n[0])
	} else if size == 0 {
		return fmt.Errorf("tor's SOCKS socket: address type %d in a reply", head[3])
	}
	if _, err := io.CopyN(io.Discard, conn, int64(size)+2); err != nil {
		return fmt.Errorf("tor's SOCKS socket: %w", err)
	}
	return nil
}

// exchange writes a message to which only one answer is good.
func exchange(conn io.ReadWriter, message, want []byte) error {
	if _, err := conn.Write(message); err != nil {
		return fmt.Errorf("tor's SOCKS socket: %w", err)
	}
	var got [2]byte
	if _, err := io.ReadFull(conn, got[:]); err != nil {
		return fmt.Errorf("tor's SOCKS socket: %w", err)
	}
	if !bytes.Equal(got[:], want) {
		return fmt.Errorf("tor's SOCKS socket does not speak SOCKS5 with user names: % x", got)
	}
	return nil
}
