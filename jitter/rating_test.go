package jitter_test

import (
	"math"
	"testing"
	"time"

	"github.com/sottovoce/sotto/jitter"
)

// At 250 ms X = 1.3219, and Idd = 25·(1.36032 - 3·1.00122 + 2); up to 100 ms it
// is 0. 5 % of loss cost (95 - 18.1)·5/23.7.
func TestRating(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		delay     time.Duration
		concealed float64
		want      float64
	}{
		{0, 0, jitter.Best - 18.1},
		{100 * ms, 0, jitter.Best - 18.1},
		{100 * ms, 5, jitter.Best - 18.1 - 76.9*5/23.7},
		{250 * ms, 0, jitter.Best - 18.1 - 8.917},
	} {
		if got := jitter.Rating(c.delay, c.concealed); math.Abs(got-c.want) > 0.01 {
			t.Errorf("%v, %v %%: %v, not %v", c.delay, c.concealed, got, c.want)
		}
	}
}
