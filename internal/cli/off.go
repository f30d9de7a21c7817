package cli

import "errors"

// off is a flag that is on or off, on being the zero value.
type off bool

// String is "on" or "off".
func (o *off) String() string {
	if *o {
		return "off"
	}
	return "on"
}

// Set reads what String gives.
func (o *off) Set(s string) error {
	if s != "on" && s != "off" {
		return errors.New("it is on or off")
	}
	*o = s == "off"
	return nil
}

// Type is what help shows.
func (*off) Type() string { return "on|off" }
