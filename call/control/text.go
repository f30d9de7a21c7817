package control

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText is the longest text of a Chat message, in bytes.
const MaxText = MaxMessage - 1

// Text makes a peer's bytes fit to be shown: what does not print (control
// characters and so every ANSI sequence, bidirectional marks and other
// invisible ones, line breaks, broken UTF-8) is taken out, spaces are plain.
func Text(body []byte) string {
	var out strings.Builder
	for _, r := range string(body) {
		switch {
		case r == utf8.RuneError, !unicode.IsPrint(r) && !unicode.IsSpace(r):
		case unicode.IsSpace(r):
			out.WriteByte(' ')
		default:
			out.WriteRune(r)
		}
	}
	return strings.TrimSpace(out.String())
}
