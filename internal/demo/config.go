package demo

import (
	"bytes"
	_ "embed"
	"fmt"
	"time"

	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/onion/tornet"
	"github.com/sottovoce/sotto/onion/trace"
	"github.com/sottovoce/sotto/voice"
)

//go:embed speech.wav
var speech []byte

// Limits of a demo's talk.
const (
	LeastTalk = 20 * time.Second
	MostTalk  = 10 * time.Minute
)

// How long it rings by default. With Delays it is as long as a person may take
// and the caller needs to try out its circuits, which join a second apart.
const (
	shortRing = 1500 * time.Millisecond
	longRing  = 8 * time.Second
)

// Config says what to show.
type Config struct {
	Tor      string        // path of the tor program; "": looked for
	Speech   string        // a WAV file; "": the clip that comes with sotto
	Talk     time.Duration // how long both talk; 0: as long as the clip, 20 s to 60 s
	Ring     time.Duration // until the callee answers; 0: half a second, or with Delays 8 s, in which the paths join
	Circuits int           // paths of the call, 1 to 8; 0: the default
	Delays   string        // a folder of traces, or "model:SEED": how late circuits are; "": not at all
	Seed     uint64        // which circuits are drawn from Delays
	Out      string        // a folder for the WAV files; "": none
	Event    func(Event)   // called in order; must not block
}

// Check says what is wrong with the configuration before anything is started.
func (c Config) Check() error {
	if _, _, err := c.clip(); err != nil {
		return err
	}
	_, err := c.delays()
	return err
}

// delays are how late the demo's circuits are.
func (c Config) delays() (*tornet.Delays, error) {
	if c.Delays == "" {
		return nil, nil
	}
	traces, err := trace.Open(c.Delays)
	if err != nil {
		return nil, fmt.Errorf("delays: %w", err)
	}
	deck := trace.NewDeck(traces, c.Seed)
	return tornet.NewDelays(func() (there, back tornet.Delay) { return deck.Delays() }), nil
}

func (c Config) clip() (*voice.Clip, time.Duration, error) {
	var clip *voice.Clip
	var err error
	if c.Speech == "" {
		clip, err = voice.ReadWAV(bytes.NewReader(speech))
	} else {
		clip, err = voice.OpenWAV(c.Speech)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%w: speech: %w", phone.ErrAudio, err)
	}
	talk := c.Talk
	if talk == 0 {
		talk = min(max(clip.Duration(), LeastTalk), time.Minute)
	}
	return clip, min(talk, MostTalk), nil
}

func (c Config) ring() time.Duration {
	switch {
	case c.Ring > 0:
		return c.Ring
	case c.Delays != "":
		return longRing
	}
	return shortRing
}
