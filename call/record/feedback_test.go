package record_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/call/record"
)

// A hostile peer's feedback, record after record: it acknowledges nothing that
// was never sent, so no path ever holds more than its cap, and no tick or
// lateness of theirs upsets what we report of them.
func FuzzFeedback(f *testing.F) {
	honest := make([]byte, 0, 400)
	for n := range uint32(10) {
		b := binary.BigEndian.AppendUint32(nil, n+1) // tick
		for path := range byte(4) {
			b = append(b, path, 0, 0, 3)
			b = binary.BigEndian.AppendUint32(b, n/4)
		}
		honest = append(honest, b...)
	}
	f.Add(honest)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add(make([]byte, 36*80))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s paths.Scheduler
		var r paths.Receiver
		const open = 4
		for p := range paths.ID(open) {
			s.Open(p)
			r.Open(p)
		}
		var sent, got [open]uint32
		var came [open]uint32
		for now := time.Duration(0); len(b) > 0 && now < time.Minute; now += paths.Tick {
			if p, ok := s.Tick(now, func(paths.ID) bool { return true }); ok {
				if sent[p]++; sent[p]-got[p] > paths.Cap {
					t.Fatalf("path %d holds %d records", p, sent[p]-got[p])
				}
			}
			var plain record.Plain
			b = b[copy(plain[:4], b):]
			b = b[copy(plain[12:44], b):]
			var c record.Contents
			if err := c.Get(&plain, record.Profiles[0]); err != nil {
				t.Fatal(err)
			}
			from := paths.ID(c.Tick % open)
			r.Got(now, from, c.Tick)
			came[from]++
			for _, x := range c.Reports[:c.Heard] {
				s.Report(now, paths.ID(x.Path), paths.Report{
					Number: x.Number, Said: c.Tick, Lateness: time.Duration(x.Lateness) * record.LatenessUnit * time.Millisecond,
				})
				if x.Path < open && x.Number < sent[x.Path] {
					got[x.Path] = max(got[x.Path], x.Number+1)
				}
			}
			if s.RoundTrip() < 0 {
				t.Fatalf("a round trip of %v", s.RoundTrip())
			}
			var told [record.ReportCount]paths.Heard
			for _, h := range told[:r.Reports(told[:])] {
				if h.Number != came[h.Path]-1 || h.Lateness < 0 {
					t.Fatalf("path %d got %d records, and is reported as %+v", h.Path, came[h.Path], h)
				}
			}
		}
	})
}
