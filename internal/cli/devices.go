package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/voice/portaudio"
)

func newDevices() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "devices [--json]",
		Short:   "List microphones and loudspeakers",
		Long:    "Lists the sound devices that --mic and --speaker take, by number or by a part of the name.",
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
				if _, err := fmt.Fprintln(stdout(c), d); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON list")
	c.AddCommand(newDevicesTest(), newDevicesUse())
	for _, sub := range c.Commands() {
		sub.DisableFlagsInUseLine = true
	}
	return c
}
