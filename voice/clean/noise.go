package clean

// #cgo pkg-config: speexdsp
// #cgo LDFLAGS: -lm
// #include <math.h>
// #include <speex/speex_preprocess.h>
//
// enum { HOP = 240 }; // step
//
// static SpeexPreprocessState *begin(int rate, int suppress) {
// 	SpeexPreprocessState *s = speex_preprocess_state_init(HOP, rate);
// 	if (s) speex_preprocess_ctl(s, SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, &suppress);
// 	return s;
// }
//
// // run replaces a step of sound by the cleaned step before it.
// static void run(SpeexPreprocessState *s, float *sound) {
// 	spx_int16_t x[HOP];
// 	for (int i = 0; i < HOP; i++) {
// 		float v = sound[i] * 32768.f;
// 		x[i] = v >= 32767.f ? 32767 : v >= -32768.f ? (spx_int16_t)lrintf(v) : -32768;
// 	}
// 	speex_preprocess_run(s, x);
// 	for (int i = 0; i < HOP; i++) sound[i] = x[i] / 32768.f;
// }
import "C"

import (
	"errors"

	"github.com/sottovoce/sotto/voice"
)

// noise is speexdsp's noise suppression. It needs to be ended.
type noise struct{ state *C.SpeexPreprocessState }

// suppression is by how much noise is lowered at most, dB. More of it begins to
// eat at speech.
const suppression = 18

func newNoise() (noise, error) {
	s := C.begin(voice.SampleRate, -suppression)
	if s == nil {
		return noise{}, errors.New("no memory for noise suppression")
	}
	return noise{s}, nil
}

// suppress replaces sound, of whole steps, by what was cleaned a step before. The
// library's manual wants 10 to 20 ms; with 5 speech in noise comes out a little
// better and noise is lowered a little less.
func (n noise) suppress(sound []float32) {
	for ; len(sound) >= step; sound = sound[step:] {
		C.run(n.state, (*C.float)(&sound[0]))
	}
}

func (n noise) end() { C.speex_preprocess_state_destroy(n.state) }
