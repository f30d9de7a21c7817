package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/voice/portaudio"
)

func newDevices() *cobra.Command {
	var asJSON bool
	var mic, speaker string
	c := &cobra.Command{
		Use:   "devices [--json]",
		Short: "List microphones and loudspeakers",
		Long: `Lists the sound devices that --mic and --speaker take, by number or by a part of the
name, and says which of them calls use: those that were chosen (sotto devices use),
or the system's.`,
		Example: "  sotto devices\n  sotto devices test\n  sotto devices use headset\n  sotto call --mic headset --speaker 3",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			devices, err := portaudio.Devices()
			if err != nil {
				return fmt.Errorf("%w: %w", phone.ErrAudio, err)
			}
			if asJSON {
				if devices == nil {
					devices = []portaudio.Device{}
				}
				return json.NewEncoder(stdout(c)).Encode(devices)
			}
			if len(devices) == 0 {
				return fmt.Errorf("%w: there is no sound device here; calls can use files: --in FILE.wav --out FILE.wav", phone.ErrAudio)
			}
			for _, d := range devices {
				if _, err := fmt.Fprintln(stdout(c), describe(devices, d, mic, speaker)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON list")
	c.Flags().StringVar(&mic, "mic", "", "")
	c.Flags().StringVar(&speaker, "speaker", "", "")
	settings(c.Flags(), "mic", "speaker")
	for _, name := range []string{"mic", "speaker"} {
		_ = c.Flags().MarkHidden(name) // it is there: the settings are wanted, not the flags
	}
	c.AddCommand(newDevicesTest(), newDevicesUse())
	for _, sub := range c.Commands() {
		sub.DisableFlagsInUseLine = true
	}
	return c
}

// describe is a device's line: what it is and what calls use it for.
func describe(devices []portaudio.Device, d portaudio.Device, mic, speaker string) string {
	var uses []string
	if used, err := portaudio.Find(devices, mic, true); err == nil && used.Number == d.Number {
		uses = append(uses, "microphone")
	}
	if used, err := portaudio.Find(devices, speaker, false); err == nil && used.Number == d.Number {
		uses = append(uses, "loudspeaker")
	}
	if len(uses) == 0 {
		return d.String()
	}
	return fmt.Sprintf("%v  (the %s of calls)", d, strings.Join(uses, " and "))
}
