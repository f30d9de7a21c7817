package demo

import (
	"fmt"
	"io"
	"time"

	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/voice"
)

// Both is a figure of each party. What one hears is under its own name:
// mouth_to_ear_ms.caller is from the callee's mouth to the caller's ear.
type Both[T any] struct {
	Caller T `json:"caller"`
	Callee T `json:"callee"`
}

// Report is what a demo measured. Times are milliseconds.
type Report struct {
	TorVersion         string            `json:"tor_version"`
	CalleeAddress      string            `json:"callee_address"`
	BootstrapMS        float64           `json:"bootstrap_ms"` // the network's start to the address published
	ConnectMS          float64           `json:"connect_ms"`   // a raw onion stream
	SetupMS            float64           `json:"setup_ms"`     // dialling to ringing
	StreamRTTMS        float64           `json:"stream_rtt_ms"`
	Paths              int               `json:"paths"`
	RendezvousCircuits int               `json:"rendezvous_circuits"` // joined ones at the caller's tor
	RecordBytes        int               `json:"record_bytes"`
	RecordsPerSecond   Both[float64]     `json:"records_per_second"`
	SkippedTicks       Both[uint64]      `json:"skipped_ticks"`
	TalkMS             float64           `json:"talk_ms"`
	RoundTripMS        Percentiles       `json:"round_trip_ms"` // of records, the wait for a tick included
	MouthToEarMS       Both[Percentiles] `json:"mouth_to_ear_ms"`
	ConcealedPct       Both[float64]     `json:"concealed_pct"`
	SkippedFrames      Both[uint64]      `json:"skipped_frames"`
	Heard              Both[float64]     `json:"heard"`  // envelope correlation with what was said, 0 to 1
	LagMS              Both[float64]     `json:"lag_ms"` // mouth to ear again, by cross-correlation

	// MouthToEar are the delays of all frames that were played, in order.
	MouthToEar Both[[]time.Duration] `json:"-"`
}

// measure fills in what the call's end knows.
func (d *demo) measure(r *Report) {
	r.RecordBytes = record.Size
	zero := d.zero()
	a, b := d.caller.seen.last, d.callee.seen.last
	r.Paths = a.Paths
	r.RecordsPerSecond = Both[float64]{a.Rate(), b.Rate()}
	r.SkippedTicks = Both[uint64]{a.Skipped, b.Skipped}
	r.TalkMS = ms(a.Since)
	r.RoundTripMS = PercentilesOf(d.caller.seen.trips)
	r.MouthToEar = Both[[]time.Duration]{d.caller.ear.all(), d.callee.ear.all()}
	r.MouthToEarMS = Both[Percentiles]{PercentilesOf(r.MouthToEar.Caller), PercentilesOf(r.MouthToEar.Callee)}
	r.ConcealedPct = Both[float64]{a.Playout.ConcealedPercent(), b.Playout.ConcealedPercent()}
	r.SkippedFrames = Both[uint64]{a.Playout.Skipped, b.Playout.Skipped}
	caller := voice.Compare(d.callee.said.since(zero), d.caller.heard.since(zero))
	callee := voice.Compare(d.caller.said.since(zero), d.callee.heard.since(zero))
	r.Heard = Both[float64]{round(caller.Envelope), round(callee.Envelope)}
	r.LagMS = Both[float64]{ms(caller.Lag), ms(callee.Lag)}
}

func round(x float64) float64 { return float64(int(x*10000)) / 10000 }

// lag is a delay found by cross-correlation, where what was heard is like what was
// said at all.
func lag(ms, heard float64) string {
	if heard < 0.5 {
		return "not found"
	}
	return fmt.Sprintf("%.0f ms", ms)
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, `A call over a private Tor network (tor %s)
  address published after       %8.1f s
  raw onion stream connected in %8.0f ms
  ringing after                 %8.0f ms
  paths, rendezvous circuits    %8d, %d
  records                       %8d bytes, %.1f and %.1f a second
  stream's round trip           %8.0f ms (greeting), records %.0f / %.0f / %.0f ms (p50 / p95 / p99)
                                    caller hears      callee hears
  mouth to ear, p50             %13.0f ms  %13.0f ms
                p95             %13.0f ms  %13.0f ms
                p99             %13.0f ms  %13.0f ms
  the same by cross-correlation %16s  %16s
  concealed                     %13.2f %%   %13.2f %%
  envelope, heard and said      %13.3f     %13.3f
`,
		r.TorVersion, r.BootstrapMS/1000, r.ConnectMS, r.SetupMS, r.Paths, r.RendezvousCircuits,
		r.RecordBytes, r.RecordsPerSecond.Caller, r.RecordsPerSecond.Callee,
		r.StreamRTTMS, r.RoundTripMS.P50, r.RoundTripMS.P95, r.RoundTripMS.P99,
		r.MouthToEarMS.Caller.P50, r.MouthToEarMS.Callee.P50,
		r.MouthToEarMS.Caller.P95, r.MouthToEarMS.Callee.P95,
		r.MouthToEarMS.Caller.P99, r.MouthToEarMS.Callee.P99,
		lag(r.LagMS.Caller, r.Heard.Caller), lag(r.LagMS.Callee, r.Heard.Callee),
		r.ConcealedPct.Caller, r.ConcealedPct.Callee, r.Heard.Caller, r.Heard.Callee)
	return err
}
