package voice

import (
	"sync"
	"testing"
)

// TestRing looks for what was written, not written yet, and overwritten.
func TestRing(t *testing.T) {
	var r Ring
	chunk := make([]float32, 1000)
	for n := 0; n < 2*RingSize; n += len(chunk) {
		for i := range chunk {
			chunk[i] = float32(n + i)
		}
		r.Write(chunk)
	}
	end := r.written.Load()
	var out [960]float32
	if r.Copy(out[:], end-959) {
		t.Error("what was not written yet is there")
	}
	if !r.Copy(out[:], end-960) || out[0] != float32(end-960) || out[959] != float32(end-1) {
		t.Errorf("the newest are %v to %v", out[0], out[959])
	}
	if !r.Copy(out[:], end-RingSize-100) || out[99] != 0 || out[100] != float32(end-RingSize) {
		t.Errorf("around the oldest are %v, %v", out[99], out[100])
	}
}

// TestRingTogether writes and reads at full speed from two goroutines: what is
// copied is a run of the samples written, with silence before it where the
// writer was faster.
func TestRingTogether(t *testing.T) {
	const total = 1 << 22 // exact in a float32
	var r Ring
	var writer sync.WaitGroup
	writer.Go(func() {
		var chunk [441]float32
		for n := 0; n < total; n += len(chunk) {
			for i := range chunk {
				chunk[i] = float32(n + i)
			}
			r.Write(chunk[:])
		}
	})
	defer writer.Wait()
	var f [960]float32
	for n := uint64(0); n < total-3*960; {
		from := max(n, r.written.Load())
		if n = from; n > 2000 {
			from = n - 2000
		}
		if !r.Copy(f[:], from) {
			continue
		}
		for i, s := range f {
			if s != 0 && s != float32(from+uint64(i)) {
				t.Fatalf("sample %d is %g", from+uint64(i), s)
			}
		}
	}
}

func BenchmarkBridge(b *testing.B) {
	var bridge Bridge
	var f Frame
	b.ReportAllocs()
	now := FrameTime
	for b.Loop() {
		now += FrameTime
		bridge.Write(now, f[:])
		bridge.Read(now, &f)
	}
}
