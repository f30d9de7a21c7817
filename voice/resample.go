package voice

import (
	"math"
	"sync"
)

// Resampler changes the sample rate of a stream of mono sound with a
// band-limited kernel: a sinc under a Kaiser window. Output samples fall on few
// places between those of the input where the rates have much in common, 160 from
// 44.1 to 48 kHz: then each place has its row of weights. Else these are looked up in
// a table with linear interpolation, so that any pair of rates works, prime ones
// included, at ten to fifteen times the work.
//
// Measured (see resample_test.go): errors stay 100 dB below a tone up to 0.45
// of the lower rate, and what lies above half of it is 100 dB down. The output
// is aligned with the input: output sample k is the input at k·from/to. It
// therefore lags by half the kernel, 64 samples of the lower rate (1.5 ms at
// 44.1 kHz).
//
// Write and Read do not allocate once the input's usual chunk has been seen.
type Resampler struct {
	from, to int
	kernel   []float32 // right half, phases samples a zero crossing, and one more for interpolation
	scale    float64   // kernel steps an input sample
	gain     float32   // makes a constant pass unchanged
	half     int       // input samples on each side that the kernel reaches, and a few more
	rows     []float32 // weights of the 2·half samples around each place; nil: there are too many
	common   int       // what of frac is between two places

	in   []float32 // input not yet used up; in[0] is the first that a later output may need
	next int       // index into in of the input sample at or just before the next output
	frac int       // and how far past it the output is, in 1/to of an input sample
}

// The kernel's shape: with β = 10 the stop band is about 100 dB down and its
// transition is 100 dB / (2.285·2π·2·crossings) = 0.05 of the rate wide, which
// the cut-off places just under half the lower rate.
const (
	crossings = 64
	phases    = 512
	kaiser    = 10.0
	cutoff    = 0.95    // of half the lower rate: the middle of the transition
	mostRows  = 1 << 18 // weights in all rows: 1 MB
)

// NewResampler makes a resampler between two rates in Hz, both positive.
func NewResampler(from, to int) *Resampler {
	r := &Resampler{from: from, to: to}
	if from == to {
		return r
	}
	ratio := min(1, float64(to)/float64(from))          // the lower rate over the input's
	r.half = (int(math.Ceil(crossings/ratio)) + 7) &^ 7 // rows of sixteens
	r.scale = ratio * phases
	r.gain = float32(ratio)
	r.kernel = kernelTable()
	if r.common = gcd(from, to); to/r.common*2*r.half <= mostRows {
		r.rows = make([]float32, to/r.common*2*r.half)
		for i := range r.rows {
			place, n := i/(2*r.half), i%(2*r.half)-r.half+1
			r.rows[i] = r.gain * r.weight(math.Abs(float64(n)-float64(place*r.common)/float64(to))*r.scale)
		}
	}
	r.in = make([]float32, r.half) // silence before the first sample
	r.next = r.half
	return r
}

func gcd(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// kernelTable is the right half of the windowed sinc.
var kernelTable = sync.OnceValue(func() []float32 {
	table := make([]float32, crossings*phases+2)
	norm := bessel0(kaiser)
	for i := range table {
		t := float64(i) / phases // in samples of the lower rate
		if t >= crossings {
			break
		}
		u := t / crossings
		window := bessel0(kaiser*math.Sqrt(1-u*u)) / norm
		table[i] = float32(cutoff * sinc(cutoff*t) * window)
	}
	return table
})

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel0 is the modified Bessel function of the first kind, order zero.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-17; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}

// Write takes more input.
func (r *Resampler) Write(in []float32) {
	r.discard()
	r.in = append(r.in, in...)
}

// Flush stands for the end of the input: it lets Read give the samples that
// were still waiting for what follows them. Nothing may be written after it.
func (r *Resampler) Flush() {
	r.Write(make([]float32, r.half))
}

// Read fills out as far as the input written so far allows and returns how
// many samples it made.
func (r *Resampler) Read(out []float32) int {
	if r.from == r.to {
		n := copy(out, r.in[r.next:])
		r.next += n
		return n
	}
	for i := range out {
		if r.next+r.half >= len(r.in) {
			return i
		}
		out[i] = r.at()
		for r.frac += r.from; r.frac >= r.to; r.frac -= r.to {
			r.next++
		}
	}
	return len(out)
}

// at weighs the input on both sides of the next output.
func (r *Resampler) at() float32 {
	if r.rows != nil {
		row := r.rows[r.frac/r.common*2*r.half:][:2*r.half]
		return weigh(r.in[r.next-r.half+1:][:len(row)], row)
	}
	offset := float64(r.frac) / float64(r.to)
	before := r.side(r.in[r.next-r.half+1:r.next+1], offset, true)
	after := r.side(r.in[r.next+1:r.next+r.half+1], 1-offset, false)
	return (before + after) * r.gain
}

// side sums samples against the kernel, distance being that of the nearest
// one, which is the last when they lie before the output.
func (r *Resampler) side(samples []float32, distance float64, before bool) float32 {
	var sum float32
	position := distance * r.scale
	for i := range samples {
		if before {
			i = len(samples) - 1 - i
		}
		sum += samples[i] * r.weight(position)
		position += r.scale
	}
	return sum
}

// weight is the kernel so many steps from its middle.
func (r *Resampler) weight(position float64) float32 {
	k := int(position)
	if k >= len(r.kernel)-2 {
		return 0
	}
	part := float32(position - float64(k))
	return r.kernel[k] + part*(r.kernel[k+1]-r.kernel[k])
}

// discard forgets the input that no later output can need.
func (r *Resampler) discard() {
	if spent := r.next - r.half; spent > 0 {
		n := copy(r.in, r.in[spent:])
		r.in = r.in[:n]
		r.next = r.half
	}
}
