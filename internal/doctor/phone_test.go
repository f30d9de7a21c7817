package doctor

import (
	"errors"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/onion"
)

// Of a tor that a phone has, the phone tells.
func TestOfAPhone(t *testing.T) {
	up := api.Status{PID: 7, Phase: api.Up, Tor: api.Tor{Version: "0.4.9.11", Percent: 100}}
	starting := api.Status{PID: 7, Phase: api.Starting, Tor: api.Tor{Version: "0.4.9.11", Percent: 10, Summary: "half", Warning: "stuck", Advice: "wait"}}
	offline := up
	offline.Tor.Offline = true
	for _, c := range []struct {
		status api.Status
		way    Status
		says   string
		err    error
	}{
		{up, OK, "in the Tor network", nil},
		{starting, Warning, "at 10 % (stuck)", nil},
		{offline, Failure, "no way into the Tor network", onion.ErrOffline},
	} {
		found := ofPhone(c.status)
		if way := found[1]; way.Status != c.way || !strings.Contains(way.Says, c.says) || !errors.Is(way.Err, c.err) || (way.Fix == "") != (c.way == OK) {
			t.Errorf("%+v", way)
		}
		if tor := found[0]; tor.Status != OK || tor.Says != "version 0.4.9.11, of the phone that is up (process 7)" {
			t.Errorf("%+v", tor)
		}
		for _, f := range found[2:] {
			if f.Status != Skipped || !strings.Contains(f.Says, "end it first") {
				t.Errorf("%+v", f)
			}
		}
	}
	if f := ofPhone(api.Status{Phase: api.Starting})[0]; f.Status != Skipped {
		t.Errorf("a tor that has not started: %+v", f)
	}
}
