package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/doctor"
)

func newDoctor(o *options) *cobra.Command {
	var own, asJSON bool
	c := &cobra.Command{
		Use:   "doctor [--own] [--json]",
		Short: "Look at everything a call needs, and say what mends it",
		Long: `Looks at your settings, at the machine (the profile's folder, disk, swap space, core dumps), at
sound (microphone, loudspeaker, codec) and at Tor: the program, the way into the
network, its sandbox, circuits, the clock; then it publishes an address and calls it through
Tor, from here to here. It takes a minute. No microphone is opened.

The address is one made for this, unless --own says to take this profile's: that
asks for the passphrase, and shows the address online for a moment.

While a phone is up it has this profile's tor: what it says of that is shown, and
nothing is called from here.

Each line is ok, a warning, a failure or skipped, and says what to do. The exit
code is 0 if nothing failed.`,
		Example: "  sotto doctor\n  sotto doctor --own\n  sotto doctor --json | jq '.checks[] | select(.status != \"ok\")'",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			home, err := o.profile()
			if err != nil {
				return err
			}
			show := o.live(c)
			defer show.clear()
			config := doctor.Config{Phone: o.phone(home, show, show.bootstrap), Settings: o.unsettled}
			if config.Up, err = o.phoneUp(c, home); err != nil {
				return err
			}
			if own && config.Up == nil {
				v, p, err := o.open(c.Context(), home)
				p.Wipe()
				switch {
				case errors.Is(err, errInterrupted) || c.Context().Err() != nil:
					return err
				case err != nil:
					config.Identity = err
				default:
					config.Key = v.Key
				}
			}
			findings := []doctor.Finding{}
			err = doctor.Examine(c.Context(), config, func(f doctor.Finding) {
				f.Says, f.Fix = aim(c, f.Says), aim(c, f.Fix)
				findings = append(findings, f)
				if asJSON {
					return
				}
				show.clear()
				fmt.Fprintf(stdout(c), "%-8s %-14s %s\n", f.Status, f.Check, f.Says)
				if f.Fix != "" {
					fmt.Fprintf(stdout(c), "%-8s %-14s → %s\n", "", "", f.Fix)
				}
			})
			show.clear()
			if asJSON {
				report := map[string]any{"ok": err == nil, "checks": findings}
				err = errors.Join(err, json.NewEncoder(stdout(c)).Encode(report))
			}
			return err
		},
	}
	c.Flags().BoolVar(&own, "own", false, "publish and call this profile's own address")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// phoneUp is how a phone stands that has the profile's own tor; nil: there is none,
// or none that speaks, which shows where its tor is wanted.
func (o *options) phoneUp(c *cobra.Command, home string) (*api.Status, error) {
	if o.running.Control != "" {
		return nil, nil // a tor that takes more than one
	}
	phone, err := findPhone(c.Context(), home)
	if err != nil {
		return nil, c.Context().Err()
	}
	if err := ownTor(c); err != nil {
		return nil, err
	}
	s, err := phone.Status(c.Context())
	if err != nil {
		return nil, c.Context().Err()
	}
	return &s, nil
}
