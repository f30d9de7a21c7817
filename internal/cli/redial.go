package cli

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/internal/api"
)

// tailTime is how long a call goes on after a file has been said, so that its
// end is heard.
const tailTime = time.Second

// hangUpWhenSaid ends a call when all of the file to be said has been said.
func hangUpWhenSaid(ctx context.Context, st *station, id string) {
	select {
	case <-st.sounds.Done():
		wait(ctx, tailTime)
		_ = st.board.HangUp(id)
	case <-st.ended:
	case <-ctx.Done():
	}
}

// wait waits, and reports whether ctx still lives.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// Calling again.
const (
	mostRedials  = 10
	redialPause  = 15 * time.Second // before the first; each further is twice as long
	longestPause = 5 * time.Minute
)

// talk calls and sees the call through, and calls again if that may help. It
// gives how the last call ended; began is told of each.
func (cc *callCommand) talk(ctx context.Context, phone *api.Client, show *live, keyboard <-chan byte, whom string, began func(api.Call)) (*api.Call, error) {
	pause := cc.pause
	for again := 1; ; again++ {
		con := &console{live: show, phone: phone, keys: keyboard, home: cc.named, begin: func(ctx context.Context) (api.Call, error) {
			call, err := phone.Call(ctx, whom)
			if err == nil {
				began(call)
			}
			return call, err
		}}
		if err := con.run(ctx); err != nil || con.last == nil {
			return con.last, err
		}
		last := con.last
		if last.End == nil || !last.End.Again || again > cc.redial {
			return last, nil
		}
		show.say("%s; calling again in %s (%d of %d)", aimAt(cc.named, last.End.Error), clock(pause), again, cc.redial)
		if err := rest(ctx, pause, keyboard); err != nil {
			return last, err
		}
		pause = min(2*pause, longestPause)
	}
}

// rest waits for the next call, unless a key ends it.
func rest(ctx context.Context, pause time.Duration, keyboard <-chan byte) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return errInterrupted
		case key, ok := <-keyboard:
			switch {
			case !ok:
				return errNobodyLooks
			case key == ctrlC, key == 'q', key == 'Q':
				return errInterrupted
			}
		}
	}
}

// finish says how the call has ended.
func (cc *callCommand) finish(c *cobra.Command, show *live, last *api.Call, err error) error {
	show.clear()
	if errors.Is(err, context.Canceled) {
		err = errInterrupted
	}
	if last == nil {
		last = &api.Call{OneTime: cc.once}
	}
	if err == nil && last.End != nil && (last.End.Error != "" || last.End.Exit != exitDone) {
		err = &api.Error{Text: last.End.Error, Exit: last.End.Exit}
	}
	if err == nil {
		show.say("the call is over after %s%s", clock(time.Duration(last.TalkedMS)*time.Millisecond), onceNote(*last))
	}
	if cc.asJSON {
		if printed := json.NewEncoder(stdout(c)).Encode(report(*last, err)); err == nil {
			err = printed
		}
	}
	return err
}

// report is what --json prints about a call.
func report(last api.Call, err error) map[string]any {
	seconds := float64(last.Sent+last.Skipped) / 50 // a record a tick, sent or not
	r := map[string]any{
		"exit": exitCode(err), "setup_ms": last.SetupMS, "talked_ms": last.TalkedMS,
		"records_sent": last.Sent, "records_received": last.Received, "skipped_ticks": last.Skipped,
		"records_per_second": float64(last.Sent) / max(seconds, 1), "round_trip_ms": last.RoundTripMS,
		"concealed_pct": last.ConcealedPC, "voice": last.Voice, "one_time": last.OneTime,
	}
	if last.Name != "" {
		r["name"] = name(last)
	}
	if err != nil {
		r["error"] = err.Error()
	}
	return r
}
