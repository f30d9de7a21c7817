//go:build !amd64

package voice

// weigh is the sum of what samples count, by a row of sixteens; there are no fewer
// samples.
func weigh(samples, row []float32) float32 { return dot(row, samples) }
