package phone

import (
	"context"
	"time"

	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/clean"
)

// card is a microphone that knows when the first sample of the frame last read
// came to it.
type card interface {
	voice.Source
	Came() time.Time
}

// cleaning is a microphone and a loudspeaker whose echo is taken out of it: what
// is played, stretched and made up as it is, is carried to the clock that the
// microphone's sound is on, and cleaned against frame by frame.
type cleaning struct {
	card
	began   time.Time
	played  voice.Bridge
	frame   voice.Frame
	cleaner *clean.Cleaner
}

func newCleaning(s card, c clean.Config) (*cleaning, error) {
	cleaner, err := clean.New(c)
	if err != nil {
		return nil, err
	}
	return &cleaning{card: s, began: time.Now(), cleaner: cleaner}, nil
}

// Read gives the microphone's next frame, cleaned.
func (c *cleaning) Read(f *voice.Frame) (bool, error) {
	ok, err := c.card.Read(f)
	if ok {
		c.played.Beside(time.Since(c.began), c.Came().Sub(c.began), &c.frame)
		c.cleaner.Clean(f, &c.frame)
	}
	return ok, err
}

// listeningSink tells a cleaning what is played.
type listeningSink struct {
	loudspeaker
	to *cleaning
}

// loudspeaker is a [voice.Sink] that says when it takes what.
type loudspeaker interface {
	voice.Sink
	// OnTaken has told called, before pulls, with how many of the samples
	// pulled so far had been taken by the card at some time. It is set before
	// Run.
	OnTaken(told func(at time.Time, n uint64))
}

func (l listeningSink) Run(ctx context.Context, pull func([]float32)) error {
	began, played := l.to.began, &l.to.played
	l.OnTaken(func(at time.Time, n uint64) { played.Mark(at.Sub(began), n) })
	return l.loudspeaker.Run(ctx, func(out []float32) { pull(out); played.Put(out) })
}
