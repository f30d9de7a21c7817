package voice

import "time"

// Player is a [Source] that plays a clip as a microphone would hear it: frame
// n, counted from zero, is whole (n+1)·20 ms after the player was started, on the
// monotonic clock, and not before. After the clip come frames of silence, for
// ever. Nothing is dropped: a reader that comes late finds every frame that is
// due and has to catch up.
//
// It is started by being read first, and 10 ms before: a reader that comes every 20
// ms then finds each frame whole for 10 ms, and does not miss one that has just not
// come when it is woken a little less late than at first.
//
// It is for one reader.
type Player struct {
	clip    []float32
	loop    bool
	started time.Time // zero: not yet
	frames  int64     // given so far
	at      int       // next sample of the clip
	done    chan struct{}
	ended   bool
}

// playerEarly is how long before it is first read a player was started.
const playerEarly = FrameTime / 2

// Play gives a player of the clip, over and over if loop is set.
func (c *Clip) Play(loop bool) *Player {
	return &Player{
		clip: c.Samples,
		loop: loop && len(c.Samples) > 0,
		done: make(chan struct{}),
	}
}

// Silence starts a source of silence, with a microphone's pace.
func Silence() *Player {
	return new(Clip).Play(false)
}

// Started is when the first sample was "captured". It is for the reader.
func (p *Player) Started() time.Time { return p.started }

// Done is closed once a frame past the clip's last sample has been read. It
// never is while the clip loops.
func (p *Player) Done() <-chan struct{} { return p.done }

// Read gives the next frame if it is whole by now. It never fails.
func (p *Player) Read(f *Frame) (bool, error) {
	if p.started.IsZero() {
		p.started = time.Now().Add(-playerEarly)
	}
	if time.Since(p.started) < time.Duration(p.frames+1)*FrameTime {
		return false, nil
	}
	p.frames++
	n := copy(f[:], p.clip[p.at:])
	p.at += n
	for p.loop && n < len(f) {
		p.at = copy(f[n:], p.clip)
		n += p.at
	}
	clear(f[n:])
	if n < len(f) && !p.ended {
		p.ended = true
		close(p.done)
	}
	return true, nil
}
