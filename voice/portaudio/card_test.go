package portaudio

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// loudspeakerCard is one without a library, a server or a process.
func loudspeakerCard(rate int) *card {
	return &card{rate: rate, channels: 1, bell: make(chan struct{}, 1), began: time.Now()}
}

// answer is what the call does: as much sound as is asked for, numbered.
func answer(c *card, n int, next *float32) {
	for n > 0 {
		piece := make([]float32, min(n, voice.PullSamples))
		for i := range piece {
			*next++
			piece[i] = *next
		}
		c.ring.Write(piece)
		c.asked.Add(-int64(len(piece)))
		n -= len(piece)
	}
}

// TestWhatTheCardTakesIsThere: every callback finds all that it takes, in order, of
// any size; and no more is pulled than one callback needs and 10 ms.
func TestWhatTheCardTakesIsThere(t *testing.T) {
	for _, block := range []int{64, 256, 441, 960, 1024} {
		c := loudspeakerCard(voice.SampleRate)
		var next, last float32
		most := 0
		out := make([]float32, block)
		for k := range 1000 {
			c.played(out)
			for _, v := range out {
				if last > 0 && v != last+1 {
					t.Fatalf("%d samples a callback: after %g comes %g in callback %d", block, last, v, k)
				}
				last = v
			}
			if n := c.short(); n > 0 {
				answer(c, n, &next)
			}
			most = max(most, int(c.ring.Written()-c.taken.Load()))
		}
		if last == 0 || most > block+480 {
			t.Errorf("%d samples a callback: the last sample is %g, at most %d were held", block, last, most)
		}
	}
}

// TestACardThatTakesTwiceAtOnce: after it has done so for the first few times there
// is enough for the next; and when it does so no more, no more is held.
func TestACardThatTakesTwiceAtOnce(t *testing.T) {
	c := loudspeakerCard(voice.SampleRate)
	var next float32
	out := make([]float32, 960)
	silent := 0
	random := rand.New(rand.NewPCG(1, 2))
	for k := range 6000 {
		twice := k >= 100 && k < 1000 && random.IntN(10) == 0
		if c.played(out); twice {
			c.played(out)
		}
		if k > 5 && out[len(out)-1] == 0 {
			silent++
		}
		if n := c.short(); n > 0 {
			answer(c, n, &next)
		}
	}
	held := int(c.ring.Written() - c.taken.Load())
	t.Logf("%d callbacks without sound, then %d samples held", silent, held)
	if silent > 5 || held > 960+480 {
		t.Errorf("%d callbacks had no sound, %d samples are held in the end", silent, held)
	}
}

// TestCallbacksAllocateNothing, nor does what feeds them decide at any cost.
func TestCallbacksAllocateNothing(t *testing.T) {
	c := loudspeakerCard(44100)
	c.channels = 2
	sound := make([]float32, 2*441)
	if n := testing.AllocsPerRun(1000, func() {
		c.played(sound)
		c.short()
		c.heard(sound)
	}); n != 0 {
		t.Errorf("%v allocations a callback", n)
	}
}
