package phone

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call/playout"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/jitter"
	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/clean"
)

// TestAFrameAllocatesNothing takes frames from a microphone's callback to the
// encoder and from the packet to a loudspeaker's callback, everything on. What is
// between packet and packet, call's TestATickAllocatesNothing has.
func TestAFrameAllocatesNothing(t *testing.T) {
	// The clock is the test's: 20 ms a frame.
	now := time.Duration(0)
	mic := &clockedMic{now: &now, began: time.Now()}
	c, err := newCleaning(mic, clean.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.cleaner.Close()
	encoder, err := Codec{}.NewEncoder(record.Profiles[0])
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := Codec{}.NewDecoder(record.Profiles[0])
	if err != nil {
		t.Fatal(err)
	}
	ear := playout.New(jitter.Config{}, decoder)
	side := &sidetone{}
	var said, heard voice.Level
	var f, sound voice.Frame
	out := make([]float32, voice.FrameSamples)
	packet := make([]byte, record.Profiles[0].Bytes)
	random := rand.New(rand.NewPCG(1, 2))
	frames, seq := 0, uint32(0)
	frame := func() {
		now += voice.FrameTime
		for i := range sound {
			sound[i] = float32(0.1 * random.NormFloat64())
		}
		mic.Write(now, sound[:])
		c.played.Mark(now, uint64(seq)*voice.FrameSamples)
		for {
			ok, err := c.Read(&f)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			frames++
			said.Add(f[:])
			side.Said(&f)
			if err := encoder.Encode(packet, &f); err != nil {
				t.Fatal(err)
			}
		}
		if seq++; seq%20 != 0 { // the rest is concealed
			ear.Push(now, seq, packet)
		}
		ear.Pull(now, out)
		heard.Add(out)
		side.mix(out)
		c.played.Put(out)
	}
	for range 200 {
		frame()
	}
	if n := testing.AllocsPerRun(1000, frame); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
	if frames < 1150 || heard.RMS() < -40 {
		t.Errorf("%d frames, heard at %.0f dBFS", frames, heard.RMS())
	}
}

// clockedMic is a microphone on the test's clock.
type clockedMic struct {
	now   *time.Duration
	began time.Time
	voice.Bridge
}

func (m *clockedMic) Read(f *voice.Frame) (bool, error) { return m.Bridge.Read(*m.now, f), nil }

func (m *clockedMic) Came() time.Time { return m.began.Add(m.Bridge.Came()) }
