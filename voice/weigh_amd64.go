package voice

// weigh is the sum of what samples count, by a row of sixteens; there are no fewer
// samples. Bridges and resamplers ask 48,000 times a second each, and Go knows no way
// to count four at once.
//
//go:noescape
func weigh(samples, row []float32) float32
