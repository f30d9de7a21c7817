package phone

import (
	"math"
	"testing"

	"github.com/sottovoce/sotto/voice"
)

// A second of two tones in every four, that begins and ends softly and is not
// too loud.
func TestTheRing(t *testing.T) {
	energy := func(second int) (sum float64) {
		for i := range voice.SampleRate {
			x := float64(ringSample(second*voice.SampleRate + i))
			sum += x * x
		}
		return math.Sqrt(sum / voice.SampleRate)
	}
	for second, want := range []float64{0.1, 0, 0, 0, 0.1} {
		if got := energy(second); math.Abs(got-want) > 0.005 {
			t.Errorf("second %d: %v", second, got)
		}
	}
	for at := range 5 * voice.SampleRate {
		if step := math.Abs(float64(ringSample(at+1) - ringSample(at))); step > 0.015 {
			t.Fatalf("it clicks at %d: %v", at, step)
		}
	}
}
