package clean

import (
	"math"

	"github.com/sottovoce/sotto/voice"
)

// Target is the level that speech is brought to, in dBFS: the mean square of
// the time in which somebody speaks.
const Target = -23.0

const (
	mostGain   = 30.0  // dB
	leastGain  = -20.0 // dB
	slew       = 20.0  // dB a second, in speech
	fast       = 12    // hops of speech after which the level is believed at all
	memory     = 150   // hops of speech, 1.5 s, that the level is the mean of
	speechFrom = -60.0 // dBFS: what is weaker is never speech
	overNoise  = 10.0  // dB: speech is that much above the background
	within     = 25.0  // dB: what is weaker than the level by so much is not counted
	floorRises = 4.0   // dB a second
	knee       = 0.7   // of full scale, above which peaks are bent
)

// gain brings speech to [Target]: slowly, and only while there is speech, so
// that pauses are not pumped up. It allocates nothing and adds no delay. The
// zero value is not of use: see newGain.
type gain struct {
	floor float64 // of the background, dBFS
	mean  float64 // square of speech
	heard int     // hops of speech in mean, at most memory
	now   float64 // dB
}

func newGain() *gain { return &gain{floor: -50} }

// level changes sound, a hop long, in place. own says whether what is in it can
// be speech of this side; if it cannot, the gain stays what it is.
func (g *gain) level(sound []float32, own bool) {
	const seconds = float64(hop) / voice.SampleRate
	db := dbfs(sound)
	if db < g.floor {
		g.floor += 0.3 * (db - g.floor)
	} else {
		g.floor = min(db, g.floor+floorRises*seconds)
	}
	before := g.now
	if own && g.speech(db) {
		g.heard = min(g.heard+1, memory)
		g.mean += (math.Pow(10, db/10) - g.mean) / float64(g.heard)
		if g.heard >= fast {
			want := min(mostGain, max(leastGain, Target-10*math.Log10(g.mean)))
			g.now += max(-slew*seconds, min(slew*seconds, want-g.now))
		}
	}
	from, to := amplitude(before), amplitude(g.now)
	step := (to - from) / float32(len(sound))
	for i, s := range sound {
		sound[i] = bend(s * (from + step*float32(i)))
	}
}

// speech reports whether a hop of such a level is to be counted.
func (g *gain) speech(db float64) bool {
	if db < speechFrom || db < g.floor+overNoise {
		return false
	}
	return g.heard < fast || db > 10*math.Log10(g.mean)-within
}

func amplitude(db float64) float32 { return float32(math.Pow(10, db/20)) }

// bend leaves what is below the knee alone and keeps the rest within full scale.
func bend(v float32) float32 {
	switch {
	case v > knee:
		return knee + (1-knee)*float32(math.Tanh(float64((v-knee)/(1-knee))))
	case v < -knee:
		return -bend(-v)
	}
	return v
}
