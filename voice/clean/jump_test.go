package clean

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// TestEchoThatJumps lets a sound server change its delay, in a room that stays as it
// is, while the far side speaks alone and while both do.
func TestEchoThatJumps(t *testing.T) {
	const long, at = 12 * second, 6 * second
	spoken := far(t)[:long]
	c := Config{NoNoise: true, NoGain: true}
	air := func(delay time.Duration) []float32 { return newRoom(1, delay, 300*ms, 6).play(spoken) }
	before := air(80 * ms)
	own := make([]float32, long)
	copy(own[at:], near(t))
	for _, by := range []time.Duration{-60 * ms, -9 * ms, ms / 3, 11 * ms, 37 * ms, 120 * ms} {
		t.Run(fmt.Sprint(by), func(t *testing.T) {
			echo := append([]float32(nil), before...)
			copy(echo[at:], air(80*ms + by)[at:])
			mic := add(echo, hiss(long, -75))
			db := loss(mic, cleaned(t, c, mic, spoken))
			t.Logf("echo return loss of each second: %.0f dB", db)
			for at, v := range db[8:] {
				if v < 25 {
					t.Errorf("only %.1f dB in second %d", v, at+8)
				}
			}
			mic = add(mic, own)
			out := cleaned(t, c, mic, spoken)
			like, louder, _ := kept(own[7*second:11*second], out[7*second+step:])
			was, _, _ := kept(own[7*second:11*second], mic[7*second:])
			t.Logf("what the near side says meanwhile: correlation %.3f (microphone %.3f), level %+.1f dB", like, was, louder)
			if like < 0.96 || math.Abs(louder) > 1 {
				t.Error("the near side is not kept")
			}
		})
	}
}

// BenchmarkFind is of a search through all delays.
func BenchmarkFind(b *testing.B) {
	j := new(jump)
	spoken := far(b)
	j.heard.add(spoken[second:][:held])
	j.believed.add(spoken[3*second:][:held])
	b.ReportAllocs()
	for b.Loop() {
		j.find()
	}
}

func BenchmarkMove(b *testing.B) {
	e := newEcho(newTransform())
	b.ReportAllocs()
	for b.Loop() {
		e.move(331)
	}
}
