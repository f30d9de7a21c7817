// Package opus is the codec: one [voice.Frame] in, one packet of a fixed size
// out, and back.
//
// Every packet of a call has the same size whatever is said, because the size
// of a packet tells an observer what was said: hard constant bit rate, no
// silence suppression, no forward error correction inside (the records repeat
// whole packets instead).
//
//	profile  bits/s  packet    sounds
//	24k      24,000  60 bytes  up to 8 kHz, the default; PESQ-WB 3.7 to 4.5, by voice
//	16k      16,000  40 bytes  up to 8 kHz; 3.2 to 4.4
//	12k      12,000  30 bytes  up to 6 kHz; 2.7 to 4.1
//
// A packet is one 20 ms frame of one channel (RFC 6716, section 3). Its first
// byte says so, and [Decoder.Decode] looks at it before libopus does:
//
//	 0 1 2 3 4   5   6 7
//	+---------+---+-----+
//	| config  | s |  c  |   config: coding mode, audio band, duration
//	+---------+---+-----+   s: 1 if stereo; c: 0 one frame, 3 any number
//
// At 12k libopus often has less to say than fits, and fills the packet up by
// turning code 0 into code 3 with a count of one and padding. Both are let
// through; a count other than one is not.
//
// This package uses cgo (libopus by way of github.com/hraban/opus).
package opus

import (
	"fmt"
	"strings"
	"time"

	"github.com/sottovoce/sotto/voice"
)

// LookAhead is by how much sound comes out of the decoder later than it went
// into the encoder, besides the frame itself: 312 samples.
const LookAhead = 6500 * time.Microsecond

// Profile is the quality that a call is made with, for its whole length. The
// zero value is the default.
type Profile int

// The profiles.
const (
	Profile24k Profile = iota
	Profile16k
	Profile12k
)

var profiles = [...]struct {
	name   string
	packet int // bytes
}{
	Profile24k: {"24k", 60},
	Profile16k: {"16k", 40},
	Profile12k: {"12k", 30},
}

// ParseProfile reads "24k", "16k" or "12k".
func ParseProfile(s string) (Profile, error) {
	var names []string
	for p, have := range profiles {
		if s == have.name {
			return Profile(p), nil
		}
		names = append(names, have.name)
	}
	return 0, fmt.Errorf("no profile %q: there are %s", s, strings.Join(names, ", "))
}

func (p Profile) valid() bool { return p >= 0 && int(p) < len(profiles) }

// String is the profile's name, its bit rate.
func (p Profile) String() string {
	if !p.valid() {
		return fmt.Sprintf("profile %d", int(p))
	}
	return profiles[p].name
}

// PacketBytes is the size of each of the profile's packets, in bytes; 0 if
// there is no such profile.
func (p Profile) PacketBytes() int {
	if !p.valid() {
		return 0
	}
	return profiles[p].packet
}

// bitsPerSecond is what makes libopus fill PacketBytes exactly.
func (p Profile) bitsPerSecond() int {
	return p.PacketBytes() * 8 * int(time.Second/voice.FrameTime)
}
