package portaudio

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	pa "github.com/gordonklaus/portaudio"
)

// Device is a sound device as PortAudio lists it.
type Device struct {
	Number        int    // valid until devices come or go
	Name          string // as the host interface calls it
	HostAPI       string // "ALSA", "JACK Audio Connection Kit", …
	Inputs        int    // channels
	Outputs       int    // channels
	DefaultInput  bool   // the microphone if none is named
	DefaultOutput bool   // the loudspeaker if none is named

	info *pa.DeviceInfo
}

// String names the device as a list would show it.
func (d Device) String() string {
	return fmt.Sprintf("%d %s (%s)", d.Number, d.Name, d.HostAPI)
}

// serves reports whether the device has the direction asked for.
func (d Device) serves(input bool) bool {
	if input {
		return d.Inputs > 0
	}
	return d.Outputs > 0
}

// Devices lists what there is now, none being no error.
func Devices() ([]Device, error) { return DevicesWithin(startTime) }

// DevicesWithin is Devices for who can wait only so long, as a sound server may be
// slow or hang.
func DevicesWithin(patience time.Duration) ([]Device, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return devices(ctx)
}

func devices(ctx context.Context) ([]Device, error) {
	p, err := start(ctx, listing, "", 0)
	if err != nil {
		return nil, err
	}
	p.stop()
	return p.Devices, nil
}

// Find picks a microphone (input) or a loudspeaker from a list: by number; by
// name, whole or in part, in any case; or the default if want is empty. Several
// matches, or none, are [ErrNoDevice], which names what there is.
func Find(devices []Device, want string, input bool) (Device, error) {
	kind := "loudspeaker"
	if input {
		kind = "microphone"
	}
	var usable, exact, part []Device
	number, err := strconv.Atoi(want)
	isNumber := err == nil
	for _, d := range devices {
		name := strings.ToLower(d.Name)
		switch {
		case !d.serves(input):
			continue
		case want == "" && (input && d.DefaultInput || !input && d.DefaultOutput), isNumber && d.Number == number:
			return d, nil
		case strings.EqualFold(d.Name, want):
			exact = append(exact, d)
		case want != "" && strings.Contains(name, strings.ToLower(want)):
			part = append(part, d)
		}
		usable = append(usable, d)
	}
	matches := part
	if len(exact) > 0 {
		matches = exact
	}
	switch {
	case len(usable) == 0:
		return Device{}, fmt.Errorf("%w: this machine has no %s", ErrNoDevice, kind)
	case len(matches) == 1:
		return matches[0], nil
	case len(matches) > 1:
		return Device{}, fmt.Errorf("%w: %q may be any of %s: use the number", ErrNoDevice, want, join(matches))
	case want == "":
		return Device{}, fmt.Errorf("%w: there is no default %s; name one of %s", ErrNoDevice, kind, join(usable))
	}
	return Device{}, fmt.Errorf("%w: no %s %q; there are %s", ErrNoDevice, kind, want, join(usable))
}

func join(devices []Device) string {
	names := make([]string, len(devices))
	for i, d := range devices {
		names[i] = d.String()
	}
	return strings.Join(names, ", ")
}
