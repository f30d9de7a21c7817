package contact

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sottovoce/sotto/identity"
)

// Policy says who is told of whose calls. Whatever it says, nothing of it shows
// on the wire: who is not told of has the whole of a call that nobody answers.
// Its zero value is the default: contacts ring at any time, and strangers are
// listed as missed. A [Book] keeps one, as a line of fields with tabs between:
//
//	policy	<whose calls ring>	<whose are missed>	<silent times, with commas, or ->
type Policy struct {
	Ring   Who    // whose calls ring
	Missed Who    // whose calls are listed as missed where they do not ring
	Silent []Span // when nobody's call rings
}

// maxSpans is how many silent times there may be.
const maxSpans = 24

// With is p as far as q says nothing else. Silent times of q that are empty, and
// not nil, mean none.
func (p Policy) With(q Policy) Policy {
	if q.Ring != Default {
		p.Ring = q.Ring
	}
	if q.Missed != Default {
		p.Missed = q.Missed
	}
	if q.Silent != nil {
		p.Silent = q.Silent
	}
	return p
}

// Plain is the same with its defaults named.
func (p Policy) Plain() Policy { return Policy{Ring: Contacts, Missed: Anyone}.With(p) }

// Times are the silent times as text, "" if there are none.
func (p Policy) Times(between string) string {
	var times []string
	for _, s := range p.Silent {
		times = append(times, s.String())
	}
	return strings.Join(times, between)
}

// line is the policy as a line of the list, and whether it is the default.
func (p Policy) line() (line string, plain bool) {
	p = p.Plain()
	times := cmp.Or(p.Times(","), "-")
	return fmt.Sprintf("policy\t%s\t%s\t%s", &p.Ring, &p.Missed, times), p.Ring == Contacts && p.Missed == Anyone && times == "-"
}

// parsePolicy reads what line writes, and nothing else; the default only if plain
// says that it may be there.
func parsePolicy(line string, plain bool) (p Policy, err error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 4 {
		return p, errors.New("four fields are wanted")
	}
	if err := errors.Join(p.Ring.Set(fields[1]), p.Missed.Set(fields[2])); err != nil {
		return p, err
	}
	if fields[3] != "-" {
		if p.Silent, err = ParseSpans(strings.Split(fields[3], ",")); err != nil {
			return p, err
		}
	}
	if text, is := p.line(); text != line || is && !plain {
		return p, ErrPolicy
	}
	return p, nil
}

// ParseSpans reads silent times; "no" alone means none, which is not nil.
func ParseSpans(texts []string) ([]Span, error) {
	spans := []Span{}
	if len(texts) == 1 && texts[0] == "no" {
		return spans, nil
	}
	if len(texts) > maxSpans {
		return nil, fmt.Errorf("%w: %d silent times, and %d are the most", ErrPolicy, len(texts), maxSpans)
	}
	for _, text := range texts {
		s, err := ParseSpan(text)
		if err != nil {
			return nil, err
		}
		spans = append(spans, s)
	}
	return spans, nil
}

// Who is a circle of people. Blocked ones are in neither.
type Who int

// The circles.
const (
	Default  Who = iota // contacts for Ring, anyone for Missed
	Contacts            // those in the book
	Anyone              // strangers too
)

// ErrPolicy says that a text names no circle and no span of time.
var ErrPolicy = errors.New("wrong policy")

// Set reads "contacts" or "anyone".
func (w *Who) Set(text string) error {
	switch text {
	case "contacts":
		*w = Contacts
	case "anyone":
		*w = Anyone
	default:
		return fmt.Errorf("%w: %q is neither contacts nor anyone", ErrPolicy, text)
	}
	return nil
}

// String and Type make a Who usable as a flag.
func (w *Who) String() string { return [...]string{"", "contacts", "anyone"}[*w] }

// Type is what a flag of it takes.
func (w *Who) Type() string { return "contacts|anyone" }

// Span is a time of the day, every day: from a minute of the local day to
// another, over midnight if the second is earlier.
type Span struct{ From, To int } // minutes since midnight, 0 to 1439

// ParseSpan reads "22:00-07:30".
func ParseSpan(text string) (s Span, err error) {
	from, to, _ := strings.Cut(text, "-")
	for _, end := range []struct {
		text string
		to   *int
	}{{from, &s.From}, {to, &s.To}} {
		t, err := time.Parse("15:04", strings.TrimSpace(end.text))
		if err != nil {
			return Span{}, fmt.Errorf("%w: %q is not a time of the day like 22:00-07:30", ErrPolicy, text)
		}
		*end.to = t.Hour()*60 + t.Minute()
	}
	if s.From == s.To {
		return Span{}, fmt.Errorf("%w: %q begins when it ends", ErrPolicy, text)
	}
	return s, nil
}

func (s Span) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.From/60, s.From%60, s.To/60, s.To%60)
}

// Holds says whether t's local time of the day is in the span; its end is not.
func (s Span) Holds(t time.Time) bool {
	now := t.Hour()*60 + t.Minute()
	if s.From < s.To {
		return s.From <= now && now < s.To
	}
	return s.From <= now || now < s.To
}

// Verdict is what becomes of a call.
type Verdict int

// The verdicts.
const (
	Nothing Verdict = iota // nobody is told
	Missed                 // it is listed as missed
	Ring                   // it rings
)

func (v Verdict) String() string { return [...]string{"nothing", "missed", "ring"}[v] }

// Judge says what becomes of a call from a at t.
func (p Policy) Judge(b *Book, a identity.Address, t time.Time) Verdict {
	if b.Blocks(a) {
		return Nothing
	}
	_, known := b.At(a)
	silent := false
	for _, s := range p.Silent {
		silent = silent || s.Holds(t)
	}
	switch {
	case !silent && (known || p.Ring == Anyone):
		return Ring
	case known || p.Missed != Contacts:
		return Missed
	}
	return Nothing
}
