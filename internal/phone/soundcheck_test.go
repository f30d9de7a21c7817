package phone

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice/portaudio"
	"github.com/sottovoce/sotto/voice/portaudio/soundtest"
)

// TestSoundCheck goes around PulseAudio's null sink, whose microphone hears its
// loudspeaker: what is recorded is silence, and the chirps come back.
func TestSoundCheck(t *testing.T) {
	soundtest.Pulse(t)
	stages := map[SoundStage]bool{}
	r, err := SoundCheck{Long: time.Second, Event: func(e SoundEvent) { stages[e.Stage] = true }}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", *r)
	if len(stages) != 4 || r.Peak > -60 || r.Chirps == 0 || r.RoundTrip < r.Devices || r.Devices <= 0 || r.RoundTrip > time.Second {
		t.Errorf("stages %v, %+v", stages, *r)
	}
}

// TestSoundCheckWithoutACard says so.
func TestSoundCheckWithoutACard(t *testing.T) {
	soundtest.Alone(t, "pcm.!default { type hw card 99 }")
	_, err := SoundCheck{Long: time.Second, Event: func(SoundEvent) {}}.Run(t.Context())
	if !errors.Is(err, ErrAudio) || !errors.Is(err, portaudio.ErrNoDevice) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (SoundCheck{Event: func(SoundEvent) {}}).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
