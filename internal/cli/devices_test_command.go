package cli

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/internal/phone"
)

const (
	checkLong = 3 * time.Second
	muted     = -55.0 // dBFS: a microphone whose loudest sample is no louder hears nobody
	clips     = -0.5
)

func newDevicesTest() *cobra.Command {
	check := phone.SoundCheck{Long: checkLong}
	var asJSON bool
	c := &cobra.Command{
		Use:   "test [--mic M] [--speaker S] [--json]",
		Short: "Try microphone and loudspeaker: hear yourself, and measure the way around",
		Long: `Shows the microphone's level, records for three seconds, plays that back, and then
plays three short chirps: from when the microphone hears them it is measured how
long sound takes around, out of sotto, through loudspeaker, air and microphone, and
back in. With a headset the microphone may not hear them, which is just as well.

Nothing is kept, and nobody is called.`,
		Example: "  sotto devices test\n  sotto devices test --mic headset --speaker headset",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			show := newLive(c.ErrOrStderr())
			defer show.clear()
			check.Event = func(e phone.SoundEvent) { showCheck(show, e) }
			r, err := check.Run(c.Context())
			if err != nil {
				return err
			}
			show.clear()
			if asJSON {
				return json.NewEncoder(stdout(c)).Encode(r)
			}
			return printCheck(c, r)
		},
	}
	c.Flags().StringVar(&check.Mic, "mic", "", "microphone, by name or number (see sotto devices)")
	c.Flags().StringVar(&check.Speaker, "speaker", "", "loudspeaker, by name or number (see sotto devices)")
	settings(c.Flags(), "mic", "speaker")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func showCheck(show *live, e phone.SoundEvent) {
	text := map[phone.SoundStage]string{
		phone.SoundOpening:   "opening microphone and loudspeaker …",
		phone.SoundRecording: fmt.Sprintf("say something, %.0f s more   %s  %3.0f dBFS", e.Left.Seconds()+0.5, meter(e.Level), e.Level),
		phone.SoundPlaying:   fmt.Sprintf("this is how you sound         %s", meter(e.Level)),
		phone.SoundChirping:  fmt.Sprintf("chirps, to measure the way    %s", meter(e.Level)),
	}[e.Stage]
	show.show(string(e.Stage), text)
}

func printCheck(c *cobra.Command, r *phone.SoundReport) error {
	lines := []string{
		"microphone   " + r.Microphone,
		"loudspeaker  " + r.Loudspeaker,
		fmt.Sprintf("you          %.0f dBFS, at most %.0f", r.Level, r.Peak),
	}
	switch {
	case r.Peak < muted:
		lines = append(lines, "             hardly anything: is it muted, or another one meant? (sotto devices)")
	case r.Peak > clips:
		lines = append(lines, "             too loud, it is clipped: turn the microphone down in the system's settings")
	}
	if r.Chirps == 0 {
		lines = append(lines, "around       the microphone did not hear the chirps, as with a headset")
	} else {
		lines = append(lines, fmt.Sprintf("around       %.0f ms from sotto to sotto, %.0f ms of it in the devices and the air", r.RoundTripMS, r.DevicesMS))
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(stdout(c), line); err != nil {
			return err
		}
	}
	return nil
}
