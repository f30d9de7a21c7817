package clean

import (
	"math"
	"math/bits"
)

const (
	size = 1024       // samples transformed
	bins = size/2 + 1 // of their spectrum, 46.875 Hz apart
)

// spectrum is the transform of size real samples.
type spectrum [bins]complex64

// transform holds what the Fourier transform of size real samples needs. They are
// taken as size/2 complex ones, whose spectrum is then split.
type transform struct {
	root    [size / 2]complex64 // exp(−2πi·k/size)
	roots   [size / 2]complex64 // those that each stage wants, one after another, from the second on
	reverse [size / 2]uint16
	work    [size / 2]complex64
}

func newTransform() *transform {
	t := &transform{}
	for k := range t.root {
		sin, cos := math.Sincos(-2 * math.Pi * float64(k) / size)
		t.root[k] = complex(float32(cos), float32(sin))
		t.reverse[k] = bits.Reverse16(uint16(k)) >> (16 - bits.Len(size/2-1))
	}
	for n := 2; n < size/2; n *= 2 {
		for k := range n {
			t.roots[n-2+k] = t.root[k*size/2/n]
		}
	}
	return t
}

// forward transforms x into s.
func (t *transform) forward(s *spectrum, x *[size]float32) {
	for i := range t.work {
		t.work[t.reverse[i]] = complex(x[2*i], x[2*i+1])
	}
	t.complex()
	z := t.work[0]
	s[0], s[size/2] = complex(real(z)+imag(z), 0), complex(real(z)-imag(z), 0)
	for k := 1; k <= size/4; k++ {
		a, b := t.work[k], conj(t.work[size/2-k])
		even, odd := half(a+b), half(a-b)*t.root[k]
		odd = complex(imag(odd), -real(odd))
		s[k], s[size/2-k] = even+odd, conj(even-odd)
	}
}

// backward is the inverse of forward. s is left as it was.
func (t *transform) backward(x *[size]float32, s *spectrum) {
	// Forward in the other direction, as the inverse is the conjugate of the
	// transform of the conjugate.
	const scale = 1.0 / (size / 2)
	lo, hi := real(s[0]), real(s[size/2])
	t.work[0] = complex((lo+hi)/2, -(lo-hi)/2)
	for k := 1; k <= size/4; k++ {
		a, b := s[k], conj(s[size/2-k])
		even, odd := half(a+b), half(a-b)*conj(t.root[k])
		odd = complex(-imag(odd), real(odd))
		t.work[t.reverse[k]], t.work[t.reverse[size/2-k]] = conj(even+odd), even-odd
	}
	t.complex()
	for i, z := range t.work {
		x[2*i], x[2*i+1] = real(z)*scale, -imag(z)*scale
	}
}

func half(z complex64) complex64 { return complex(real(z)*0.5, imag(z)*0.5) }

func conj(z complex64) complex64 { return complex(real(z), -imag(z)) }

// power is the square of z's magnitude.
func power(z complex64) float32 { return real(z)*real(z) + imag(z)*imag(z) }
