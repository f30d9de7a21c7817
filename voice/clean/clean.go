// Package clean makes a microphone's sound fit to be sent: without the echo of
// the loudspeaker, with less noise, at an even level.
//
//	microphone ──▶ echo filter ──▶ residual echo ──▶ noise ──▶ level ──▶ encoder
//	                   ▲                 ▲
//	what is played ────┴─────────────────┘  (as the loudspeaker gets it: stretched,
//	                                         made up where it had to be)
//
// A far side that hears itself half a second late cannot speak, so with
// loudspeakers the first two are what makes a call possible at all. The echo
// filter learns how the loudspeaker is heard in the room and takes that away; it
// changes nothing else. What it leaves, for a second or two while it learns most
// of all, is lowered frequency by frequency, by the filter's own account of how
// wrong it may be. Nothing is switched: both sides can speak at once. Half a second
// after the far side has said something the filter rests. When all of the echo comes
// earlier or later at once, as a sound server does it, what was learnt is moved.
//
// Measured in rooms that echo for 0.3 s (see the tests): what comes back is 27 dB
// weaker and more from the third second on, while 0.96 of what both sides say at
// once is kept, by correlation. speexdsp's canceller gave 17 to 24 dB there, and
// so only its noise suppression is used.
//
// All of it is for one clock: microphone and what is played must come a frame at
// a time, together, with a constant delay between them of at most 200 ms (see
// voice.Bridge). It works at 48 kHz in hops of 10 ms, and allocates nothing.
//
// This package uses cgo: libspeexdsp, and the filter's sums (sums.c).
package clean

import (
	"math"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// Config says what not to do. The zero value does everything.
type Config struct {
	NoEcho  bool // leave the loudspeaker's echo in, as with headphones
	NoNoise bool // leave noise in
	NoGain  bool // leave the level as it is
}

// Cleaner cleans what one microphone hears. It is for one goroutine, and needs
// to be closed.
type Cleaner struct {
	config   Config
	echo     *echo
	residual *residual
	noise    noise
	gain     *gain
	quiet    int // hops since something was played
}

// New makes a cleaner. It fails only without memory.
func New(c Config) (*Cleaner, error) {
	t := newTransform()
	cl := &Cleaner{config: c, echo: newEcho(t), residual: newResidual(t), gain: newGain(), quiet: echoLasts}
	var err error
	if !c.NoNoise {
		cl.noise, err = newNoise()
	}
	return cl, err
}

// Delay is by how much sound comes out later than it went in: 5 ms each for
// echo and noise.
func (c *Cleaner) Delay() (d time.Duration) {
	const each = time.Second * step / voice.SampleRate
	if !c.config.NoEcho {
		d += each
	}
	if !c.config.NoNoise {
		d += each
	}
	return d
}

const (
	echoLasts = 50    // hops after which nothing of what was played is heard any more
	playing   = -60.0 // dBFS: what is played louder than that may be heard back
	mostLost  = 6.0   // dB that own speech loses to the canceller, at most
)

// Clean cleans f in place. played is what the loudspeaker was given at the same
// time, nil being nothing.
func (c *Cleaner) Clean(f, played *voice.Frame) {
	if played == nil {
		played = &silence
	}
	for at := 0; at < len(f); at += hop {
		c.hop(f[at:at+hop], played[at:at+hop])
	}
}

var silence voice.Frame

func (c *Cleaner) hop(sound, played []float32) {
	own := true
	if !c.config.NoEcho {
		if c.quiet++; dbfs(played) > playing {
			c.quiet = 0
		}
		before := dbfs(sound)
		if c.quiet <= echoLasts {
			c.echo.cancel(sound, played)
			c.residual.suppress(sound, c.echo)
			own = dbfs(sound) > before-mostLost
		} else { // half of a call, one of both listens
			c.echo.rest(sound)
			c.residual.pass(sound)
		}
	}
	if !c.config.NoNoise {
		c.noise.suppress(sound)
	}
	if !c.config.NoGain {
		c.gain.level(sound, own)
	}
}

// Close gives memory back. Clean must not be called afterwards.
func (c *Cleaner) Close() {
	if !c.config.NoNoise {
		c.noise.end()
	}
}

// dbfs is the mean square of sound in dBFS.
func dbfs(sound []float32) float64 { return 10 * math.Log10(meanSquare(sound)+1e-12) }

func meanSquare(sound []float32) (sum float64) {
	for _, s := range sound {
		sum += float64(s) * float64(s)
	}
	return sum / float64(len(sound))
}
