package voice

import (
	"math"
	"math/cmplx"
	"time"
)

// Match is how one recording resembles another.
type Match struct {
	// Lag is how much later the second recording has what the first has. It is
	// good to about 1 ms for speech.
	Lag time.Duration
	// Envelope is the correlation, -1 to 1, of the loudness of both in steps of
	// 20 ms once aligned: near 1 if the same speech is in both, whatever a codec
	// has made of its waveform.
	Envelope float64
}

// The search for the lag runs at 8 kHz, which holds enough of a voice.
const (
	compareStep = 6                        // samples made one
	compareRate = SampleRate / compareStep // Hz
	envelope    = compareRate * 20 / 1000  // samples of a step of loudness
)

// Compare looks for what was sent in what was heard, both at 48 kHz. They may
// begin at different times and differ in length. If one is silent, or they
// overlap by less than half a second, the match is zero. Half a minute takes
// about 0.1 s.
func Compare(sent, heard []float32) Match {
	a, b := decimate(sent), decimate(heard)
	lag, ok := bestLag(a, b)
	if !ok {
		return Match{}
	}
	whole := int(math.Round(lag))
	a, b = a[min(len(a), max(0, -whole)):], b[min(len(b), max(0, whole)):]
	n := min(len(a), len(b))
	if n < compareRate/2 {
		return Match{}
	}
	return Match{
		Lag:      time.Duration(lag * float64(time.Second) / compareRate),
		Envelope: correlation(loudness(a[:n]), loudness(b[:n])),
	}
}

// decimate averages every compareStep samples: a coarse low-pass, the same for
// both sides.
func decimate(x []float32) []float64 {
	out := make([]float64, len(x)/compareStep)
	for i := range out {
		for _, s := range x[i*compareStep : (i+1)*compareStep] {
			out[i] += float64(s)
		}
	}
	return out
}

// bestLag is the peak of the cross-correlation, in samples, interpolated by a
// parabola.
func bestLag(a, b []float64) (float64, bool) {
	n := 1
	for n < len(a)+len(b) {
		n *= 2
	}
	fa, fb := spectrum(a, n), spectrum(b, n)
	for i := range fa {
		fa[i] = cmplx.Conj(fa[i]) * fb[i]
	}
	for i := range fa { // the inverse transform by way of the forward one
		fa[i] = cmplx.Conj(fa[i])
	}
	fft(fa)
	best := 0
	for i := range fa {
		if real(fa[i]) > real(fa[best]) {
			best = i
		}
	}
	at := func(i int) float64 { return real(fa[(i+n)%n]) }
	if at(best) <= 1e-9*float64(n) {
		return 0, false
	}
	left, mid, right := at(best-1), at(best), at(best+1)
	lag := float64(best)
	if best >= len(b) {
		lag -= float64(n)
	}
	if bend := left - 2*mid + right; bend < 0 {
		lag += 0.5 * (left - right) / bend
	}
	return lag, true
}

func spectrum(x []float64, n int) []complex128 {
	out := make([]complex128, n)
	for i, s := range x {
		out[i] = complex(s, 0)
	}
	fft(out)
	return out
}

// fft transforms x, whose length is a power of two, in place (radix 2,
// decimation in time).
func fft(x []complex128) {
	n := len(x)
	for i, j := 1, 0; i < n; i++ {
		bit := n >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		j ^= bit
		if i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	roots := make([]complex128, n/2)
	for i := range roots {
		sin, cos := math.Sincos(-2 * math.Pi * float64(i) / float64(n))
		roots[i] = complex(cos, sin)
	}
	for size := 2; size <= n; size *= 2 {
		half, stride := size/2, n/size
		for start := 0; start < n; start += size {
			for k := range half {
				u, v := x[start+k], x[start+half+k]*roots[k*stride]
				x[start+k], x[start+half+k] = u+v, u-v
			}
		}
	}
}

// loudness is the root mean square of each step of x.
func loudness(x []float64) []float64 {
	out := make([]float64, len(x)/envelope)
	for i := range out {
		for _, s := range x[i*envelope : (i+1)*envelope] {
			out[i] += s * s
		}
		out[i] = math.Sqrt(out[i] / envelope)
	}
	return out
}

// correlation is Pearson's; 0 if either side does not vary.
func correlation(a, b []float64) float64 {
	var ma, mb float64
	for i := range a {
		ma += a[i]
		mb += b[i]
	}
	ma /= float64(len(a))
	mb /= float64(len(b))
	var aa, bb, ab float64
	for i := range a {
		x, y := a[i]-ma, b[i]-mb
		aa, bb, ab = aa+x*x, bb+y*y, ab+x*y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
