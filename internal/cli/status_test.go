package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/internal/api"
)

// A call's line says what matters now: not how it sounded when nothing comes.
func TestACallInALine(t *testing.T) {
	bad := api.Quality{R: 31, Word: "bad"}
	for want, c := range map[string]api.Call{
		"from ann, talking 1:15, sounds bad (31)":                                                 {Reached: true, Quality: bad},
		"from ann, talking 1:15, nothing comes":                                                   {SilenceMS: 400, Quality: bad},
		"from ann, talking 1:15, nothing comes for 32 s":                                          {SilenceMS: 32_100, UnheardMS: 900, Quality: bad},
		"from ann, talking 1:15, does not reach them":                                             {Reached: true, UnheardMS: 900, Quality: bad},
		"from ann, talking 1:15, muted, on hold, ann has put you on hold":                         {Reached: true, Muted: true, Holding: true, Held: true},
		"from ann, talking 1:15, about to record, ann records":                                    {Reached: true, Announced: true, Recorded: true},
		"from ann, talking 1:15, ann has put you on hold, recording, sounds good (90), voice 24k": {Reached: true, Held: true, Recording: true, Voice: "24k", Quality: api.Quality{R: 90, Word: "good"}},
	} {
		c.Name, c.Phase, c.TalkedMS = "ann", api.Talking, 75_000
		if got := describeCall(c); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// That a phone is closed, and silent, is said for as long as it is so.
func TestThePhoneInLines(t *testing.T) {
	for _, on := range []bool{true, false} {
		var out bytes.Buffer
		if err := printStatus(&out, api.Status{Phase: api.Up, Closed: on, Silent: on}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "\nclosed") != on || strings.Contains(out.String(), "\nsilent") != on {
			t.Error(out.String())
		}
	}
}
