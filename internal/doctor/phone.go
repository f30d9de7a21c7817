package doctor

import (
	"cmp"
	"fmt"

	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/onion"
)

// ofPhone is what the phone that is up says of its tor. Nobody else can start one
// for the same profile meanwhile.
func ofPhone(s api.Status) []Finding {
	tor := well("tor", fmt.Sprintf("version %s, of the phone that is up (process %d)", s.Tor.Version, s.PID))
	if s.Tor.Version == "" {
		tor = skipped("tor", fmt.Sprintf("the phone that is up (process %d) has not started it yet", s.PID))
	}
	way := well("bootstrap", "the phone that is up is in the Tor network")
	switch {
	case s.Tor.Offline:
		way = fail("bootstrap", fmt.Errorf("the phone that is up: %w", onion.ErrOffline), online)
	case s.Phase == api.Starting:
		way = warn("bootstrap", fmt.Sprintf("the phone that is up is on its way, at %d %% (%s)", s.Tor.Percent, cmp.Or(s.Tor.Warning, s.Tor.Summary, "not started")),
			cmp.Or(s.Tor.Advice, "wait a little and run it again; "+blocked))
	}
	published := map[api.Phase]string{
		api.Starting: "has nothing published yet", api.Publishing: "is publishing its address", api.Calling: "only makes a call",
	}[s.Phase]
	if s.Phase == api.Up {
		published = "says that its address is published, since " + s.Up.Local().Format("Mon 15:04")
	}
	const its = "the phone that is up has this profile's tor: end it first"
	return []Finding{
		tor, way, skipped("sandbox", its), skipped("clock", its), skipped("circuits", its),
		skipped("reach", its+". It "+published),
	}
}
