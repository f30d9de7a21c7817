package onion

import (
	"fmt"
	"strconv"
	"time"
)

// causes are tor's reasons why a connection to a relay failed (control-spec,
// "Reasons for OR connections"), in words that name what stands in the way.
var causes = map[string]string{
	"NOROUTE":        "this machine has no way to the internet: is it connected?",
	"CONNECTREFUSED": "the network refuses connections to Tor's relays: a firewall or a censor may stand in between",
	"CONNECTRESET":   "the network breaks off connections to Tor's relays: a firewall or a censor may stand in between",
	"TIMEOUT":        "the network does not answer connections to Tor's relays: it is down, or a firewall or a censor stands in between",
	"IOERROR":        "connections to Tor's relays break off: a firewall or a censor may stand in between",
	"TLS_ERROR":      "connections to Tor's relays break off while they are secured: a firewall or a censor may stand in between",
	"DONE":           "Tor's relays hang up: a firewall or a censor may stand in between, or this machine's clock is wrong",
	"IDENTITY":       "something poses as a relay of Tor's: the network tampers with connections",
	"RESOURCELIMIT":  "this machine has no more files or sockets to give",
	"PT_MISSING":     "the program that a bridge needs (obfs4proxy, snowflake-client …) does not run",
}

// cause is tor's warning, after what it means where that is known.
func cause(reason, warning string) string {
	if known := causes[reason]; known != "" {
		return fmt.Sprintf("%s (tor says: %s)", known, warning)
	}
	return warning
}

// advice is what to try when tor stays where it is (proposal 137's phases, as
// in control-spec's "Bootstrap phases").
func advice(b Bootstrap) string {
	now := time.Now().UTC().Format("15:04 on 2 January 2006")
	switch {
	case b.Tag == "lost":
		return ""
	case b.Percent < 10: // no relay or bridge is connected to
		return "no relay of Tor's can be reached: check that this machine is online; where Tor is blocked, use bridges"
	case b.Percent < 25: // a handshake with the first relay
		return "a relay is reached and then nothing follows: where Tor is blocked, use bridges"
	case b.Percent < 75: // consensus, certificates, descriptors
		return "no directory of Tor's relays arrives: check that it is " + now + " UTC, which this machine's clock says; if so, try again later, or other bridges"
	}
	return "no circuit can be built: check that it is " + now + " UTC, which this machine's clock says; if so, try again later, or other bridges"
}

// parseClockSkew reads the text of a STATUS_GENERAL event that says how far the
// clock is off, in seconds, negative when the clock is behind:
//
//	WARN CLOCK_SKEW SKEW=-7200 SOURCE=OR:…
//	WARN CLOCK_SKEW MIN_SKEW=-7200 SOURCE=CONSENSUS
func parseClockSkew(text string) (warning string, ok bool) {
	words := fields(text)
	if len(words) < 2 || words[1] != "CLOCK_SKEW" {
		return "", false
	}
	v := keywords(words[2:])
	least := ""
	if v["SKEW"] == "" && v["MIN_SKEW"] != "" {
		least = "at least "
		v["SKEW"] = v["MIN_SKEW"]
	}
	skew, err := strconv.ParseInt(v["SKEW"], 10, 32)
	direction := "ahead"
	if skew < 0 {
		direction, skew = "behind", -skew
	}
	if err != nil || skew == 0 {
		return "this machine's clock is wrong: set it, tor needs it right", true
	}
	return fmt.Sprintf("this machine's clock is %s%s %s: set it, tor needs it right", least, span(skew), direction), true
}

// span is a time in seconds as people say it.
func span(seconds int64) string {
	for _, unit := range []struct {
		name    string
		seconds int64
	}{{"days", 86400}, {"hours", 3600}, {"minutes", 60}} {
		if seconds >= 2*unit.seconds {
			return fmt.Sprintf("%d %s", seconds/unit.seconds, unit.name)
		}
	}
	return fmt.Sprintf("%d s", seconds)
}
