package voice

import "math"

// Class is what a piece of sound holds, as far as playing it at another speed
// goes.
type Class uint8

// The classes.
const (
	Pause    Class = iota // nobody speaks: a pause, with whatever noise there is
	Unvoiced              // speech without pitch, and the weak end of any speech
	Voiced                // speech with pitch; any sound with one
)

// The detector's constants. Levels are mean squares in dBFS.
const (
	lowestFloor  = -75.0 // what is weaker is no background but none at all
	firstFloor   = -55.0 // believed until more is known, so that a call may begin in speech
	aboveFloor   = 7.0   // dB: speech is that much above the least of the background
	abovePitched = 4.0   // dB: less is asked of what has a pitch
	aboveFaint   = 3.0   // dB: what stands out by more may be speech to someone who hears better
	belowLoudest = 50.0  // dB: what is weaker than the loudest speech by that much is background
	loudestFalls = 1.5   // dB a second
	voicedFrom   = 0.65  // correlation from one period to the next
	voicedStill  = 0.5   // the same, once voiced
	unlikeNoise  = 0.8   // correlation of what noise hardly ever is
	pitchedFor   = 8 * SampleRate
	hangover     = SampleRate * 80 / 1000
	leastPart    = SampleRate * 160 / 1000 // samples of one part of the window that the floor is the least of
	leastParts   = 12                      // 1.9 s: longer than one speaks without any pause or closure
	smoothing    = 0.4
)

// Activity tells speech from pauses as it hears them. Its zero value works.
//
// The background is the least level, smoothed, of the last 2 s (after R. Martin's
// minimum statistics, 2001), without what has a pitch, for long vowels are no
// background; speech is what stands out from it. Loud noise that is there from
// the start passes for speech that long, a steady tone for 8 s. The first 80 ms
// after speech still count as speech, because words end weakly.
type Activity struct {
	pitch   pitchMeter
	heard   bool
	level   float64 // smoothed, dBFS
	least   [leastParts]float64
	part    int // index into least of the part being heard
	inPart  int // samples of it so far
	floor   float64
	loudest float64 // of the last while
	pitched int     // samples for which there has been a pitch, all the time
	voiced  bool    // the last piece was
	spoken  int     // samples of this burst of speech
	hang    int     // samples of hangover left
	weak    bool    // the last piece stood out from nothing, hangover or not
	faint   bool    // it did so a little
}

// Classify tells what piece holds, which follows the one before. Pieces of 5 or
// 10 ms are right. It takes about 1 µs, 2 µs in speech.
func (a *Activity) Classify(piece []float32) Class {
	if len(piece) == 0 {
		return Pause
	}
	if !a.heard {
		a.heard, a.level, a.floor, a.loudest = true, firstFloor, firstFloor, firstFloor
		for i := range a.least {
			a.least[i] = firstFloor
		}
	}
	level := loudnessOf(piece)
	a.level += smoothing * (level - a.level)
	a.pitch.hear(piece)
	correlation := 0.0
	if level > a.floor+abovePitched {
		correlation = a.pitch.correlation()
	}
	a.background(level, correlation, len(piece))

	need := voicedFrom
	if a.voiced {
		need = voicedStill
	}
	a.voiced = correlation > need && level > a.floor+abovePitched
	a.weak = !a.voiced && level < a.floor+aboveFloor
	a.faint = level > a.floor+aboveFaint
	switch {
	case a.voiced:
		a.speak(len(piece))
		return Voiced
	case !a.weak:
		a.speak(len(piece))
		return Unvoiced
	}
	a.spoken = 0
	if a.hang <= 0 {
		return Pause
	}
	a.hang -= len(piece)
	return Unvoiced
}

// speak counts n samples of speech. A lone click earns less hangover than a word.
func (a *Activity) speak(n int) {
	a.spoken += n
	a.hang = max(a.hang, min(hangover, 2*a.spoken))
}

// background follows the level of what is heard when nobody speaks.
func (a *Activity) background(level, correlation float64, n int) {
	if correlation > unlikeNoise {
		a.pitched += n
	} else {
		a.pitched = 0
	}
	if a.pitched == 0 || a.pitched > pitchedFor {
		a.least[a.part] = min(a.least[a.part], max(lowestFloor, a.level))
	}
	if a.inPart += n; a.inPart >= leastPart {
		a.inPart = 0
		a.part = (a.part + 1) % leastParts
		a.least[a.part] = math.Inf(1)
	}
	floor := math.Inf(1)
	for _, l := range a.least {
		floor = min(floor, l)
	}
	a.loudest = max(a.level, a.loudest-loudestFalls*float64(n)/SampleRate)
	if !math.IsInf(floor, 1) {
		a.floor = floor
	}
	a.floor = max(a.floor, a.loudest-belowLoudest)
}

// loudnessOf is the mean square in dBFS, without what does not swing.
func loudnessOf(piece []float32) float64 {
	var sum, squares float32
	for _, x := range piece {
		sum += x
		squares += x * x
	}
	n := float32(len(piece))
	power := float64((squares - sum*sum/n) / n)
	if !(power > 1e-9) { // not a number, too
		return -90
	}
	return 10 * math.Log10(min(power, 2))
}
