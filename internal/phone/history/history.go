// Package history is what is kept of calls that are over, where the person wants
// that: when each began, who called whom, how long both talked and how it ended.
// No names: they are looked up when it is shown. Nothing here runs, and nothing
// is written, unless a phone is started with it.
//
// As text it is one call a line, in the order in which they ended, five fields
// with tabs between; [Most] lines at most, of which the oldest go first:
//
//	sotto history 1
//	2026-01-02T15:04:05Z	<in or out>	<seconds talked>	<how>	<address>.onion
//
// identity/vault seals and saves it like the contacts. What is damaged, newer or
// not ours is refused and never replaced.
package history

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sottovoce/sotto/identity"
)

// Most is how many calls are kept, the newest.
const Most = 500

// Reasons why a text is not a history to be read.
var (
	ErrHistory = errors.New("this is no history of calls: move it away, or delete it with sotto log --forget")
	ErrNewer   = errors.New("this history of calls was written by a newer sotto: use that one, nothing was touched")
)

// How is how a call has ended.
type How string

// The ways in which calls end; the last four are of outgoing ones.
const (
	Answered  How = "answered"
	Missed    How = "missed"    // nobody here took it
	Declined  How = "declined"  // by who was called
	NoAnswer  How = "no answer" // nobody there took it
	Busy      How = "busy"      // they were in another call
	Cancelled How = "cancelled" // hung up before it was answered
	Failed    How = "failed"    // nobody was reached, or something else went wrong
)

var hows = []How{Answered, Missed, Declined, NoAnswer, Busy, Cancelled, Failed}

// Entry is a call that is over.
type Entry struct {
	Began    time.Time // kept to the second
	Outgoing bool
	Peer     identity.Address
	Talked   time.Duration // kept to the second
	How      How
}

const header = "sotto history "

// Parse reads what [Text] writes, and nothing else. No text at all is an empty
// history. Errors wrap [ErrHistory] or [ErrNewer].
func Parse(text []byte) ([]Entry, error) {
	if len(text) == 0 {
		return nil, nil
	}
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	number, ours := strings.CutPrefix(string(first), header)
	version, err := strconv.Atoi(number)
	switch {
	case !ours || err != nil:
		return nil, ErrHistory
	case version > 1:
		return nil, fmt.Errorf("version %d: %w", version, ErrNewer)
	}
	var list []Entry
	for line := range bytes.Lines(rest) {
		e, err := parseLine(strings.TrimSuffix(string(line), "\n"))
		if err != nil {
			return nil, fmt.Errorf("%w (line %d: %w)", ErrHistory, len(list)+2, err)
		}
		if list = append(list, e); len(list) > Most {
			return nil, fmt.Errorf("%w (more than %d calls)", ErrHistory, Most)
		}
	}
	if !bytes.Equal(Text(list), text) {
		return nil, fmt.Errorf("%w (it was changed, or cut short)", ErrHistory)
	}
	return list, nil
}

func parseLine(line string) (e Entry, err error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 5 {
		return e, errors.New("five fields are wanted")
	}
	if e.Began, err = time.Parse(time.RFC3339, fields[0]); err != nil {
		return e, errors.New("its time is none")
	}
	e.Outgoing = fields[1] == direction(true)
	seconds, err := strconv.ParseUint(fields[2], 10, 32)
	if err != nil {
		return e, errors.New("its length is none")
	}
	e.Talked = time.Duration(seconds) * time.Second
	if e.How = How(fields[3]); !slices.Contains(hows, e.How) {
		return e, errors.New("its end is none that is known")
	}
	e.Peer, err = identity.Parse(fields[4])
	return e, err
}

// Text is the newest [Most] of a history as text.
func Text(list []Entry) []byte {
	text := []byte(header + "1\n")
	for _, e := range list[max(0, len(list)-Most):] {
		text = fmt.Appendf(text, "%s\t%s\t%d\t%s\t%s\n", e.Began.UTC().Format(time.RFC3339), direction(e.Outgoing), int64(e.Talked/time.Second), e.How, e.Peer.Onion())
	}
	return text
}

func direction(outgoing bool) string {
	if outgoing {
		return "out"
	}
	return "in"
}
