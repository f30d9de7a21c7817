//go:build !amd64

package voice

// weigh is the sum of what samples count.
func weigh(samples, row *[2 * bridgeTaps]float32) float32 {
	var s0, s1, s2, s3 float32
	for i := 0; i < len(samples); i += 4 {
		s0 += samples[i] * row[i]
		s1 += samples[i+1] * row[i+1]
		s2 += samples[i+2] * row[i+2]
		s3 += samples[i+3] * row[i+3]
	}
	return s0 + s1 + s2 + s3
}
