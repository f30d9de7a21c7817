package phone

import (
	"context"
	"errors"
	"math"
	"strings"

	"github.com/sottovoce/sotto/voice"
)

// Sidetone says whether people hear their own voice, softly, as in a telephone:
// with a headset one's ears are closed, and speaks too loud without.
type Sidetone uint8

// The choices.
const (
	SidetoneAuto Sidetone = iota // when the loudspeaker's name is a headset's
	SidetoneOn
	SidetoneOff
)

var sidetones = [...]string{"auto", "on", "off"}

// String is the choice as the flag takes it.
func (s *Sidetone) String() string { return sidetones[*s] }

// Set reads what String gives.
func (s *Sidetone) Set(text string) error {
	for i, name := range sidetones {
		if text == name {
			*s = Sidetone(i)
			return nil
		}
	}
	return errors.New("it is on, off or auto")
}

// Type is what help shows.
func (*Sidetone) Type() string { return "on|off|auto" }

// wanted reports whether it is to be heard by a loudspeaker of that name.
func (s Sidetone) wanted(name string) bool {
	if s != SidetoneAuto {
		return s == SidetoneOn
	}
	name = strings.ToLower(name)
	for _, part := range []string{"headset", "headphone", "earphone", "earbud", "airpod", "hands-free", "handsfree"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

const (
	sideLevel = -18.0                                  // dB
	sideHeld  = voice.FrameSamples + voice.PullSamples // samples that wait at first: they come a frame at a time
	sideMost  = sideHeld + 2*voice.FrameSamples        // and at most; then it begins anew
	sideFade  = voice.SampleRate * 5 / 1000            // samples in which it comes and goes
	sideStep  = float32(1) / sideFade                  // of the gain, a sample
)

var sideGain = float32(math.Pow(10, sideLevel/20))

// sidetone carries what goes out to what is played. The two are on clocks of
// their own, so that now and then, when they are a frame apart, it fades out and
// in. One goroutine gives and one takes; neither waits, locks or allocates.
type sidetone struct {
	ring voice.Ring

	// The taker's:
	at   uint64
	on   bool
	gain float32 // 0 to 1
	work [voice.PullSamples]float32
}

// Said takes what goes out.
func (s *sidetone) Said(f *voice.Frame) { s.ring.Write(f[:]) }

// mix adds it to out.
func (s *sidetone) mix(out []float32) {
	for at := 0; at < len(out); at += len(s.work) {
		s.piece(out[at:min(len(out), at+len(s.work))])
	}
}

func (s *sidetone) piece(out []float32) {
	waits := int64(s.ring.Written()) - int64(s.at)
	switch {
	case s.gain > 0: // what is being heard
		s.on = waits >= int64(2*len(out)) && waits <= sideMost // there is enough to fade out with
	case waits >= sideHeld+int64(len(out)):
		s.at, s.on = s.ring.Written()-sideHeld-uint64(len(out)), true
	default:
		return
	}
	if !s.ring.Copy(s.work[:len(out)], s.at) {
		s.gain = 0
		return
	}
	s.at += uint64(len(out))
	for i := range out {
		if s.on {
			s.gain = min(1, s.gain+sideStep)
		} else {
			s.gain = max(0, s.gain-sideStep)
		}
		out[i] += sideGain * s.gain * s.work[i]
	}
}

// sidetoneSink plays one's own voice too.
type sidetoneSink struct {
	voice.Sink
	side *sidetone
}

func (s sidetoneSink) Run(ctx context.Context, pull func([]float32)) error {
	return s.Sink.Run(ctx, func(out []float32) { pull(out); s.side.mix(out) })
}
