package jitter

import (
	"math"
	"time"
)

// Best is the highest rating on the wideband scale.
const Best = 129

// Rating is the E-model's rating of a conversation, on the wideband scale, where
// [Best] is the best there is: R = 129 - Idd - Ie,eff (ITU-T G.107.1, whose
// formulas for these two are those of G.107).
//
//	Idd    = 25·((1+X⁶)^⅙ - 3·(1+(X/3)⁶)^⅙ + 2), X = log₂(Ta/100 ms), 0 up to 100 ms
//	Ie,eff = Ie + (95-Ie)·Ppl / (Ppl/BurstR + Bpl)
//
// Ta is the delay from mouth to ear; Ppl is what was concealed, in percent, taken
// as independent losses (BurstR = 1). Ie and Bpl are those of the prices in
// price.go.
func Rating(delay time.Duration, concealedPercent float64) float64 {
	idd := 0.0
	if x := math.Log2(float64(delay) / float64(100*time.Millisecond)); x > 0 {
		root := func(x float64) float64 { return math.Pow(1+math.Pow(x, 6), 1./6) }
		idd = 25 * (root(x) - 3*root(x/3) + 2)
	}
	return Best - idd - (equipment + (95-equipment)*concealedPercent/(concealedPercent+robustness))
}
