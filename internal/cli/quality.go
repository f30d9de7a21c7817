package cli

import (
	"fmt"
	"strings"

	"github.com/sottovoce/sotto/call/record"
)

// quality is a voice profile by its number, as a flag by its name.
type quality uint8

func (q *quality) String() string { return record.Profiles[*q].Name }

func (*quality) Type() string { return "profile" }

// Set takes a name, in any case.
func (q *quality) Set(name string) error {
	var names []string
	for i, p := range record.Profiles {
		if strings.EqualFold(p.Name, name) {
			*q = quality(i)
			return nil
		}
		names = append(names, p.Name)
	}
	return fmt.Errorf("voice profiles are %s", strings.Join(names, ", "))
}
