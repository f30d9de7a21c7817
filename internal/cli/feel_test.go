package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// What is wrong is said, by whom it is not heard and since when.
func TestFeeling(t *testing.T) {
	paths := make([]api.Path, 4)
	for says, c := range map[string]api.Call{
		"":                              {Paths: paths, Reached: true},
		"delay about 310 ms":            {Paths: paths, Reached: true, DelayMS: 310},
		"delay about 310 ms, there 350": {Paths: paths, Reached: true, DelayMS: 310, ThereMS: 350},
		"they do not reach you 0:01":    {Paths: paths, SilenceMS: 1200},
		"reconnecting: 0:07":            {SilenceMS: 7000},
		"you do not reach them, the last 1.5 s are not there": {Paths: paths, Reached: true, UnheardMS: 900, TalkedMS: 10_000, HeardMS: 8500},
	} {
		wrong, late := (&shown{Call: c}).feeling()
		if got := strings.Join(append(wrong, late...), "; "); !strings.HasSuffix(got, says) || says == "" && got != "" {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// Push-to-talk is mute under another key.
func TestPushToTalk(t *testing.T) {
	s := &shown{Call: api.Call{YouDB: -24}}
	for i, step := range []struct {
		key         byte
		meant, mute bool
		says        string
	}{
		{' ', false, false, "you ====...."},
		{'p', true, true, "you (space speaks)"},
		{' ', true, false, "you ====...."},
		{' ', true, true, "you (space speaks)"},
		{'m', false, false, "you (space speaks)"},
		{'P', true, false, "you ====...."},
		{' ', false, false, "you ====...."},
	} {
		meant, mute := s.push.key(step.key)
		if meant {
			s.Muted = mute
		}
		if got := s.speaking(); meant != step.meant || mute != step.mute || got != step.says {
			t.Errorf("step %d: %v, %v, %q", i, meant, mute, got)
		}
	}
	if s.Muted = true; s.speaking() != "you (muted)" {
		t.Error(s.speaking())
	}
}

// Push-to-talk is offered once, when it has been slow for eight seconds in a row.
func TestPushToTalkIsOffered(t *testing.T) {
	var o offer
	now := time.Now()
	offered := 0
	for i := range 300 { // a tenth of a second each
		s := &shown{Call: api.Call{DelayMS: 200, ThereMS: 450}}
		if i%20 == 0 && i < 100 {
			s.ThereMS = 350
		}
		if o.due(now.Add(time.Duration(i)*100*time.Millisecond), s) {
			if offered++; i < 160 || i > 180 {
				t.Errorf("offered after %d", i)
			}
		}
	}
	if offered != 1 {
		t.Errorf("offered %d times", offered)
	}
	if new(offer).due(now, &shown{Call: api.Call{DelayMS: 1000}, push: push{on: true}}) {
		t.Error("offered though it is on")
	}
}
