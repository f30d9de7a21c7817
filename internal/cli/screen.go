package cli

import "sync"

// screen is what one incoming call at a time has: the terminal's attention and
// its keys. A call that was answered, or is a contact's, keeps it until it is
// over; a stranger's that only rings gives way to a contact's.
type screen struct {
	mu sync.Mutex
	on *holder // nil: it is free
}

// holder is a call that has the screen, or wants it.
type holder struct {
	keys     chan byte
	stranger bool
	answered bool
	yield    func() // is told, under the lock, that a contact's call has the screen now
}

// claim takes the screen if it may be had.
func (s *screen) claim(h *holder) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on != nil {
		if h.stranger || !s.on.stranger || s.on.answered {
			return false
		}
		s.on.yield()
	}
	s.on = h
	return true
}

// settle says that h is answered, and so will not give way any more. It reports
// whether h still has the screen: if not, it must not be answered.
func (s *screen) settle(h *holder) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on != h {
		return false
	}
	h.answered = true
	return true
}

// release gives the screen back, and reports whether h had it.
func (s *screen) release(h *holder) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on != h {
		return false
	}
	s.on = nil
	return true
}

// press gives a key to the call that has the screen, and reports whether one
// has.
func (s *screen) press(key byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on == nil {
		return false
	}
	select {
	case s.on.keys <- key:
	default: // nobody types faster than a call can listen
	}
	return true
}
