package cli

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/internal/config"
	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/voice/portaudio"
)

func newDevicesUse() *cobra.Command {
	var as string
	c := &cobra.Command{
		Use:   "use [--as mic|speaker] DEVICE|default",
		Short: "Choose a microphone, a loudspeaker or both, and keep that",
		Long: `Keeps a device, given by its number or by a part of its name, as the settings mic
and speaker: whatever of the two it can be, or only what --as says. The name is
kept, since numbers change when devices come and go. The word default follows the
system's choice again.`,
		Example: "  sotto devices use headset\n  sotto devices use --as speaker 3\n  sotto devices use default",
		Args:    someArgs(1, "one device"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return append(offerDevices(as), "default"), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			if as != "" && as != "mic" && as != "speaker" {
				return usageError{fmt.Errorf("--as %s: it is mic or speaker", as)}
			}
			return useDevice(c, args[0], as)
		},
	}
	c.Flags().StringVar(&as, "as", "", "only as this: mic or speaker")
	return c
}

func useDevice(c *cobra.Command, want, as string) error {
	sides := []string{"mic", "speaker"}
	if as != "" {
		sides = []string{as}
	}
	s := schema()
	if want == "default" {
		err := changeSettings(s, func(text []byte) (_ []byte, err error) {
			for _, side := range sides {
				if text, _, err = config.Unset(text, side); err != nil {
					return nil, err
				}
			}
			return text, nil
		})
		if err == nil {
			_, err = fmt.Fprintln(stdout(c), "the system's choice is followed")
		}
		return err
	}
	devices, err := portaudio.Devices()
	if err != nil {
		return fmt.Errorf("%w: %w", phone.ErrAudio, err)
	}
	chosen := map[string]portaudio.Device{}
	var refused error
	for _, side := range sides {
		d, err := portaudio.Find(devices, want, side == "mic")
		if err != nil {
			refused = cmp.Or(refused, fmt.Errorf("%w: %w", phone.ErrAudio, err))
			continue
		}
		chosen[side] = d
	}
	if len(chosen) == 0 {
		return refused
	}
	err = changeSettings(s, func(text []byte) (_ []byte, err error) {
		for side, d := range chosen {
			if text, err = s.Set(text, side, called(devices, d, side == "mic")); err != nil {
				return nil, err
			}
		}
		return text, nil
	})
	if err != nil {
		return err
	}
	for _, side := range sides {
		if d, ok := chosen[side]; ok {
			if _, err := fmt.Fprintf(stdout(c), "%-8s %v\n", side, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// called is how a device is kept: by its name, or by its number where others have
// the same name.
func called(devices []portaudio.Device, d portaudio.Device, input bool) string {
	if same, err := portaudio.Find(devices, d.Name, input); err == nil && same.Number == d.Number {
		return d.Name
	}
	return strconv.Itoa(d.Number)
}
