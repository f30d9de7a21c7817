package onion

import (
	"fmt"
	"strconv"
	"strings"
)

// Bootstrap is how far tor is on its way into the network.
type Bootstrap struct {
	Percent int    // 0–100
	Tag     string // of control-spec, such as "conn_done"
	Summary string // for people: "Connected to a relay"
	Warning string // what stands in the way, "" if nothing
	Advice  string // what to try, when nothing has moved for long
	Offline bool   // tor was ready and has no way into the network now, or it is gone
}

// String is one line for a person: "14 % (handshake): Handshaking with a relay".
func (b Bootstrap) String() string {
	if b.Tag == "" && b.Warning == "" {
		return "0 %: tor has said nothing yet"
	}
	s := fmt.Sprintf("%d %% (%s): %s", b.Percent, b.Tag, b.Summary)
	if b.Warning != "" {
		s += "; " + b.Warning
	}
	if b.Advice != "" {
		s += "; " + b.Advice
	}
	return s
}

// parseBootstrap reads the text of a STATUS_CLIENT event, and of GETINFO
// status/bootstrap-phase (control-spec, "Client status events"):
//
//	WARN BOOTSTRAP PROGRESS=14 TAG=handshake SUMMARY="…" WARNING="…" REASON=TIMEOUT …
func parseBootstrap(text string) (Bootstrap, bool) {
	words := fields(text)
	if len(words) < 2 || words[1] != "BOOTSTRAP" {
		return Bootstrap{}, false
	}
	v := keywords(words[2:])
	percent, err := strconv.Atoi(v["PROGRESS"])
	if err != nil || percent < 0 || percent > 100 {
		return Bootstrap{}, false
	}
	b := Bootstrap{Percent: percent, Tag: plain(v["TAG"]), Summary: plain(v["SUMMARY"])}
	// tor names single relays that did not answer with the advice to ignore it.
	if v["RECOMMENDATION"] != "ignore" && v["WARNING"] != "" {
		b.Warning = cause(v["REASON"], plain(v["WARNING"]))
	}
	return b, true
}

// descriptorEvent is what an HS_DESC event tells about one transfer of an onion
// service's descriptor to or from one directory.
type descriptorEvent struct {
	action    string // UPLOAD, UPLOADED, FAILED, REQUESTED, RECEIVED, …
	onion     string // without ".onion"
	directory string
	reason    string // of a failure, such as UPLOAD_REJECTED
}

// parseDescriptor reads the text of an HS_DESC event:
//
//	UPLOADED ADDRESS UNKNOWN $FINGERPRINT~NICK …
func parseDescriptor(text string) (descriptorEvent, bool) {
	w := strings.Fields(text)
	if len(w) < 4 {
		return descriptorEvent{}, false
	}
	return descriptorEvent{action: w[0], onion: w[1], directory: w[3], reason: keywords(w[4:])["REASON"]}, true
}

// Circuit is a rendezvous circuit of tor's that is joined with another party's.
type Circuit struct {
	id     string   // tor's number for it
	Relays []string // nicknames from the guard on, as far as tor's own half goes
}

// rendezvousCircuits finds the joined rendezvous circuits in GETINFO
// circuit-status, one circuit a line:
//
//	7 BUILT $…~a,$…~b BUILD_FLAGS=… PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_JOINED …
func rendezvousCircuits(status string) (circuits []Circuit) {
	for line := range strings.Lines(status) {
		words := fields(strings.TrimSpace(line))
		if len(words) < 3 || words[1] != "BUILT" {
			continue
		}
		v := keywords(words[2:])
		switch v["PURPOSE"] + " " + v["HS_STATE"] {
		case "HS_CLIENT_REND HSCR_JOINED", "HS_SERVICE_REND HSSR_JOINED":
			c := Circuit{id: strings.TrimPrefix(words[0], "circuit-status=")}
			for relay := range strings.SplitSeq(words[2], ",") {
				if _, nick, ok := strings.Cut(relay, "~"); ok {
					c.Relays = append(c.Relays, nick)
				}
			}
			circuits = append(circuits, c)
		}
	}
	return circuits
}

// fields splits at spaces outside of quotes.
func fields(text string) []string {
	var words []string
	var word strings.Builder
	quoted, escaped := false, false
	for _, c := range text {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
			continue
		case c == '"':
			quoted = !quoted
			continue
		case c == ' ' && !quoted:
			if word.Len() > 0 {
				words = append(words, word.String())
				word.Reset()
			}
			continue
		}
		word.WriteRune(c)
	}
	if word.Len() > 0 {
		words = append(words, word.String())
	}
	return words
}

func keywords(words []string) map[string]string {
	m := make(map[string]string, len(words))
	for _, w := range words {
		if key, value, ok := strings.Cut(w, "="); ok {
			m[key] = value
		}
	}
	return m
}
