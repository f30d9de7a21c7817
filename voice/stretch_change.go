package voice

// squeeze makes as much of what is held ready as can be told yet, faster than it
// came, and cuts up to surplus samples out of pauses.
func (s *Stretch) squeeze(surplus int) {
	for s.at < s.end {
		here, end := s.piece(s.at)
		known, class := s.alike(here)
		rate := s.pace.rate(class)
		switch {
		case here.class == Pause && surplus > 0 && s.pace.mayCut(here) && !s.fade.begun():
			n := min(surplus, known-beforeSpeech-s.at)
			least := 1
			if !s.fade.pending() {
				least = leastCut
			}
			if n < least {
				if known == s.end && surplus >= least {
					return // whether a word begins is not known
				}
				s.pass(known - s.at)
				continue
			}
			s.fade.from(s.in[s.at:], !s.fade.pending())
			s.at += n
			surplus -= n
		case s.fade.pending():
			s.pass(min(end-s.at, s.fade.left()))
		case here.weak && s.pace.quiet < leastPause, here.class == Pause && s.pace.paused < leastPause:
			s.pass(end - s.at)
		case rate <= 1:
			s.pass(end - s.at)
		case s.end-s.at < ahead:
			return
		case s.pace.pass > 0:
			n := min(s.pace.pass, end-s.at)
			s.pace.owe(n, rate)
			s.pass(n)
		default:
			s.pace.pass = s.leaveOut(min(known-s.at, ahead)/2, rate, class == Voiced)
		}
	}
}

// alike is up to where in in sound can be squeezed together with what is here, and
// as what. It ends where a pause or the silence before it begins or ends, and
// before a voice, unless that leaves too little.
func (s *Stretch) alike(here piece) (until int, class Class) {
	voice := s.end
	for until = s.at; until < s.end; {
		p, end := s.piece(until)
		if p.weak != here.weak || p.class == Pause && p.faint != here.faint || (p.class == Pause) != (here.class == Pause) {
			break
		}
		if p.class == Voiced {
			voice = min(voice, until)
		}
		until = end
	}
	switch {
	case voice >= until:
		return until, here.class
	case voice-s.at >= 2*unvoicedFrom:
		return voice, here.class
	}
	return until, Voiced
}

// leaveOut lets one period of at most longest samples fade into the next, if it
// is time and if they are alike, and says how much to pass before the next try.
func (s *Stretch) leaveOut(longest int, rate float32, voiced bool) (pass int) {
	p := &s.pace
	shortest := unvoicedFrom
	if voiced {
		shortest = shortestPeriod
	}
	if longest < shortest || p.debt < float32(p.period)*(2/rate-1) {
		return look
	}
	here, _ := s.piece(s.at)
	limited := voiced || p.voiceless < nearVoice && !here.weak
	if w := p.wait(s.made+int64(p.period), p.period); limited && w > 0 {
		return w
	}
	x := s.in[s.at:s.end]
	shift, likeness := align(x[:longest], x[shortest:2*longest])
	n := shortest + shift
	p.period = n
	if voiced && likeness < goodEnough(rate) || !voiced && uneven(x[:n], x[n:2*n]) {
		return look
	}
	if w := p.wait(s.made+int64(n), n); limited && w > 0 {
		return w
	}
	blend(s.grow(n), x[:n], x[n:2*n], likeness)
	s.heard(here, n, 2*n)
	p.owe(n, rate)
	p.debt -= float32(n) / rate
	p.hurried(s.made, n)
	if voiced {
		return n
	}
	return 0
}

// goodEnough is how much two periods of a voice have to be alike: less when there
// is more of a hurry.
func goodEnough(rate float32) float32 {
	return max(0.6, 0.9-0.6*max(rate-1, 1/rate-1))
}

func uneven(a, b []float32) bool {
	x, y := energy(a), energy(b)
	return x > unlikeBurst*y || y > unlikeBurst*x
}

// slow makes all that is held ready, slower than it came, and adds up to lack
// samples to pauses.
func (s *Stretch) slow(lack int) {
	for s.at < s.end {
		here, end := s.piece(s.at)
		rate := s.pace.rate(here.class)
		longest := min(longestPeriod, s.at-s.from, s.end-s.at)
		if here.class == Pause {
			longest = min(behind, s.at-s.from, s.end-s.at, s.pace.paused)
			if lack > 0 {
				rate, s.pace.debt = slowest, 0
				longest = min(longest, lack)
			}
		}
		switch {
		case s.fade.pending():
			s.pass(min(end-s.at, s.fade.left()))
		case rate < 1 && s.pace.pass == 0 && longest >= shortestPeriod && s.repeat(longest, rate, here.class):
			lack -= s.pace.period
		default:
			n := min(look, end-s.at)
			s.pace.owe(n, rate)
			s.pass(n)
		}
	}
}

// repeat plays one period of at most longest samples, the next, twice: first
// fading into the one before it, if it is time and if they are alike.
func (s *Stretch) repeat(longest int, rate float32, class Class) bool {
	p := &s.pace
	if p.debt > -float32(min(p.period, longest))*(2-1/rate) {
		return false
	}
	next := s.in[s.at:min(s.end, s.at+longestPeriod)]
	n, likeness := longest, float32(0)
	if class != Pause {
		var shift int
		shift, likeness = align(next, s.in[s.at-longest:s.at-shortestPeriod+len(next)])
		n = longest - shift
	} else if n >= 2*unvoicedFrom {
		n -= s.comfort.random(n - unvoicedFrom) // no rhythm is to be heard
	}
	p.period = n
	x, before := s.in[s.at:s.at+n], s.in[s.at-n:s.at]
	if class == Voiced && likeness < goodEnough(rate) || class == Unvoiced && uneven(x, before) {
		p.pass = 2 * look
		return false
	}
	here, _ := s.piece(s.at)
	out := s.grow(2 * n)
	blend(out[:n], x, before, likeness)
	copy(out[n:], x)
	s.heard(here, 2*n, n)
	p.debt += float32(2*n) - float32(n)/rate
	return true
}
