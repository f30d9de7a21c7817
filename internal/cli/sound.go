package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/jitter"
)

// sound is how calls sound.
type sound struct {
	audio phone.Audio
	delay jitter.Config
	best  quality
}

// flags adds the flags for it.
func (s *sound) flags(c *cobra.Command) {
	a, f := &s.audio, c.Flags()
	f.Var(&s.best, "quality", "best voice profile to use: 24k, 16k or 12k; less sounds worse and leaves more copies of each frame for a bad network; the lesser of both sides' counts")
	f.DurationVar(&s.delay.Min, "min-delay", jitter.DefaultMin, "hold at least so much sound back, for fewer gaps")
	f.DurationVar(&s.delay.Max, "max-delay", jitter.DefaultMax, "aim at no more delay than this above the least, whatever is missed by it")
	f.StringVar(&a.Mic, "mic", "", "microphone, by name or number (see sotto devices)")
	f.StringVar(&a.Speaker, "speaker", "", "loudspeaker, by name or number (see sotto devices)")
	f.Var((*off)(&a.Clean.NoEcho), "echo", "take the loudspeaker's echo out of the microphone's sound: on or off")
	f.Var((*off)(&a.Clean.NoNoise), "noise", "lower noise in the microphone's sound: on or off")
	f.Var((*off)(&a.Clean.NoGain), "gain", "bring the microphone's sound to an even level: on or off")
	f.Var(&a.Sidetone, "sidetone", "hear yourself softly in the loudspeaker: on, off, or auto, with a headset alone")
	settings(f, "quality", "min-delay", "max-delay", "mic", "speaker", "echo", "noise", "gain", "sidetone")
	s.files(c)
}

// fileFlags are those for files in place of devices.
var fileFlags = []string{"in", "out", "record"}

// files adds these.
func (s *sound) files(c *cobra.Command) {
	a, f := &s.audio, c.Flags()
	f.Var(&a.In, "in", "say this in place of the microphone: a WAV or Ogg Opus FILE, or - for standard input; raw:RATE:CHANNELS:s16le[:FILE], bare samples; tone[:HZ]; silence")
	f.Var(&a.Out, "out", "keep what is heard in this FILE, in the place of what it holds, and nothing on the loudspeaker: Ogg Opus if it ends in .opus or .ogg, else WAV; - is standard output, opus:- too; raw:RATE:CHANNELS:s16le[:FILE], bare samples")
	f.Var(&a.Record, "record", "keep both voices, mixed, in this new FILE (Ogg Opus by its name, as --out); the other side is told before")
}

// soundFlags are those that say how a phone sounds, and torFlags by which tor it
// reaches anybody: no business of a call that another process's phone makes.
var soundFlags = []string{
	"quality", "min-delay", "max-delay", "mic", "speaker", "echo", "noise", "gain", "sidetone", "in", "out", "record", "stay", "circuits",
}

var torFlags = []string{"network", "tor", "tor-control", "tor-listen", "tor-target"}

// check refuses, besides, a recording that would be no file, and two of what there
// can be one of.
func (s *sound) check(c *cobra.Command) error {
	for _, two := range [][2]string{{"mic", "in"}, {"speaker", "out"}} {
		if f := c.Flags(); f.Changed(two[0]) && f.Changed(two[1]) {
			return usageError{fmt.Errorf("--%s and --%s: the second is in place of the first, give one of them", two[0], two[1])}
		}
	}
	if s.audio.Record.Standard() {
		return usageError{fmt.Errorf("--record %s: a recording goes to a file", &s.audio.Record)}
	}
	return checkDelays(s.delay)
}

// checkDelays refuses limits that nothing can be between.
func checkDelays(c jitter.Config) error {
	if c.Min <= 0 || c.Max < c.Min || c.Max > jitter.MostMax {
		return usageError{fmt.Errorf("--min-delay %v --max-delay %v: the first above 0, the second no less than it, and at most %v", c.Min, c.Max, jitter.MostMax)}
	}
	return nil
}
