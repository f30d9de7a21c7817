// Package control is a stream of small reliable messages that rides inside
// the records of a call: ring, answer, hang up. It costs the wire nothing and
// changes nothing there: every record has room for one piece, used or not.
//
// A piece is 48 bytes, big-endian:
//
//	0  seq   2   this piece's number, from 0, modulo 65,536
//	2  ack   2   the number of the next piece wanted from the other side
//	4  head  1   bit 7: more pieces of this message follow; bits 0–5: bytes of
//	             data used, 0 when the record carries no piece
//	5  data 43
//
// Records are lost with their path and come by several paths, so pieces are
// sent again and again in turn until they are acknowledged, at most Window of
// them open at once, and are taken in order whichever path brings them.
//
// A message is a kind (1 byte) and a body, at most MaxMessage bytes together.
// Unknown kinds are passed over, so that later versions can add some.
package control

import (
	"encoding/binary"
	"errors"
)

// Limits of the stream.
const (
	PieceSize  = 48
	DataSize   = 43
	Window     = 16   // pieces sent and not acknowledged
	MaxMessage = 1024 // bytes of a message, its kind included
	maxQueue   = 64   // pieces waiting, the open ones included
)

// Kind says what a message is about.
type Kind uint8

// The messages of version 1.
const (
	Ring    Kind = 1 // caller: let it ring
	Ringing Kind = 2 // callee: it rings, or seems to
	Answer  Kind = 3 // callee: yes
	Decline Kind = 4 // callee: no
	Busy    Kind = 5 // callee: in another call
	HangUp  Kind = 6 // either: the call is over; body: a Reason
	Hold    Kind = 7 // either: body 1: listens and speaks no more for now; 0: again
	Chat    Kind = 8 // either, while both talk; body: a line of text, UTF-8

	Recording Kind = 9  // either, while both talk; body 1: keeps both voices from now on; 0: no more
	Delay     Kind = 10 // either, while both talk; body: how late it hears the other, mouth to ear, in 50 ms
)

// Reason says why a call is over, in HangUp's body.
type Reason uint8

// Reasons to hang up.
const (
	ReasonDone     Reason = 0 // a person hung up
	ReasonNoAnswer Reason = 1 // it rang for too long
	ReasonFailed   Reason = 2 // something broke on that side
)

// Message is one message, as sent or got. Body is valid until the next call.
type Message struct {
	Kind Kind
	Body []byte
}

// Errors of the stream. ErrProtocol ends the call.
var (
	ErrFull     = errors.New("too many messages wait to be sent: try again when the other side is reached")
	ErrTooLong  = errors.New("the message is too long")
	ErrProtocol = errors.New("a control message breaks the protocol")
)

type piece struct {
	head byte
	data [DataSize]byte
}

// Stream is one end of the message stream. Its zero value is ready. It is not
// safe for use by several goroutines at once.
type Stream struct {
	out   [maxQueue]piece // ring: out[seq%maxQueue]
	first uint16          // oldest piece not acknowledged
	count uint16          // pieces from first on
	turn  uint16          // which of the open pieces goes next

	in     [Window]piece // ring: in[seq%Window]
	got    [Window]bool
	want   uint16 // next piece to take
	parts  []byte // message being put together
	ready  []byte // message handed out
	inbox  [][]byte
	broken bool
}

// Send queues a message. It is reliable for as long as the call lives.
func (s *Stream) Send(kind Kind, body ...byte) error {
	if len(body)+1 > MaxMessage {
		return ErrTooLong
	}
	message := append([]byte{byte(kind)}, body...)
	pieces := (len(message) + DataSize - 1) / DataSize
	if int(s.count)+pieces > maxQueue {
		return ErrFull
	}
	for len(message) > 0 {
		p := &s.out[(s.first+s.count)%maxQueue]
		*p = piece{}
		n := copy(p.data[:], message)
		message = message[n:]
		p.head = byte(n)
		if len(message) > 0 {
			p.head |= 0x80
		}
		s.count++
	}
	return nil
}

// Sent is a mark behind all that was sent so far, for Got.
func (s *Stream) Sent() uint16 { return s.first + s.count }

// Got reports whether the other side has acknowledged all that was sent before
// the mark. It is to be asked before 32,768 more pieces have gone.
func (s *Stream) Got(mark uint16) bool { return int16(s.first-mark) >= 0 }

// Fill writes the piece for the next record: one of the open ones, in turn, or
// none, and always what is wanted from the other side. It allocates nothing.
func (s *Stream) Fill(b *[PieceSize]byte) {
	clear(b[:])
	binary.BigEndian.PutUint16(b[2:], s.want)
	open := min(s.count, Window)
	if open == 0 {
		return
	}
	seq := s.first + s.turn%open
	s.turn = (s.turn + 1) % open
	p := &s.out[seq%maxQueue]
	binary.BigEndian.PutUint16(b[:], seq)
	b[4] = p.head
	copy(b[5:], p.data[:])
}

// Take reads the piece of a record that came. Messages that become whole are
// had from Next.
func (s *Stream) Take(b *[PieceSize]byte) error {
	if s.broken {
		return ErrProtocol
	}
	if acked := binary.BigEndian.Uint16(b[2:]) - s.first; acked <= min(s.count, Window) {
		s.first += acked
		s.count -= acked
		s.turn -= min(s.turn, acked)
	}
	size := b[4] & 0x3f
	if size == 0 {
		return nil
	}
	if size > DataSize {
		s.broken = true
		return ErrProtocol
	}
	seq := binary.BigEndian.Uint16(b[:])
	if seq-s.want >= Window {
		return nil // taken before, or beyond what may be open
	}
	s.in[seq%Window] = piece{head: b[4], data: [DataSize]byte(b[5:])}
	s.got[seq%Window] = true
	for s.got[s.want%Window] {
		p := &s.in[s.want%Window]
		s.got[s.want%Window] = false
		s.want++
		if err := s.put(p); err != nil {
			s.broken = true
			return err
		}
	}
	return nil
}

func (s *Stream) put(p *piece) error {
	s.parts = append(s.parts, p.data[:p.head&0x3f]...)
	if len(s.parts) > MaxMessage {
		return ErrProtocol
	}
	if p.head&0x80 == 0 {
		s.inbox = append(s.inbox, s.parts)
		s.parts = nil
	}
	return nil
}

// Next hands out the next whole message, in order.
func (s *Stream) Next() (Message, bool) {
	if len(s.inbox) == 0 {
		return Message{}, false
	}
	s.ready = s.inbox[0]
	s.inbox = s.inbox[1:]
	return Message{Kind: Kind(s.ready[0]), Body: s.ready[1:]}, true
}
