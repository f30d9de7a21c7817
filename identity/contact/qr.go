package contact

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// Scheme says on what ground a QR code is drawn in text. A reader wants dark
// modules on a light ground.
type Scheme int

// The schemes.
const (
	Colour Scheme = iota // black on white by the terminal's colours (ISO 6429, 256 of them)
	Dark                 // for light letters on a dark ground: letters draw the light modules
	Light                // for dark letters on a light ground: letters draw the dark modules
)

// quiet is how many light modules there are around the code (ISO 18004).
const quiet = 4

// QR draws the card with half blocks: each character is one module wide and two
// high, so that modules are square where characters are twice as high as wide.
// Lines end in line breaks.
func (c Card) QR(s Scheme) (string, error) {
	// Capital letters take 5.5 bits each. A screen has no stains, so the least
	// correction will do, and the code fits 24 lines.
	code, err := qr.Encode(strings.ToUpper(c.Text()), qr.L)
	if err != nil {
		return "", fmt.Errorf("drawing the card: %w", err)
	}
	drawn := func(x, y int) bool { return code.Black(x, y) == (s != Dark) }
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		if s == Colour {
			b.WriteString("\x1b[38;5;16;48;5;231m")
		}
		for x := -quiet; x < code.Size+quiet; x++ {
			top, bottom := drawn(x, y), drawn(x, y+1)
			switch {
			case top && bottom:
				b.WriteRune('█')
			case top:
				b.WriteRune('▀')
			case bottom:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		if s == Colour {
			b.WriteString("\x1b[0m")
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}
