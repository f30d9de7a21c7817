package phone

import (
	"context"
	"time"

	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/clean"
)

// cleaning is a microphone and a loudspeaker whose echo is taken out of it: what
// is played, stretched and made up as it is, is carried to the monotonic clock
// as the microphone's sound has been, and cleaned against frame by frame.
type cleaning struct {
	voice.Source
	began   time.Time
	played  voice.Bridge
	frame   voice.Frame
	cleaner *clean.Cleaner
}

func newCleaning(s voice.Source, c clean.Config) (*cleaning, error) {
	cleaner, err := clean.New(c)
	if err != nil {
		return nil, err
	}
	return &cleaning{Source: s, began: time.Now(), cleaner: cleaner}, nil
}

// Read gives the microphone's next frame, cleaned.
func (c *cleaning) Read(f *voice.Frame) (bool, error) {
	ok, err := c.Source.Read(f)
	if ok {
		c.played.Take(time.Since(c.began), &c.frame)
		c.cleaner.Clean(f, &c.frame)
	}
	return ok, err
}

// listeningSink tells a cleaning what is played.
type listeningSink struct {
	voice.Sink
	to *cleaning
}

func (l listeningSink) Run(ctx context.Context, pull func([]float32)) error {
	return l.Sink.Run(ctx, func(out []float32) {
		pull(out)
		l.to.played.Write(time.Since(l.to.began), out)
	})
}
