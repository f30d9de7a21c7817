package voice

import "math"

// Resampler changes the sample rate of a stream of mono sound with a
// band-limited kernel: a sinc under a Kaiser window, looked up in a table with
// linear interpolation, so that any pair of rates works, prime ones included.
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
	half     int       // input samples on each side that the kernel reaches

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
	cutoff    = 0.95 // of half the lower rate: the middle of the transition
)

// NewResampler makes a resampler between two rates in Hz, both positive.
func NewResampler(from, to int) *Resampler {
	r := &Resampler{from: from, to: to}
	if from == to {
		return r
	}
	ratio := min(1, float64(to)/float64(from)) // the lower rate over the input's
	r.half = int(math.Ceil(crossings / ratio))
	r.scale = ratio * phases
	r.gain = float32(ratio)
	r.kernel = kernelTable()
	r.in = make([]float32, r.half) // silence before the first sample
	r.next = r.half
	return r
}

// kernelTable computes the right half of the windowed sinc.
func kernelTable() []float32 {
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
}

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
		r.frac += r.from
		r.next += r.frac / r.to
		r.frac %= r.to
	}
	return len(out)
}

// at weighs the input on both sides of the next output.
func (r *Resampler) at() float32 {
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
	limit := float64(len(r.kernel) - 2)
	for i := range samples {
		if position >= limit {
			break
		}
		k := int(position)
		part := float32(position - float64(k))
		weight := r.kernel[k] + part*(r.kernel[k+1]-r.kernel[k])
		if before {
			sum += samples[len(samples)-1-i] * weight
		} else {
			sum += samples[i] * weight
		}
		position += r.scale
	}
	return sum
}

// discard forgets the input that no later output can need.
func (r *Resampler) discard() {
	if spent := r.next - r.half; spent > 0 {
		n := copy(r.in, r.in[spent:])
		r.in = r.in[:n]
		r.next = r.half
	}
}
