package phone

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice/portaudio"
	"github.com/sottovoce/sotto/voice/portaudio/soundtest"
)

// TestSoundCheckWithoutACard says so. With one, cmd/sotto's TestDevices has it.
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
