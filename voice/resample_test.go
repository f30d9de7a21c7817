package voice

import (
	"fmt"
	"math"
	"testing"
)

// resampled runs a tone of freq Hz through a resampler in uneven chunks.
func resampled(from, to int, freq, seconds float64) []float32 {
	r := NewResampler(from, to)
	in := tone(from, freq, seconds)
	var out []float32
	var block [700]float32
	drain := func() {
		for n := r.Read(block[:]); n > 0; n = r.Read(block[:]) {
			out = append(out, block[:n]...)
		}
	}
	for size := 1; len(in) > 0; size = size%977 + 13 {
		n := min(size, len(in))
		r.Write(in[:n])
		in = in[n:]
		drain()
	}
	r.Flush()
	drain()
	return out
}

func tone(rate int, freq, seconds float64) []float32 {
	out := make([]float32, int(seconds*float64(rate)))
	for i := range out {
		out[i] = float32(0.5 * math.Sin(2*math.Pi*freq*float64(i)/float64(rate)))
	}
	return out
}

// residue returns the energy of want and of what got differs by, edges left out.
func residue(got, want []float32) (signal, err float64) {
	for i := 4000; i < len(want)-4000; i++ {
		d := float64(got[i] - want[i])
		err += d * d
		signal += float64(want[i]) * float64(want[i])
	}
	return signal, err
}

func TestResamplerSignalToError(t *testing.T) {
	for _, c := range []struct {
		from, to int
		freq     float64
	}{
		{8000, 48000, 440},
		{8000, 48000, 3500},
		{11025, 48000, 4800},
		{16000, 48000, 7000},
		{22050, 48000, 9000},
		{44100, 48000, 997},
		{44100, 48000, 19000},
		{44101, 48000, 1000},
		{96000, 48000, 20000},
		{384000, 48000, 15000},
		{48000, 44100, 19000},
		{48000, 48000, 23000},
	} {
		t.Run(fmt.Sprintf("%d to %d at %g Hz", c.from, c.to, c.freq), func(t *testing.T) {
			got, want := resampled(c.from, c.to, c.freq, 0.5), tone(c.to, c.freq, 0.5)
			if len(got) < len(want)-4 || len(got) > len(want)+4 {
				t.Fatalf("%d samples, want about %d", len(got), len(want))
			}
			want = want[:min(len(got), len(want))]
			signal, err := residue(got, want)
			snr := 10 * math.Log10(signal/max(err, 1e-30))
			t.Logf("signal to error %.1f dB", snr)
			if snr < 95 {
				t.Errorf("signal to error %.1f dB, want 95", snr)
			}
		})
	}
}

// TestResamplerAlias puts a tone above half the new rate, where anything that
// comes out is an alias.
func TestResamplerAlias(t *testing.T) {
	for _, c := range []struct {
		from, to int
		freq     float64
	}{
		{96000, 48000, 24500},
		{96000, 48000, 40000},
		{384000, 48000, 180000},
		{48000, 44100, 22600},
		{48000, 16000, 9000},
	} {
		out := resampled(c.from, c.to, c.freq, 0.5)
		var sum float64
		for _, s := range out[2000 : len(out)-2000] {
			sum += float64(s) * float64(s)
		}
		rejection := 10 * math.Log10(0.125/(sum/float64(len(out)-4000)+1e-30))
		t.Logf("%d to %d: %g Hz is %.1f dB down", c.from, c.to, c.freq, rejection)
		if rejection < 90 {
			t.Errorf("%d to %d: %g Hz only %.1f dB down", c.from, c.to, c.freq, rejection)
		}
	}
}

// TestResamplerImages looks for the mirror of an upsampled tone: 8 kHz sound
// holding 3.5 kHz must not bring 4.5 kHz with it.
func TestResamplerImages(t *testing.T) {
	out := resampled(8000, 48000, 3500, 0.5)
	image := amplitude(out[4000:20000], 48000, 4500)
	down := 20 * math.Log10(0.5/(image+1e-30))
	t.Logf("image %.1f dB down", down)
	if down < 95 {
		t.Errorf("image only %.1f dB down", down)
	}
}

// amplitude measures one frequency in x under a Hann window.
func amplitude(x []float32, rate int, freq float64) float64 {
	var re, im, norm float64
	for i, s := range x {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(len(x)))
		a := 2 * math.Pi * freq * float64(i) / float64(rate)
		re += w * float64(s) * math.Cos(a)
		im += w * float64(s) * math.Sin(a)
		norm += w / 2
	}
	return math.Hypot(re, im) / norm
}

func BenchmarkResample44100(b *testing.B) {
	r := NewResampler(44100, 48000)
	in := tone(44100, 440, 0.02)
	var out [1000]float32
	b.ReportAllocs()
	for b.Loop() {
		r.Write(in)
		r.Read(out[:])
	}
}
