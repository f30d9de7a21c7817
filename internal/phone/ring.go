package phone

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/portaudio"
)

// The ring: two tones together at −20 dBFS each, for so long in every so long.
const (
	ringLow, ringHigh = 440, 480 // Hz
	ringOn            = time.Second
	ringEvery         = 4 * time.Second
	ringEdge          = 10 * time.Millisecond // so that it does not click
)

// Ring rings on the loudspeaker until ctx ends. Where a file stands in for it
// nothing is to be heard, and it returns at once.
func (s *Sounds) Ring(ctx context.Context) error {
	if s.audio.Out.Given() {
		return nil
	}
	speaker, err := portaudio.OpenSink(s.audio.Speaker, nil)
	if err != nil {
		return fmt.Errorf("%w: it does not ring on the loudspeaker: %w", ErrAudio, err)
	}
	defer speaker.Close()
	at := 0
	return speaker.Run(ctx, func(out []float32) {
		for i := range out {
			out[i] = ringSample(at)
			at++
		}
	})
}

// ringSample is the ring's sample number at.
func ringSample(at int) float32 {
	const rate, on, edge = voice.SampleRate, int(ringOn * voice.SampleRate / time.Second), int(ringEdge * voice.SampleRate / time.Second)
	at %= int(ringEvery * rate / time.Second)
	if at >= on {
		return 0
	}
	loud := min(1, float64(at)/float64(edge), float64(on-at)/float64(edge))
	turn := 2 * math.Pi * float64(at) / rate
	return float32(0.1 * loud * (math.Sin(ringLow*turn) + math.Sin(ringHigh*turn)))
}
