// Package api is how programs and people drive a phone that is up: HTTP with
// JSON over a Unix socket in the profile's folder, which nobody but its owner can
// reach. The command line and the screen use it and nothing else.
//
//	HOME/api/socket   0600, in a folder of 0700; who connects must be the same user
//
//	GET  /v1/status                          the phone at this moment
//	GET  /v1/events                          what happens, as server-sent events
//	GET  /v1/contacts
//	POST /v1/contacts/reread                 they have changed: they count from its answer on
//	GET  /v1/history                         calls that are over, if they are kept
//	POST /v1/calls     {"whom": …}           a call is made
//	POST /v1/answer, decline, hangup         {"call": …}
//	POST /v1/mute, hold, record              {"call": …, "on": …}
//	POST /v1/say       {"call": …, "text": …}
//	POST /v1/silent    {"on": …}
//	POST /v1/put-away
//
// Bodies have at most [MaxBody] bytes. Fields that are not known are refused, so
// that a slip of the pen is not taken for agreement. What went wrong is a JSON
// object, [Error]. docs/api.md shows all of it with curl.
package api

import (
	"context"

	"github.com/sottovoce/sotto/call/control"
)

// MaxBody is the most bytes that a request's body may have.
const MaxBody = 64 << 10

// MaxText is the most bytes of a line of text in a call.
const MaxText = control.MaxText

// Phone is what the API drives.
type Phone interface {
	Status() Status
	// Listen gives what happens from now on, a Status first. The channel is
	// closed when whoever listens is too slow; stop ends it.
	Listen() (events <-chan Event, stop func())
	Contacts() []Contact
	// Reread takes in the contacts as they are kept now.
	Reread() error
	History() (History, error)
	Call(ctx context.Context, whom string) (Call, error)
	// An id of "" is the only call that fits; of those that talk, the one that
	// is not on hold.
	Answer(id string) error
	Decline(id string) error
	HangUp(id string) error
	Mute(id string, on bool) error
	Hold(id string, on bool) error
	Record(id string, on bool) error
	Say(id, text string) error
	Silent(on bool)
	PutAway()
}

// Error is what went wrong, as the API says it.
type Error struct {
	Text string `json:"error"`
	Exit int    `json:"exit"` // the exit code that a command gives for it
}

func (e *Error) Error() string { return e.Text }

// The bodies of requests.
type (
	whom struct {
		Whom string `json:"whom"` // a name, an address or a card
	}
	which struct {
		Call string `json:"call"`
	}
	turn struct {
		Call string `json:"call"`
		On   *bool  `json:"on"` // absent: true
	}
	words struct {
		Call string `json:"call"`
		Text string `json:"text"`
	}
	quiet struct {
		On *bool `json:"on"`
	}
)

// on is what a switch says.
func on(b *bool) bool { return b == nil || *b }
