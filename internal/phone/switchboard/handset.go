package switchboard

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/voice"
)

// handset is one microphone and one loudspeaker for all calls of a phone, of
// which one has it at a time. It is open as long as any call talks.
//
//	microphone ─▶ handset ─▶ lease of the call that has it; silence for the others
//	loudspeaker ◀─ handset ◀─ lease of the call that has it; a clock pulls the others
type handset struct {
	open func(context.Context) (call.Sound, error)
	has  atomic.Pointer[lease] // nil: nobody

	reading sync.Mutex // one at a time reads the microphone

	mu    sync.Mutex // held while devices open and close
	users int
	sound call.Sound
	stop  context.CancelFunc
	ended chan struct{} // closed when the loudspeaker has stopped
	err   error         // why, once ended is closed
}

// lease is a call's part in a handset.
type lease struct {
	*handset
	mu   sync.Mutex // one at a time pulls, loudspeaker or clock
	pull func([]float32)
}

// fill fills out with what the call hears, if it is heard at all.
func (l *lease) fill(out []float32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pull == nil {
		clear(out)
		return
	}
	l.pull(out)
}

func (l *lease) pulls(pull func([]float32)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pull = pull
}

func (h *handset) lease() *lease { return &lease{handset: h} }

// take gives the handset to l's call.
func (l *lease) take() { l.has.Store(l) }

// leave gives it back, should l's call have it.
func (l *lease) leave() { l.has.CompareAndSwap(l, nil) }

// Open is what a call opens in place of devices.
func (l *lease) Open(ctx context.Context) (call.Sound, error) {
	h := l.handset
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users == 0 {
		sound, err := h.open(ctx)
		if err != nil {
			return call.Sound{}, err
		}
		running, stop := context.WithCancel(context.WithoutCancel(ctx))
		ended := make(chan struct{})
		h.sound, h.stop, h.ended, h.err = sound, stop, ended, nil
		go func() {
			h.err = sound.Sink.Run(running, h.play)
			close(ended)
		}()
	}
	h.users++
	return call.Sound{Source: l, Sink: l, Close: l.close}, nil
}

// play fills out with what the call hears that has the handset.
func (h *handset) play(out []float32) {
	if l := h.has.Load(); l != nil {
		l.fill(out)
		return
	}
	clear(out)
}

// Read gives the microphone's next frame to the call that has the handset. Where
// none has, all are on hold, and whoever asks first keeps the microphone empty.
func (l *lease) Read(f *voice.Frame) (bool, error) {
	if has := l.has.Load(); has != nil && has != l {
		return false, nil
	}
	l.reading.Lock()
	defer l.reading.Unlock()
	return l.sound.Source.Read(f)
}

// Run has the call's sound pulled until ctx ends: by the loudspeaker while it
// has the handset, by a clock else.
func (l *lease) Run(ctx context.Context, pull func([]float32)) error {
	l.pulls(pull)
	defer l.pulls(nil)
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-l.ended:
			cancel()
		case <-inner.Done():
		}
	}()
	var clock voice.Clocked
	err := clock.Run(inner, func(out []float32) {
		if l.has.Load() != l {
			l.fill(out)
		}
	})
	cancel()
	<-stopped
	if ctx.Err() == nil {
		return l.err
	}
	return err
}

// close ends a call's part; the last one closes the devices.
func (l *lease) close() {
	l.leave()
	h := l.handset
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users--; h.users > 0 {
		return
	}
	h.stop()
	if h.sound.Close != nil {
		h.sound.Close() // the microphone first
	}
	<-h.ended
}
