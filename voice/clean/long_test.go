package clean

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestTheEchoStaysAway plays noise without an end: what is left of it is not to be
// taken for the room's own, nor the filter to learn what is not there.
func TestTheEchoStaysAway(t *testing.T) {
	random, state := rand.New(rand.NewPCG(1, 2)), 0.0
	x := make([]float32, 40*second)
	for i := range x {
		state += 0.25 * (random.NormFloat64() - state)
		x[i] = float32(0.1 * math.Sqrt(7) * state)
	}
	mic := hiss(len(x), -65)
	const delay = 2890 // samples
	for i := range x[delay:] {
		mic[i+delay] += x[i] / 2
	}
	db := loss(mic, cleaned(t, Config{NoNoise: true, NoGain: true}, mic, x))
	t.Logf("echo return loss of each second: %.0f dB", db)
	for at, v := range db[3:] {
		if v < 30 {
			t.Errorf("only %.1f dB in second %d", v, at+3)
		}
	}
}
