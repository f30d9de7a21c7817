package jitter

import (
	"testing"
	"time"
)

// TestWhatIsLearntFirst: who has been learnt from waits as long as the network wants
// it to when frames come, and not the 150 ms of one who knows nothing.
func TestWhatIsLearntFirst(t *testing.T) {
	b := New(Config{})
	now := time.Duration(0)
	for tick := range uint32(100) {
		now += FrameTime
		b.Learn(now, 7000+tick)
		if tick%2 == 0 {
			b.Learn(now, 7000+tick) // twice
		}
	}
	if d := b.Pop(now, 0); d.Action != Wait {
		t.Fatalf("before there is a frame: %v", d.Action)
	}
	if s := b.Stats(); s.Level != 0 {
		t.Errorf("%d frames are said to wait", s.Level)
	}
	first := now + FrameTime
	for seq := range uint32(3) {
		now += FrameTime
		b.Push(now, seq, []byte{1})
	}
	b.Learn(now, 7200) // of another path, late: it must not take away what is here
	if d := b.Pop(first+DefaultMin, 0); d.Action != Play || d.Seq != 0 {
		t.Errorf("%v after the first frame: %v of frame %d", DefaultMin, d.Action, d.Seq)
	}
}

// TestFirstRecordWithOlderFrames: the first frame is to be as late as the network wants
// it, above the fastest; one that came with a newer one is that late already.
func TestFirstRecordWithOlderFrames(t *testing.T) {
	for older := range uint32(3) {
		b := New(Config{})
		now := time.Duration(0)
		for tick := range uint32(100) {
			now += FrameTime
			b.Learn(now, tick)
		}
		for seq := range older + 1 {
			b.Push(now, seq, []byte{1})
		}
		if left := DefaultMin - time.Duration(older)*FrameTime; left > 0 {
			if d := b.Pop(now, 0); d.Action != Wait || d.Surplus != -left {
				t.Errorf("with %d older ones: %v, %v left; want %v", older, d.Action, -d.Surplus, left)
			}
			now += left
		}
		if d := b.Pop(now, 0); d.Action != Play || d.Seq != 0 {
			t.Errorf("with %d older ones: %v of %d", older, d.Action, d.Seq)
		}
	}
}

// TestNumbersThatJump: a hostile peer numbers as it likes.
func TestNumbersThatJump(t *testing.T) {
	for _, jump := range []uint32{1<<31 - 1, 1 << 31, 1 << 30, Capacity, Capacity - 1, 1<<32 - 1, 1<<32 - Capacity, 3} {
		learnt, pushed := New(Config{}), New(Config{})
		now, seq := time.Duration(0), uint32(0)
		for range 5000 {
			now += FrameTime
			seq += jump
			learnt.Learn(now, seq)
			pushed.Push(now, seq, []byte{1})
			learnt.Pop(now, 0)
			pushed.Pop(now, 0)
		}
	}
}
