package voice

import (
	"slices"
	"testing"
	"time"
)

// TestAlarm waits for moments, and for none that has passed.
func TestAlarm(t *testing.T) {
	for name, a := range map[string]Alarm{"kernel": NewAlarm(), "timer": NewTimer()} {
		defer a.Close()
		var late []time.Duration
		for range 50 {
			until := time.Now().Add(3300 * time.Microsecond)
			a.Wait(until)
			late = append(late, time.Since(until))
		}
		slices.Sort(late)
		t.Logf("%s: %v late, %v at most", name, late[25], late[49])
		if late[0] < 0 {
			t.Errorf("%s: %v too early", name, -late[0])
		}
		if late[25] > 20*time.Millisecond {
			t.Errorf("%s: %v late", name, late[25])
		}
		began := time.Now()
		for range 100 {
			a.Wait(began.Add(-time.Second))
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: it waits for what has passed: %v", name, took)
		}
		if n := testing.AllocsPerRun(20, func() { a.Wait(time.Now().Add(time.Microsecond)) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
