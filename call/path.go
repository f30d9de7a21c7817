package call

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/call/record"
)

// stream is what a path needs of a net.Conn.
type stream interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
}

// path is one stream of a call: a writer with a slot for one sealed record,
// and a reader. The slot is filled by the tick and emptied by the writer; a
// write that stalls leaves it full, and the tick goes another way.
type path struct {
	id     paths.ID
	conn   stream
	joined time.Duration // since the call's beginning

	sealer *record.Sealer
	out    record.Cell // the slot
	full   atomic.Bool // the writer has it
	wake   chan struct{}

	opener *record.Opener
	in     record.Cell
	plain  record.Plain
}

func newPath(id paths.ID, conn stream, out, in [32]byte) *path {
	return &path{
		id: id, conn: conn,
		sealer: record.NewSealer(out), opener: record.NewOpener(in),
		wake: make(chan struct{}, 1),
	}
}

// free reports whether the slot can be filled.
func (p *path) free() bool { return !p.full.Load() }

// launch hands the filled slot to the writer.
func (p *path) launch() {
	p.full.Store(true)
	p.wake <- struct{}{} // the slot was free, so there is room
}

// write sends what is launched, until ctx ends or the stream breaks. A short
// write ends the path: the other side could not find the next record.
func (p *path) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		}
		if _, err := p.conn.Write(p.out[:]); err != nil {
			return
		}
		p.full.Store(false)
	}
}

// wipe forgets the keys, once writer and reader have ended.
func (p *path) wipe() {
	p.sealer.Wipe()
	p.opener.Wipe()
}

// read takes records as they come until the stream ends or one does not open.
func (p *path) read(take func(*path) error) {
	for {
		if _, err := io.ReadFull(p.conn, p.in[:]); err != nil {
			return
		}
		if err := p.opener.Open(&p.plain, &p.in); err != nil {
			return
		}
		if err := take(p); err != nil {
			return
		}
	}
}
