package clean

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

// TestTransform compares with the definition, and goes there and back.
func TestTransform(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var x, back [size]float32
	for i := range x {
		x[i] = float32(random.NormFloat64())
	}
	tr := newTransform()
	var s spectrum
	tr.forward(&s, &x)
	for k := 0; k < bins; k += 37 {
		var want complex128
		for i, v := range x {
			want += complex(float64(v), 0) * cmplx.Rect(1, -2*math.Pi*float64(i*k%size)/size)
		}
		if cmplx.Abs(complex128(s[k])-want) > 1e-3 {
			t.Errorf("bin %d is %v, want %v", k, s[k], want)
		}
	}
	tr.backward(&back, &s)
	for i, v := range back {
		if math.Abs(float64(v-x[i])) > 1e-5 {
			t.Fatalf("sample %d comes back as %v, was %v", i, v, x[i])
		}
	}
}

func BenchmarkTransform(b *testing.B) {
	tr := newTransform()
	var s spectrum
	var x [size]float32
	for b.Loop() {
		tr.forward(&s, &x)
	}
}
