package call

import (
	"time"

	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/call/playout"
)

// Status is a call at one moment.
type Status struct {
	Phase     Phase
	Since     time.Duration // in this phase
	Age       time.Duration // since the handshake
	Talked    bool          // it was answered at some time
	TalkedFor time.Duration // from the answer to the hang-up
	Muted     bool
	Holding   bool // this side holds
	Held      bool // the other side does
	Announced bool // this side is to record, and tells the other side so
	Recording bool // this side does, and the other side knows
	Recorded  bool // the other side does
	Profile   string
	Paths     int
	RoundTrip time.Duration // 0: not known yet
	Silence   time.Duration // since the last record came
	Reached   bool          // records come: the last one less than NoticeTime ago
	// Unheard is for how long it has not been known that what is said here
	// arrives, beyond the time that takes; from NoticeTime on it does not.
	Unheard time.Duration
	// HeardUpTo is how much of TalkedFor has arrived at the other side, as far
	// as it has acknowledged.
	HeardUpTo time.Duration
	// MouthToEar is how late the other side is heard here, and MouthToEarThere
	// how late this one is heard there, as it says, to 50 ms. Both are estimates
	// without the sound devices; 0: not known yet.
	MouthToEar, MouthToEarThere time.Duration
	Sent                        uint64    // records
	Skipped                     uint64    // ticks without a record
	Received                    uint64    // records
	Circuits                    []Circuit // that are open, by number
	Playout                     playout.Stats
}

// Circuit is a path of a call at one moment.
type Circuit struct {
	Path     int
	Lateness time.Duration // behind the best one of late, as the other side reports
	Used     bool          // has carried a record in the last second
}

// Rate is how many records went out a second so far.
func (s Status) Rate() float64 {
	if s.Age <= 0 {
		return 0
	}
	return float64(s.Sent) / s.Age.Seconds()
}

// Status is how the call stands.
func (c *Call) Status() Status {
	heard := c.ear.Stats()
	circuits := make([]Circuit, 0, paths.Burst+2)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for id := range paths.ID(paths.Most) {
		if late, open := c.schedule.Lateness(id); open {
			circuits = append(circuits, Circuit{Path: int(id), Lateness: late, Used: c.schedule.Used(id)})
		}
	}
	return Status{
		Phase: c.machine.phase, Since: now - c.machine.entered, Age: now, Talked: c.machine.talked, TalkedFor: c.machine.talkedFor(now),
		Muted: c.muted, Holding: c.holding, Held: c.machine.held,
		Announced: c.tape != nil && c.taping() == nil, Recording: c.taping() != nil, Recorded: c.machine.recorded, Profile: c.profile.Name,
		Paths: c.schedule.Paths(), RoundTrip: c.schedule.RoundTrip(), Silence: now - c.heard, Reached: now-c.heard < NoticeTime,
		Unheard: c.unacknowledged(now), HeardUpTo: c.heardUpTo(now),
		MouthToEar: mouthToEar(c.schedule.RoundTrip(), heard.Level), MouthToEarThere: time.Duration(c.machine.there) * delayUnit,
		Sent: c.counts.sent, Skipped: c.counts.skipped, Received: c.counts.got,
		Circuits: circuits, Playout: heard,
	}
}
