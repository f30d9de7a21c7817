package voice

// weigh is the sum of what samples count. Each bridge asks 48,000 times a second, and
// Go knows no way to count four at once.
//
//go:noescape
func weigh(samples, row *[2 * bridgeTaps]float32) float32
