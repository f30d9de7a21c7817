package voice

// Spectrum is for tests.
func Spectrum(x []float64, n int) []complex128 { return spectrum(x, n) }
