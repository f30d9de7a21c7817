package api

import "time"

// Version is in every path, as /v1/status. It grows when something that a
// program may rely on changes its meaning; new fields do not count.
const Version = 1

// Status is the whole phone at one moment.
type Status struct {
	Version int       `json:"version"` // of the API
	Sotto   string    `json:"sotto"`   // of the program
	PID     int       `json:"pid"`
	Address string    `json:"address"` // whole, with .onion
	Phase   Phase     `json:"phase"`
	Tor     Tor       `json:"tor"`
	Rings   string    `json:"rings"`  // who may ring, in words
	Closed  bool      `json:"closed"` // the address can be found by contacts alone, by those whose card has a key
	Silent  bool      `json:"silent"` // do not disturb is on
	Calls   []Call    `json:"calls"`  // those that are on, oldest first
	Missed  []Missed  `json:"missed"` // since the phone is up, oldest first
	Up      time.Time `json:"up"`     // since when it is published; zero: not yet
}

// Phase is how far the phone is.
type Phase string

// The phases of a phone.
const (
	Starting   Phase = "starting"   // Tor is on its way into the network
	Publishing Phase = "publishing" // the address is being published
	Up         Phase = "up"         // it can be called, and calls
	Calling    Phase = "calling"    // a phone for one outgoing call, that is not published
)

// Tor is how far tor is with its start.
type Tor struct {
	Version string `json:"version"`
	Percent int    `json:"percent"`
	Summary string `json:"summary"`
	Warning string `json:"warning,omitempty"`
	Advice  string `json:"advice,omitempty"`
	Offline bool   `json:"offline"` // it was ready, and has no way into the network now: nobody can be reached, nor reach this phone
}

// Call is one call at one moment.
type Call struct {
	ID       string    `json:"id"`       // of this phone's own making, short
	Peer     string    `json:"peer"`     // whole address, with .onion
	Name     string    `json:"name"`     // "": a stranger
	Verified bool      `json:"verified"` // the twelve words were compared
	Outgoing bool      `json:"outgoing"`
	OneTime  bool      `json:"one_time"` // this side calls with a one-time identity
	Phase    CallPhase `json:"phase"`
	SinceMS  int64     `json:"since_ms"` // in this phase
	TalkedMS int64     `json:"talked_ms"`

	Muted     bool `json:"muted"`
	Holding   bool `json:"holding"`   // this side put the other on hold
	Held      bool `json:"held"`      // the other side did
	Announced bool `json:"announced"` // this side is about to record, and tells the other side so
	Recording bool `json:"recording"`
	Recorded  bool `json:"recorded"` // the other side records

	Reached     bool    `json:"reached"`        // records come
	SilenceMS   int64   `json:"silence_ms"`     // since the last record
	RoundTripMS int64   `json:"round_trip_ms"`  // 0: not known yet
	DelayMS     int64   `json:"delay_ms"`       // mouth to ear, of what is heard here; 0: not known yet
	ThereMS     int64   `json:"delay_there_ms"` // of what is heard at the other side, as it says, to 50 ms; 0: not known yet
	UnheardMS   int64   `json:"unheard_ms"`     // for how long it is overdue that something said here has arrived there; from 300 on it does not
	HeardMS     int64   `json:"heard_ms"`       // how much of talked_ms has arrived there, as far as is known
	ConcealedPC float64 `json:"concealed_pct"`  // since the call was answered
	Quality     Quality `json:"quality"`
	Voice       string  `json:"voice"`     // profile, as agreed: 24k, 16k or 12k; "" before
	YouDB       float64 `json:"you_dbfs"`  // level of what goes out; -120: silence
	ThemDB      float64 `json:"them_dbfs"` // level of what is played
	Paths       []Path  `json:"paths"`

	SetupMS  int64  `json:"setup_ms"` // outgoing: from the dial to the ring
	Sent     uint64 `json:"records_sent"`
	Received uint64 `json:"records_received"`
	Skipped  uint64 `json:"skipped_ticks"`

	End *End `json:"end,omitempty"` // only when Phase is Over
}

// CallPhase is where a call stands.
type CallPhase string

// The phases of a call.
const (
	Dialing CallPhase = "dialing" // the other side is being reached
	Ringing CallPhase = "ringing"
	Talking CallPhase = "talking"
	Closing CallPhase = "closing" // hung up, the last half second
	Over    CallPhase = "over"
)

// Quality is how the call sounds: the E-model's rating (0 to 100) as a word.
type Quality struct {
	R    float64 `json:"r"`
	Word string  `json:"word"` // "", "good", "fair", "poor", "bad"
}

// Path is one circuit of a call.
type Path struct {
	ID         int   `json:"id"`
	LatenessMS int64 `json:"lateness_ms"` // behind the best circuit, as the other side reports
	Used       bool  `json:"used"`        // has carried a record lately
}

// End says how a call ended.
type End struct {
	Exit  int    `json:"exit"`            // the exit code that sotto call gives for it
	Error string `json:"error,omitempty"` // "": somebody hung up after talking
	// Again says that calling again later may help: they were not reached, were
	// busy or did not answer.
	Again bool `json:"again,omitempty"`
	// Instead is the call that goes on in place of this one: both sides have
	// dialled each other at once.
	Instead string `json:"instead,omitempty"`
}

// Missed is a call that was not answered.
type Missed struct {
	At   time.Time `json:"at"`
	Peer string    `json:"peer"`
	Name string    `json:"name"`
	Why  string    `json:"why"`
}

// History is what is kept of calls that are over.
type History struct {
	Kept  bool   `json:"kept"`  // this phone keeps any
	Calls []Past `json:"calls"` // in the order in which they ended
}

// Past is a call that is over.
type Past struct {
	Began    time.Time `json:"began"`
	Outgoing bool      `json:"outgoing"`
	Peer     string    `json:"peer"`      // whole address, with .onion
	Name     string    `json:"name"`      // by now; "": a stranger
	TalkedMS int64     `json:"talked_ms"` // in whole seconds
	How      string    `json:"how"`       // "answered", "missed", "declined", "no answer", "busy", "cancelled", "failed"
}

// Text is a line of text in a call, fit to be shown.
type Text struct {
	Call string    `json:"call"`
	At   time.Time `json:"at"`
	Mine bool      `json:"mine"` // said here
	Text string    `json:"text"`
}

// Contact is somebody who has a name here.
type Contact struct {
	Name     string `json:"name"`
	Address  string `json:"address"`
	Verified bool   `json:"verified"`
	Blocked  bool   `json:"blocked"`
	Auto     bool   `json:"auto"` // is answered without asking
}

// Event is one message of the stream: exactly one of its fields is set.
// The stream begins with a Status, and one comes again whenever more than a
// call has changed.
type Event struct {
	Status *Status `json:"status,omitempty"`
	Call   *Call   `json:"call,omitempty"` // begun, changed, over; five times a second while both talk
	Text   *Text   `json:"text,omitempty"`
	Missed *Missed `json:"missed,omitempty"`
	Notice string  `json:"notice,omitempty"` // a line for the person: a device that is gone, a file that is full
}
