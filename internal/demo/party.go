package demo

import (
	"context"
	"sync"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/onion/tornet"
	"github.com/sottovoce/sotto/voice"
)

// party is one of the two: a phone with a fresh identity, a clip for a voice,
// and tapes of what it says and hears.
type party struct {
	key         *identity.Key
	phone       *phone.Phone
	clip        *voice.Clip
	ring        time.Duration // before it answers
	source      *source
	mouth, ear  *ear
	said, heard *tape
	ended       chan error // of a call that it answered

	mu   sync.Mutex
	call *call.Call
	seen statuses
}

func newParty(home string, c Config, network *tornet.Network, clip *voice.Clip, mouth, ear *ear) (*party, error) {
	key, err := identity.NewKey(nil)
	if err != nil {
		return nil, err
	}
	p := &party{key: key, clip: clip, ring: c.ring(), mouth: mouth, ear: ear, said: &tape{}, heard: &tape{}, ended: make(chan error, 1)}
	p.source = &source{tape: p.said}
	p.phone, err = phone.New(phone.Config{Home: home, Network: network.Dir(), Tor: c.Tor})
	return p, err
}

func (p *party) config() call.Config {
	c := p.phone.Calls(p.key)
	c.Open = func(context.Context) (call.Sound, error) {
		p.source.player = p.clip.Play(true)
		return call.Sound{Source: p.source, Sink: taped{p.heard}}, nil
	}
	c.Probe = &probe{mouth: p.mouth, ear: p.ear, source: p.source}
	return c
}

// answer is the callee's: it lets it ring for a while and says yes.
func (p *party) answer(ctx context.Context, c *call.Call) {
	p.follow(c)
	inner, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	c.OnPhase = func(phase call.Phase) {
		if phase == call.Ringing {
			group.Go(func() {
				select {
				case <-inner.Done():
				case <-time.After(p.ring):
					c.Answer()
				}
			})
		}
	}
	p.ended <- c.Run(ctx)
}

// follow makes c the call that is looked at.
func (p *party) follow(c *call.Call) {
	p.mu.Lock()
	p.call = c
	p.mu.Unlock()
}

// look notes how the call stands.
func (p *party) look() {
	p.mu.Lock()
	c := p.call
	p.mu.Unlock()
	if c != nil {
		p.seen.note(c.Status())
	}
}

// wait gives how the call that was answered ended.
func (p *party) wait(ctx context.Context) error {
	select {
	case err := <-p.ended:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (p *party) side() Side {
	return Side{Level: p.source.level.RMS(), Delay: p.ear.newest(), Concealed: p.seen.last.Playout.ConcealedPercent()}
}

// taped is a loudspeaker that keeps what it plays.
type taped struct{ tape *tape }

func (t taped) Run(ctx context.Context, pull func([]float32)) error {
	began := time.Now()
	samples := time.Duration(0)
	sink := voice.Clocked{Alarm: voice.NewAlarm}
	return sink.Run(ctx, func(out []float32) {
		pull(out)
		t.tape.record(began.Add(samples*time.Second/voice.SampleRate), out)
		samples += time.Duration(len(out))
	})
}
