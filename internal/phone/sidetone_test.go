package phone

import (
	"math"
	"testing"

	"github.com/sottovoce/sotto/voice"
)

// One's own voice is heard 18 dB weaker, whole, whatever the loudspeaker takes at
// once, and without a click when the clocks are 500 ppm apart.
func TestSidetone(t *testing.T) {
	for _, block := range []int{256, 441, 480, 1024} {
		var s sidetone
		var f voice.Frame
		out := make([]float32, block)
		said, played := 0, 0
		var last, step, sum float64
		n := 0
		for said < 60*voice.SampleRate {
			for i := range f {
				f[i] = float32(0.5 * math.Sin(2*math.Pi*200*float64(said+i)/voice.SampleRate))
			}
			s.Said(&f)
			for said += len(f); float64(played+block) < float64(said)*(1+500e-6); played += block {
				clear(out)
				s.mix(out)
				for _, v := range out {
					step = max(step, math.Abs(float64(v)-last))
					if last = float64(v); said > voice.SampleRate {
						sum += last * last
						n++
					}
				}
			}
		}
		level := 10*math.Log10(sum/float64(n)) - 10*math.Log10(0.125)
		steepest := 0.5 * float64(sideGain) * 2 * math.Pi * 200 / voice.SampleRate
		t.Logf("callbacks of %d: %.1f dB, steps %.2f times the tone's", block, level, step/steepest)
		if math.Abs(level+18) > 0.5 || step > 1.5*steepest {
			t.Errorf("callbacks of %d: %.1f dB, steps %.2f times the tone's", block, level, step/steepest)
		}
	}
}

func TestSidetoneIsForHeadsets(t *testing.T) {
	for name, want := range map[string]bool{"Jabra Headset (USB)": true, "WH-1000 Headphones": true, "HDA Intel: Speakers": false, "default": false} {
		for choice, always := range map[string]bool{"auto": want, "on": true, "off": false} {
			var s Sidetone
			if err := s.Set(choice); err != nil || s.wanted(name) != always || s.String() != choice {
				t.Errorf("%s with %s: %v, %v", choice, name, s.wanted(name), err)
			}
		}
	}
	if new(Sidetone).Set("maybe") == nil {
		t.Error("maybe is taken")
	}
}
