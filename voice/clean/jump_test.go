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

// TestNothingJumps plays what is alike at many delays into rooms that stay as they
// are, and one that changes: nothing of what was learnt may be moved.
func TestNothingJumps(t *testing.T) {
	const long = 10 * second
	beeps := func(hz float64, on, off time.Duration) []float32 {
		x := make([]float32, long)
		for i := range x {
			at := time.Duration(i) * time.Second / second % (on + off)
			edge := min(1, min(at, on-at).Seconds()/0.004)
			if at < on {
				x[i] = float32(0.1 * edge * math.Sin(2*math.Pi*hz*float64(i)/second))
			}
		}
		return add(x, hiss(long, -70))
	}
	for name, x := range map[string][]float32{
		"busy":  beeps(425, 480*ms, 480*ms),
		"quick": beeps(450, 250*ms, 250*ms),
		"short": beeps(1400, 60*ms, 60*ms),
		"tone":  beeps(440, time.Hour, 0),
	} {
		for _, moved := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, another room %v", name, moved), func(t *testing.T) {
				mic := newRoom(4, 60*ms, 300*ms, 6).play(x)
				if moved {
					copy(mic[6*second:], newRoom(5, 75*ms, 300*ms, 6).play(x)[6*second:])
				}
				mic = add(mic, hiss(long, -65))
				moves := 0
				cl, err := New(Config{NoNoise: true, NoGain: true})
				if err != nil {
					t.Fatal(err)
				}
				defer cl.Close()
				for at := 0; at+hop <= long; at += hop {
					before := cl.echo.jump.wait
					cl.hop(mic[at:at+hop:at+hop], x[at:at+hop])
					if after := cl.echo.jump.wait; after > before && after == held/hop {
						moves++
					}
				}
				if moves > 0 {
					t.Errorf("%d moves", moves)
				}
			})
		}
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
