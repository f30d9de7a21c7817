package call

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/sottovoce/sotto/call/handshake"
	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
)

// Line takes incoming streams: each may become a new call. Until the third
// message of the handshake nothing depends on who calls, and whatever is wrong
// with a stream, the answer is the same: it is closed without a word.
type Line struct {
	Config Config
	// Handle is given each new call, in a goroutine of its own. It must call
	// Run at once and return when the call is over.
	Handle func(context.Context, *Call)
	// Told, if set, says whether the person here is told of a call from this
	// address. A call they are not told of never reaches Handle: it rings, takes
	// in paths and runs into its time, and neither the caller nor anyone on the
	// way can tell it from one that nobody answers. Told is asked once a call,
	// when the caller is proven, and must be quick.
	Told func(identity.Address) bool
	// Known, if set, says who is no stranger: their calls make room last when
	// too many wait for an answer. It is asked like Told.
	Known func(identity.Address) bool
}

// Serve takes streams from l until ctx ends or l fails, closes l, and waits for
// the calls that the streams became: each is hung up over its own streams,
// which closing l must leave open.
func (line *Line) Serve(ctx context.Context, l net.Listener) error {
	var group sync.WaitGroup
	defer group.Wait()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(inner, func() { l.Close() })
	defer stop()
	defer l.Close()
	r := reception{line: line, door: newDoor(), tags: newTags()}
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			var temporary interface{ Temporary() bool }
			if errors.As(err, &temporary) && temporary.Temporary() {
				if !pause(ctx, 50*time.Millisecond) {
					return nil
				}
				continue
			}
			return err
		}
		r.door.enter(conn)
		group.Go(func() { r.greet(inner, conn) })
	}
}

// reception is what a line knows while it serves.
type reception struct {
	line  *Line
	door  *door // streams that have not said who they are
	tags  *tags // names by which paths join calls
	lobby lobby // calls that nobody has answered
}

// greet finds out what a new stream is: a path that joins a call is handed to
// it, a new call is handled here until it is over.
func (r *reception) greet(ctx context.Context, conn net.Conn) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	begin, err := r.welcome(conn)
	stop()
	if stayed := r.door.leave(conn); !stayed || err != nil || ctx.Err() != nil {
		conn.Close()
		return
	}
	begin(ctx)
}

// handle sees a new call through, from a caller who is proven now.
func (r *reception) handle(ctx context.Context, call *Call) {
	for _, old := range r.tags.from(call.Peer) {
		old.giveUp() // who calls anew has lost the call that brings nothing
	}
	r.tags.enrol(call)
	defer r.tags.dismiss(call)
	known := r.line.Known
	ctx, leave := r.lobby.enter(ctx, call, known != nil && known(call.Peer))
	defer leave()
	if told := r.line.Told; told != nil && !told(call.Peer) {
		_ = call.Run(ctx) // as if nobody were there to answer
		return
	}
	r.line.Handle(ctx, call)
}

// welcome reads a stream's first bytes: the tag of a path that may join, or the
// beginning of a handshake. A join that does not open is read on as one. What
// it gives begins the stream's life, out of the door.
func (r *reception) welcome(conn net.Conn) (begin func(context.Context), err error) {
	if err := conn.SetDeadline(time.Now().Add(HandshakeTime)); err != nil {
		return nil, err
	}
	m1 := make([]byte, handshake.M1Size)
	n, err := io.ReadFull(conn, m1[:record.TagSize])
	if err != nil {
		return nil, err
	}
	if ticket := r.tags.find(m1[:n]); ticket != nil {
		if _, err := io.ReadFull(conn, m1[n:record.Size]); err != nil {
			return nil, err
		}
		n = record.Size
		join := record.Cell(m1[:n])
		if nc, err := ticket.keys.OpenJoin(&join); err == nil {
			return r.join(ticket, conn, &join, nc)
		}
	}
	if _, err := io.ReadFull(conn, m1[n:]); err != nil {
		return nil, err
	}
	if !r.door.admit(time.Now()) {
		return nil, errors.New("too many greetings at once")
	}
	h, err := handshake.NewCallee(r.line.Config.Key, r.line.Config.offer(), nil)
	if err != nil {
		return nil, err
	}
	if err := h.M1(m1); err != nil {
		return nil, err
	}
	m2, choice, err := h.M2()
	if err != nil {
		return nil, err
	}
	r.door.promote(conn)
	if _, err := conn.Write(m2); err != nil {
		return nil, err
	}
	m3 := make([]byte, handshake.M3Size)
	if _, err := io.ReadFull(conn, m3); err != nil {
		return nil, err
	}
	peer, wishes, secrets, err := h.M3(m3)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	return func(ctx context.Context) {
		call, err := newCall(r.line.Config, peer, false, wishes, choice, &secrets, conn)
		if err != nil {
			conn.Close()
			return
		}
		r.handle(ctx, call)
	}, nil
}

// join answers a join that has opened; what it gives hands the path to its call.
// The ticket is burned before the answer goes out. A path that the call may not
// have is not answered.
func (r *reception) join(k *ticket, conn net.Conn, join *record.Cell, nc [32]byte) (begin func(context.Context), err error) {
	if !r.tags.burn(k) {
		return nil, errors.New("this path has joined before")
	}
	defer k.keys.Wipe()
	if !k.call.mayJoin() {
		return nil, errEnough
	}
	var answer record.Cell
	var ns [32]byte
	rand.Read(ns[:])
	k.keys.SealJoined(&answer, join, ns)
	if _, err := conn.Write(answer[:]); err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	caller, callee := k.keys.Records(append(nc[:], ns[:]...))
	return func(context.Context) {
		if !k.call.admit(newPath(paths.ID(k.keys.Number), conn, callee, caller)) {
			conn.Close()
		}
	}, nil
}

// pause waits, and reports whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
