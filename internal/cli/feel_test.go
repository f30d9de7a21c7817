package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call"
)

// What is wrong is said, by whom it is not heard and since when.
func TestFeeling(t *testing.T) {
	const ms = time.Millisecond
	for says, st := range map[string]call.Status{
		"":                              {Paths: 4, Reached: true},
		"delay about 310 ms":            {Paths: 4, Reached: true, MouthToEar: 310 * ms},
		"delay about 310 ms, there 350": {Paths: 4, Reached: true, MouthToEar: 310 * ms, MouthToEarThere: 350 * ms},
		"they do not reach you 0:01":    {Paths: 4, Silence: 1200 * ms},
		"reconnecting: 0:07":            {Silence: 7 * time.Second},
		"you do not reach them, the last 1.5 s are not there": {
			Paths: 4, Reached: true, Unheard: 900 * ms, TalkedFor: 10 * time.Second, HeardUpTo: 8500 * ms,
		},
	} {
		wrong, late := feeling(st)
		if got := strings.Join(append(wrong, late...), "; "); !strings.HasSuffix(got, says) || says == "" && got != "" {
			t.Errorf("%+v: %q", st, got)
		}
	}
	for says, st := range map[string]call.Status{
		"you (muted)": {Muted: true, PushToTalk: true}, "you (space speaks)": {PushToTalk: true}, "you ====....": {PushToTalk: true, Pressed: true},
	} {
		if got := speaking(st, -24); got != says {
			t.Errorf("%+v: %q", st, got)
		}
	}
}

// Push-to-talk is offered once, when it has been slow for three seconds in a row.
func TestPushToTalkIsOffered(t *testing.T) {
	var o offer
	now := time.Now()
	offered := 0
	for i := range 300 { // a tenth of a second each
		st := call.Status{MouthToEar: 200 * time.Millisecond, MouthToEarThere: 450 * time.Millisecond}
		if i%20 == 0 && i < 100 {
			st.MouthToEarThere = 350 * time.Millisecond
		}
		if o.due(now.Add(time.Duration(i)*100*time.Millisecond), st) {
			if offered++; i < 110 || i > 130 {
				t.Errorf("offered after %d", i)
			}
		}
	}
	if offered != 1 {
		t.Errorf("offered %d times", offered)
	}
	if new(offer).due(now, call.Status{PushToTalk: true, MouthToEar: time.Second}) {
		t.Error("offered though it is on")
	}
}
