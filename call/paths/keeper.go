package paths

import "time"

// How many circuits a call may cost. Each new one is an introduction at the
// callee and circuits at both, which is also what guard discovery feeds on, so
// both sides hold to this, whatever the other reports or asks for.
const (
	Burst       = 6                // circuits that may be opened at once, beyond the first
	Refill      = 30 * time.Second // for one more
	JoinSpacing = time.Second      // between two joins
	slowDial    = 15 * time.Second // a first dial that took this long: two paths are enough
	slowPaths   = 2
)

// When a path is worth replacing: it runs this much later than the one it would
// be next to, for this long, and the last replacement is that long past.
const (
	tooLate    = 200 * time.Millisecond
	lateFor    = 4 * time.Second
	replaceGap = 10 * time.Second
)

// redial is how long to wait before dialling again when no path is left.
var redial = [...]time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}

// redials is how many dials may be under way then.
const redials = 3

// Bucket bounds how many circuits are opened: Burst at once, one more every
// Refill, Most in all. Its zero value is full.
type Bucket struct {
	spent  time.Duration // how far the bucket is behind being full
	filled time.Duration // when spent was last reckoned
	taken  int
}

// Take uses up one circuit at now, and reports false when none may be opened.
func (b *Bucket) Take(now time.Duration) bool {
	if !b.Has(now) {
		return false
	}
	b.spent += Refill
	b.taken++
	return true
}

// Has reports whether Take would.
func (b *Bucket) Has(now time.Duration) bool {
	b.spent = max(0, b.spent-(now-b.filled))
	b.filled = now
	return b.spent <= (Burst-1)*Refill && b.taken < Most-1
}

// Standing is how late one open path runs against the best, the worse of its
// two directions.
type Standing struct {
	Path     ID
	Lateness time.Duration
}

// Keeper is the caller's: it decides when to open a path and which to close.
// It is a plain value, fed with times and events.
type Keeper struct {
	want    int // open paths to hold
	try     int // open paths to hold while it rings
	bucket  Bucket
	dialing int
	last    time.Duration // when a path was last asked for
	asked   bool

	down     bool // no path is open
	downAt   time.Duration
	attempts int

	late     ID // the path that may have to go
	lateAt   time.Duration
	isLate   bool
	replaced time.Duration
	leaving  ID // closed once a fresh one is open
	leave    bool
}

// NewKeeper keeps want paths open, and tries out audition (0: no more than
// want) while it rings. The first one's dial took first.
func NewKeeper(want, audition int, first time.Duration) *Keeper {
	if first > slowDial {
		want, audition = min(want, slowPaths), 0
	}
	return &Keeper{want: want, try: max(want, min(audition, Burst+1))}
}

// Opened says that a path asked for is open, or that it could not be opened.
func (k *Keeper) Opened(ok bool) {
	k.dialing--
	if !ok {
		k.leave = false
	}
}

// Step is what is to be done now.
type Step struct {
	Open  bool // open one more path
	Close bool // close Path
	Path  ID
}

// Tick decides. open are the paths that are up, in any order; ringing says that
// nobody talks yet.
func (k *Keeper) Tick(now time.Duration, open []Standing, ringing bool) Step {
	if len(open) == 0 {
		return k.reconnect(now)
	}
	k.down, k.attempts = false, 0
	want := k.want
	if ringing {
		want = k.try
	}
	worst := worstOf(open)
	switch {
	case len(open) > want && k.dialing == 0:
		p := worst.Path
		if k.leave {
			for _, s := range open {
				if s.Path == k.leaving {
					p = k.leaving
				}
			}
		}
		k.leave, k.isLate = false, false
		return Step{Close: true, Path: p}
	case len(open)+k.dialing < want:
		return k.open(now)
	case ringing || len(open) < 2 || k.dialing > 0:
		return Step{}
	}
	return k.replace(now, worst)
}

// open asks for one more path, if it is time and the bucket has one.
func (k *Keeper) open(now time.Duration) Step {
	if k.asked && now-k.last < JoinSpacing || !k.bucket.Take(now) {
		return Step{}
	}
	k.last, k.asked = now, true
	k.dialing++
	return Step{Open: true}
}

// replace asks for a fresh path where the worst has been late for long; the
// worst goes when the fresh one is there.
func (k *Keeper) replace(now time.Duration, worst Standing) Step {
	if worst.Lateness < tooLate {
		k.isLate = false
		return Step{}
	}
	if !k.isLate || k.late != worst.Path {
		k.isLate, k.late, k.lateAt = true, worst.Path, now
		return Step{}
	}
	if now-k.lateAt < lateFor || k.replaced > 0 && now-k.replaced < replaceGap {
		return Step{}
	}
	step := k.open(now)
	if step.Open {
		k.replaced, k.leaving, k.leave = now, worst.Path, true
	}
	return step
}

// reconnect dials anew while nothing is open, with growing pauses; the bucket
// does not bound it, the whole call's count does. It does not wait for a dial to
// fail before the next: one begun too early hangs on what tor still remembers
// of the callee, and a later one comes through.
func (k *Keeper) reconnect(now time.Duration) Step {
	if !k.down {
		k.down, k.downAt, k.attempts = true, now, 0
	}
	wait := redial[min(k.attempts, len(redial)-1)]
	if k.dialing >= redials || now-k.downAt < wait || k.bucket.taken >= Most-1 {
		return Step{}
	}
	k.attempts++
	k.downAt = now
	k.bucket.taken++
	k.dialing++
	k.last, k.asked = now, true
	return Step{Open: true}
}

func worstOf(open []Standing) Standing {
	worst := open[0]
	for _, s := range open[1:] {
		if s.Lateness > worst.Lateness || s.Lateness == worst.Lateness && s.Path > worst.Path {
			worst = s
		}
	}
	return worst
}
