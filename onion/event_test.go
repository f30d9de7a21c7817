package onion

import (
	"reflect"
	"testing"
)

func TestParseBootstrap(t *testing.T) {
	for text, want := range map[string]Bootstrap{
		`NOTICE BOOTSTRAP PROGRESS=14 TAG=handshake SUMMARY="Handshaking with a relay"`: {14, "handshake", "Handshaking with a relay", "", "", false},
		`NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY="Done"`:                         {100, "done", "Done", "", "", false},

		`WARN BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="Connecting to a relay" WARNING="Connection refused" REASON=CONNECTREFUSED COUNT=10 RECOMMENDATION=warn HOSTID="00"`: {5, "conn", "Connecting to a relay", causes["CONNECTREFUSED"] + " (tor says: Connection refused)", "", false},
		// One relay that does not answer is nobody's business.
		`WARN BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY="Connecting to a relay" WARNING="No route" RECOMMENDATION=ignore`: {5, "conn", "Connecting to a relay", "", "", false},
		`NOTICE BOOTSTRAP PROGRESS=1 TAG=x SUMMARY="a \"quoted\" word \\ more"`:                                       {1, "x", `a "quoted" word \ more`, "", "", false},
	} {
		if got, ok := parseBootstrap(text); !ok || got != want {
			t.Errorf("%s\n got %+v, %v\nwant %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "NOTICE", "NOTICE CIRCUIT_ESTABLISHED", "NOTICE BOOTSTRAP", "NOTICE BOOTSTRAP PROGRESS=", "NOTICE BOOTSTRAP PROGRESS=101", "NOTICE BOOTSTRAP PROGRESS=-1", `NOTICE BOOTSTRAP PROGRESS="1`} {
		if got, ok := parseBootstrap(text); ok && got.Percent != 1 {
			t.Errorf("%q was taken for %+v", text, got)
		}
	}
}

func TestParseClockSkew(t *testing.T) {
	for text, want := range map[string]string{
		`WARN CLOCK_SKEW SKEW=-7200 SOURCE=OR:127.0.0.1:1`: "this machine's clock is 2 hours behind: set it, tor needs it right",
		`WARN CLOCK_SKEW SKEW=60 SOURCE=CONSENSUS`:         "this machine's clock is 60 s ahead: set it, tor needs it right",
		`WARN CLOCK_SKEW MIN_SKEW=-90 SOURCE=CONSENSUS`:    "this machine's clock is at least 90 s behind: set it, tor needs it right",
		`WARN CLOCK_SKEW SKEW=1000000 SOURCE=CONSENSUS`:    "this machine's clock is 11 days ahead: set it, tor needs it right",
		`WARN CLOCK_SKEW SKEW=1e9 SOURCE=CONSENSUS`:        "this machine's clock is wrong: set it, tor needs it right",
		`NOTICE CONSENSUS_ARRIVED`:                         "",
		`WARN DANGEROUS_VERSION CURRENT=1 REASON=OBSOLETE`: "",
	} {
		if got, ok := parseClockSkew(text); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", text, got, ok)
		}
	}
}

func TestRendezvousCircuitsAreFound(t *testing.T) {
	const status = `1 BUILT $AA~a,$BB~b BUILD_FLAGS=IS_INTERNAL PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_JOINED REND_QUERY=x TIME_CREATED=2026-01-01T00:00:00 SOCKS_USERNAME="00" SOCKS_PASSWORD="0"
2 BUILT $AA~a PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_ESTABLISHED_IDLE
3 EXTENDED $AA~a PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_JOINED
4 BUILT $AA~a PURPOSE=HS_SERVICE_REND HS_STATE=HSSR_JOINED
5 BUILT $AA~a PURPOSE=HS_SERVICE_INTRO HS_STATE=HSSI_ESTABLISHED
6 BUILT $AA~a PURPOSE=GENERAL SOCKS_USERNAME="PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_JOINED"

7 LAUNCHED`
	both := []Circuit{{"1", []string{"a", "b"}}, {"4", []string{"a"}}}
	for text, want := range map[string][]Circuit{
		status:                       both,
		"circuit-status=\n" + status: both,
		"circuit-status=7 BUILT PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_JOINED": {{id: "7"}}, // tor's answer when there is one alone
		"": nil,
	} {
		if got := rendezvousCircuits(text); !reflect.DeepEqual(got, want) {
			t.Errorf("circuits %q in %q, want %q", got, text, want)
		}
	}
}
