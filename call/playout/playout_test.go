package playout_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call/playout"
	"github.com/sottovoce/sotto/jitter"
	"github.com/sottovoce/sotto/voice"
)

// decoder makes frames whose samples are the packet's first byte, and refuses
// packets that begin with 255; made-up sound is −1.
type decoder struct{}

// at is where a frame is looked at: where it is not joined with the one before.
const at = 900

func (decoder) Decode(f *voice.Frame, p []byte) error {
	if p[0] == 255 {
		return errors.New("no sound")
	}
	fill(f, float32(p[0]))
	return nil
}

func (decoder) Conceal(f *voice.Frame) error { fill(f, -1); return nil }

func fill(f *voice.Frame, v float32) {
	for i := range f {
		f[i] = v
	}
}

func TestWhatComesIsHeardAndTheRestMadeUp(t *testing.T) {
	ear := playout.New(jitter.Config{Min: 60 * time.Millisecond, Max: 60 * time.Millisecond}, decoder{})
	var heard []uint32
	ear.Playing = func(seq uint32, _ time.Duration) { heard = append(heard, seq) }
	var got []float32
	for i := range 60 {
		now := time.Duration(i) * jitter.FrameTime
		switch {
		case i == 20: // lost
		case i == 30:
			ear.Push(now, 30, []byte{255})
		case i < 50:
			ear.Push(now, uint32(i), []byte{byte(i)})
		}
		f := voice.Frame{42}
		ear.Pull(now, f[:])
		got = append(got, f[at])
	}
	for i, v := range got {
		want := float32(i - 3)
		switch {
		case i < 3:
			want = 0 // waiting for the target: silence, not what was in f
		case i-3 == 20, i-3 == 30:
			want = -1
		case i-3 > 45: // what is left is made to last, then sound is made up
			continue
		}
		if v != want {
			t.Errorf("20 ms number %d sounds like %v, want %v", i, v, want)
		}
	}
	s := ear.Stats()
	if s.Heard != 57*voice.FrameTime || s.Concealed < 100*time.Millisecond || s.Concealed > 180*time.Millisecond || s.Refused != 1 || len(heard) != 48 {
		t.Errorf("%+v, %d heard", s, len(heard))
	}
	if p := s.ConcealedPercent(); p < 8 || p > 16 {
		t.Errorf("%.2f %% concealed", p)
	}
}

// TestBeginsToTheSample: where it is known how long the first frame is to wait, that
// does not depend on when the loudspeaker asks.
func TestBeginsToTheSample(t *testing.T) {
	ear := playout.New(jitter.Config{}, decoder{})
	now := time.Duration(0)
	for tick := range uint32(100) {
		now += jitter.FrameTime
		ear.Learn(now, tick, 1)
	}
	var asked, at time.Duration
	ear.Playing = func(_ uint32, in time.Duration) { at = asked + in - now }
	ear.Push(now, 0, []byte{1})
	for asked = now + 3*time.Millisecond; at == 0 && asked < now+time.Second; asked += 10 * time.Millisecond {
		ear.Pull(asked, make([]float32, voice.PullSamples))
	}
	if late := at - jitter.DefaultMin; late < 0 || late > 50*time.Microsecond {
		t.Errorf("the first frame is heard %v after it came, want %v", at, jitter.DefaultMin)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	ear := playout.New(jitter.Config{}, decoder{})
	packet := make([]byte, 60)
	var f voice.Frame
	seq := uint32(0)
	if n := testing.AllocsPerRun(1000, func() {
		now := time.Duration(seq) * jitter.FrameTime
		ear.Push(now, seq, packet)
		ear.Pull(now, f[:])
		seq++
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// What a card takes at once is decided on as if it were taken 10 ms at a time, as
// it sounds: the same is heard, and when is told right.
func TestALongPullIsManyShortOnes(t *testing.T) {
	config := jitter.Config{Min: 60 * time.Millisecond, Max: 60 * time.Millisecond}
	type begin struct {
		seq uint32
		at  time.Duration
	}
	listen := func(piece int) (heard []float32, begins []begin) {
		ear := playout.New(config, decoder{})
		now := time.Duration(0)
		ear.Playing = func(seq uint32, in time.Duration) { begins = append(begins, begin{seq, now + in}) }
		out := make([]float32, piece)
		for at := 0; at < 50*voice.FrameSamples; at += piece {
			now = time.Duration(at) * time.Second / voice.SampleRate
			for i := range 6 { // all that can be wanted until the next pull
				seq := uint32(at/voice.FrameSamples + i)
				ear.Push(now, seq, []byte{byte(seq)})
			}
			ear.Pull(now, out)
			heard = append(heard, out...)
		}
		return heard, begins
	}
	short, at := listen(voice.PullSamples)
	long, same := listen(4 * voice.PullSamples)
	if !slices.Equal(short[10*voice.FrameSamples:], long[10*voice.FrameSamples:]) {
		t.Error("what is heard depends on how much is pulled at once")
	}
	if len(at) < 40 || !slices.Equal(at, same) {
		t.Errorf("frames begin at %v, and of longer pulls at %v", at, same)
	}
}
