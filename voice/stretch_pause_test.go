package voice_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sottovoce/sotto/voice"
)

// audible is how many samples are heard of those that came from from to to.
func (e *ear) audible(from, to int) float64 {
	sum := 0.0
	for _, r := range e.runs {
		if r.Of > 0 {
			both := min(int(r.Media)+r.Of, to) - max(int(r.Media), from)
			sum += float64(max(0, both)) * float64(r.Samples) / float64(r.Of)
		}
	}
	return sum
}

// Speech and pauses of any length, in silence or noise, at any surplus and speed:
// 60 ms of every pause are heard, or all of it; up to half of a piece of the
// detector's may be squeezed away at each of its ends.
func TestOfEveryPauseSixtyMillisecondsAreHeard(t *testing.T) {
	const ms = voice.SampleRate / 1000
	rapid.Check(t, func(t *rapid.T) {
		floor := rapid.SampledFrom([]float64{0, 0, 1e-4, 1e-3}).Draw(t, "noise")
		x := make([]float32, voice.FrameSamples)
		var pauses [][2]int
		for range rapid.IntRange(1, 3).Draw(t, "words") {
			word := vowel(rapid.IntRange(50, 300).Draw(t, "speech")*ms, float64(rapid.IntRange(80, 300).Draw(t, "hertz")), 0.5)
			pause := rapid.IntRange(40, 300).Draw(t, "pause") * ms
			x = joined(x, word, make([]float32, pause))
			pauses = append(pauses, [2]int{len(x) - pause, len(x)})
		}
		x = joined(x, vowel(200*ms, 150, 0.5))
		x = mix(x, whiteNoise(len(x), floor))
		e := newEar()
		e.play(x, float32(rapid.SampledFrom([]float64{1, 1.2, 2}).Draw(t, "speed")),
			time.Duration(rapid.IntRange(-100, 2000).Draw(t, "surplus"))*time.Millisecond)
		for _, p := range pauses {
			want := float64(min(60*ms, p[1]-p[0]) - 10*ms)
			if got := e.audible(p[0], p[1]); got < want {
				t.Fatalf("of a pause of %d ms %.1f ms are heard", (p[1]-p[0])/ms, got/ms)
			}
		}
	})
}

// A pause is cut by what is surplus, and no more than its first 80 ms, what may be
// the end of a word before them, and 20 ms before the next word are left.
func TestAPauseIsCutBySurplus(t *testing.T) {
	const ms = voice.SampleRate / 1000
	for _, floor := range []float64{0, 1e-3} {
		for _, surplus := range []int{0, 100, 300, 5000} {
			x := joined(make([]float32, 3*voice.SampleRate), speech(t)[:voice.SampleRate*7/10])
			pause := len(x)
			x = joined(x, make([]float32, voice.SampleRate), speech(t)[:voice.SampleRate*7/10])
			x = mix(x, whiteNoise(len(x), floor))
			e := newEar()
			var f voice.Frame
			left := 0
			for i := 0; i+len(f) <= len(x); i += len(f) {
				if i <= pause && i+len(f) > pause {
					left = surplus * ms
				}
				copy(f[:], x[i:])
				before, _ := e.told()
				held := e.Held()
				e.Play(&f, int64(i), 1, time.Duration(left)*time.Second/voice.SampleRate)
				after, _ := e.told()
				left -= len(f) - (after - before + e.Held() - held)
				e.drain()
			}
			e.Flush()
			e.drain()
			cut := float64(len(x)/len(f)*len(f)) - float64(len(e.out))
			if most := float64(surplus * ms); surplus < 500 && (cut > most+960 || cut < most-960) {
				t.Errorf("noise %g, %d ms surplus: %.1f ms cut", floor, surplus, cut/ms)
			}
			if heard := e.audible(pause, pause+voice.SampleRate) / ms; surplus > 1000 && (heard < 60 || heard > 200) {
				t.Errorf("noise %g: of a pause of 1 s %.1f ms are left", floor, heard)
			}
			if word := pause + voice.SampleRate + 10*ms; e.audible(word-15*ms, word) < float64(14*ms) {
				t.Errorf("noise %g, %d ms surplus: cut to the very beginning of a word", floor, surplus)
			}
			if j, was := jump(e.out), jump(x); j > 1.1*was {
				t.Errorf("noise %g, %d ms surplus: a jump of %.4f, the sound has %.4f", floor, surplus, j, was)
			}
		}
	}
}

// What is missing is added to a pause, at most as much again as it lasts.
func TestAPauseIsLengthened(t *testing.T) {
	const ms = voice.SampleRate / 1000
	x := make([]float32, 4*voice.SampleRate)
	copy(x[2*voice.SampleRate:], speech(t)[:voice.SampleRate*7/10])
	x = mix(x, whiteNoise(len(x), 1e-3))
	e := newEar()
	e.play(x[:3*voice.SampleRate], 1, 0)
	var f voice.Frame
	lack, frames := 300*ms, 0
	for i := 3 * voice.SampleRate; i+len(f) <= len(x); i += len(f) {
		copy(f[:], x[i:])
		ready := e.Ready()
		e.Play(&f, int64(i), 1, -time.Duration(lack)*time.Second/voice.SampleRate)
		if e.Held() > 0 {
			t.Fatal("sound is held back while there is too little")
		}
		if lack -= e.Ready() - ready - len(f); lack > 3*ms {
			frames++
		}
		e.drain()
	}
	if lack > 3*ms || lack < 0 {
		t.Errorf("%d samples are still missing", lack)
	}
	if frames > 20 {
		t.Errorf("it took %d frames to add 15", frames)
	}
	for _, r := range e.runs {
		if r.Of*2 < r.Samples {
			t.Errorf("%+v: slower than half", r)
		}
	}
	if j, was := jump(e.out[3*voice.SampleRate:]), jump(x[3*voice.SampleRate:]); j > 1.3*was {
		t.Errorf("a jump of %.4f, the noise has %.4f", j, was)
	}
	level := rootMeanSquare(e.out[3*voice.SampleRate:][:600*ms]) // half of it is blended
	if level < 0.95e-3 || level > 1.05e-3 {
		t.Errorf("noise of 0.001 is lengthened to %.5f", level)
	}
}

// What stands out from a pause by so little that it passes for background may be
// speech that the codec weakened: it is heard, and so is as much after it as after
// a word.
func TestFaintSpeechIsNotCut(t *testing.T) {
	const ms = voice.SampleRate / 1000
	quiet, faint := whiteNoise(2*voice.SampleRate, 1e-3), whiteNoise(200*ms, 1.7e-3) // 4.6 dB above
	x := joined(quiet, vowel(300*ms, 150, 0.5))
	from := len(x)
	x = joined(x, faint, quiet[:500*ms], vowel(300*ms, 150, 0.5))
	e := newEar()
	e.play(x, 1, 5*time.Second)
	heard := len(faint) + 160*ms
	rendered := 0
	for _, r := range e.runs {
		if r.Of > 0 {
			rendered += max(0, min(int(r.Media)+r.Of, from+heard)-max(int(r.Media), from))
		}
	}
	if rendered < heard {
		t.Errorf("of %d ms from the faint sound on %.1f ms are cut", heard/ms, float64(heard-rendered)/ms)
	}
	if got := e.audible(from+heard, from+len(faint)+500*ms); got > float64(150*ms) {
		t.Errorf("of the pause after it %.1f ms are heard", got/ms)
	}
}
