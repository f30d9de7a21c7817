package switchboard

import (
	"github.com/sottovoce/sotto/internal/api"
)

// depth is how many events wait for a listener before it is let go: a minute of
// two calls, five times a second.
const depth = 600

// Listen gives what happens from now on, a Status first. The channel is closed
// when whoever listens is too slow, or by stop.
func (b *Board) Listen() (events <-chan api.Event, stop func()) {
	queue := make(chan api.Event, depth)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listeners[queue] = struct{}{}
	s := b.snapshot()
	queue <- api.Event{Status: &s}
	return queue, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.drop(queue)
	}
}

func (b *Board) drop(queue chan api.Event) {
	if _, on := b.listeners[queue]; on {
		delete(b.listeners, queue)
		close(queue)
	}
}

// tell gives an event to all who listen, and waits for nobody; b.mu is held.
func (b *Board) tell(e api.Event) {
	for queue := range b.listeners {
		select {
		case queue <- e:
		default:
			b.drop(queue)
		}
	}
}

// tellStatus tells how the phone stands; b.mu is held.
func (b *Board) tellStatus() {
	if len(b.listeners) > 0 {
		s := b.snapshot()
		b.tell(api.Event{Status: &s})
	}
}

// tellCall tells how a call stands, if it is one to be shown; b.mu is held.
func (b *Board) tellCall(l *line) {
	b.ring()
	if l.shown && len(b.listeners) > 0 {
		c := b.describe(l)
		b.tell(api.Event{Call: &c})
	}
}
