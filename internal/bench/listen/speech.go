package listen

import (
	"errors"
	"slices"

	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/opus"
)

// speech is what is said, over and over: the packets of each frame, and what
// it was before the codec.
type speech struct {
	said    []float32
	packets [][]byte
	kinds   kinds
}

// newSpeech encodes so many frames.
func newSpeech(said []float32, frames int) (*speech, error) {
	s := &speech{said: said, packets: make([][]byte, frames)}
	enc, err := opus.NewEncoder(opus.Profile24k)
	if err != nil {
		return nil, err
	}
	var f voice.Frame
	var detector voice.Activity
	size := opus.Profile24k.PacketBytes()
	all := make([]byte, frames*size)
	for k := range s.packets {
		s.frame(k, 0, &f)
		s.packets[k] = all[k*size : (k+1)*size]
		if err := enc.Encode(s.packets[k], &f); err != nil {
			return nil, err
		}
		s.frame(k, lookAhead, &f)
		for at := 0; at < len(f); at += part {
			s.kinds = append(s.kinds, detector.Classify(f[at:at+part]))
		}
	}
	if frames > 0 && !slices.ContainsFunc(s.kinds, func(c voice.Class) bool { return c != voice.Pause }) {
		return nil, errors.New("nobody speaks in the speech: give a WAV of someone speaking")
	}
	return s, nil
}

// lookAhead is by how many samples the codec's sound is late: the detector
// hears the original as late as that, to be in step with what is played.
const lookAhead = int(opus.LookAhead * voice.SampleRate / 1e9)

// frame fills f with what is said in frame k, so many samples later.
func (s *speech) frame(k, late int, f *voice.Frame) {
	for i := range f {
		f[i] = 0
		if at := k*len(f) + i - late; at >= 0 {
			f[i] = s.said[at%len(s.said)]
		}
	}
}

const (
	part  = voice.SampleRate / 200 // samples that are told apart: 5 ms
	parts = voice.FrameSamples / part
)

// kinds is what each 5 ms of the original are.
type kinds []voice.Class

// speech tells whether half of frame k or more is.
func (ks kinds) speech(k int) bool {
	n := 0
	for _, c := range ks[k*parts : (k+1)*parts] {
		if c != voice.Pause {
			n++
		}
	}
	return n >= parts/2
}

// voiced tells whether frame k is from end to end.
func (ks kinds) voiced(k int) bool {
	return ks.all(voice.Voiced, float64(k)*frameMS, float64(k+1)*frameMS)
}

// all tells whether the original is of a class from one ms until another.
func (ks kinds) all(c voice.Class, from, until float64) bool {
	const ms = 1000. * part / voice.SampleRate
	for i := max(0, int(from/ms)); i < len(ks) && float64(i)*ms < until; i++ {
		if ks[i] != c {
			return false
		}
	}
	return true
}
