package clean

import (
	"fmt"
	"math"
	"testing"
	"time"
)

const ms = time.Millisecond

// loss is by how much the echo comes back weaker, in dB, second by second.
func loss(mic, out []float32) (db []float64) {
	for at := 0; at+second <= len(out); at += second {
		db = append(db, dbfs(mic[at:at+second])-dbfs(out[at:at+second]))
	}
	return db
}

// TestEchoReturnLoss lets the far side alone speak into rooms of several delays.
func TestEchoReturnLoss(t *testing.T) {
	spoken := far(t)[:8*second]
	for _, delay := range []time.Duration{20 * ms, 60 * ms, 120 * ms, 180 * ms} {
		t.Run(fmt.Sprint(delay), func(t *testing.T) {
			echo := newRoom(uint64(delay), delay, 300*ms, 6).play(spoken)
			mic := add(echo, hiss(len(echo), -75))
			db := loss(mic, cleaned(t, Config{NoNoise: true, NoGain: true}, mic, spoken))
			t.Logf("echo return loss of each second: %.0f dB", db)
			for at, v := range db[3:] {
				if v < 25 {
					t.Errorf("only %.1f dB in second %d", v, at+3)
				}
			}
		})
	}
}

// TestEchoOfAnotherRoom moves the loudspeaker after 6 s.
func TestEchoOfAnotherRoom(t *testing.T) {
	spoken := far(t)[:12*second]
	mic := newRoom(1, 40*ms, 300*ms, 6).play(spoken)
	moved := newRoom(2, 75*ms, 300*ms, 3).play(spoken)
	copy(mic[6*second:], moved[6*second:])
	mic = add(mic, hiss(len(mic), -75))
	db := loss(mic, cleaned(t, Config{NoGain: true}, mic, spoken))
	t.Logf("echo return loss of each second: %.0f dB", db)
	for at, v := range db {
		if (at > 2 && at < 6 || at > 10) && v < 25 {
			t.Errorf("only %.1f dB in second %d", v, at)
		}
	}
}

// TestBothSpeak has the near side speak while the far side does, from the
// beginning, and from when the way is known. Its words have to come through.
func TestBothSpeak(t *testing.T) {
	spoken := far(t)[:14*second]
	echo := newRoom(3, 60*ms, 300*ms, 6).play(spoken)
	for _, from := range []int{0, 4} {
		own := make([]float32, len(spoken))
		copy(own[from*second:], near(t))
		mic := add(add(echo, own), hiss(len(own), -75))
		out := cleaned(t, Config{NoNoise: true, NoGain: true}, mic, spoken)[step:]
		for _, part := range [][2]int{{from, from + 3}, {from + 3, 14}} {
			a, b := own[part[0]*second:part[1]*second-step], out[part[0]*second:part[1]*second-step]
			like, louder, gone := kept(a, b)
			before, _, _ := kept(a, mic[part[0]*second:part[1]*second-step])
			t.Logf("near side from %d s, seconds %d to %d: correlation %.3f (microphone %.3f), level %+.1f dB, %.1f %% of it 6 dB down",
				from, part[0], part[1], like, before, louder, gone)
			most, least := 3.0, 0.96
			if from == 0 { // it has to learn the way meanwhile
				most, least = 8, 0.95
			}
			if part[0] == 0 { // and knows nothing of it yet
				most, least = 20, 0.9
			}
			if like < least || math.Abs(louder) > 3 || gone > most {
				t.Error("the near side is not kept")
			}
		}
	}
}

// kept compares speech with what became of it where it is louder than −40 dBFS:
// the correlation, by how much it is louder, dB, and what share of it is more
// than 6 dB down, percent.
func kept(own, out []float32) (like, louder, gone float64) {
	var ab, aa, bb float64
	down, n := 0, 0
	for at := 0; at+2*hop <= len(own); at += hop {
		a, b := own[at:at+2*hop], out[at:at+2*hop]
		if dbfs(a) < -40 {
			continue
		}
		n++
		if dbfs(b) < dbfs(a)-6 {
			down++
		}
		for i := range a {
			ab += float64(a[i] * b[i])
			aa += float64(a[i] * a[i])
			bb += float64(b[i] * b[i])
		}
	}
	return ab / math.Sqrt(aa*bb), 10 * math.Log10(bb/aa), 100 * float64(down) / float64(n)
}

// TestEchoAfterARest has the far side silent for long, before its first word and
// after it was learnt.
func TestEchoAfterARest(t *testing.T) {
	spoken := far(t)[:8*second]
	for _, rest := range []int{10, 40} {
		quiet := make([]float32, rest*second)
		x := append(append(append(quiet, spoken...), quiet...), spoken...)
		mic := add(newRoom(5, 60*ms, 300*ms, 6).play(x), hiss(len(x), -75))
		db := loss(mic, cleaned(t, Config{NoNoise: true, NoGain: true}, mic, x))
		for _, at := range []int{rest, 2*rest + 8} {
			t.Logf("after %d s without a word: %.0f dB", rest, db[at:at+8])
			for i, v := range db[at+4 : at+8] {
				if v < 25 {
					t.Errorf("only %.1f dB in second %d", v, i+4)
				}
			}
		}
	}
}

// TestNothingPlayed must change nothing but the delay.
func TestNothingPlayed(t *testing.T) {
	own := near(t)[:6*second]
	out := cleaned(t, Config{NoNoise: true, NoGain: true}, own, nil)
	var wrong []float32
	for i, v := range out[step:] {
		wrong = append(wrong, v-own[i])
	}
	if got := dbfs(wrong); got > -100 {
		t.Errorf("what is changed has %.1f dBFS", got)
	}
}
