package call

import (
	"slices"
	"sync"
	"testing"

	"github.com/sottovoce/sotto/call/paths"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/internal/interop"
)

var allVectors = sync.OnceValues(func() ([]interop.Case, error) { return interop.Read("../docs/vectors") })

func vectors(t testing.TB, kind string) (cases []interop.Case) {
	t.Helper()
	all, err := allVectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Kind == kind {
			cases = append(cases, c)
		}
	}
	return cases
}

// enrolled is a call of the vectors', and the tags by which paths may join it.
func enrolled(s *interop.Secrets) (*tags, *Call) {
	c := &Call{chain: record.NewChain([32]byte(s.H), [32]byte(s.K1), [32]byte(s.K2))}
	c.chain.Next() // path 0
	t := newTags()
	t.enrol(c)
	return t, c
}

// ticketOf is the live ticket of a path.
func (t *tags) ticketOf(number int) *ticket {
	for _, k := range t.live {
		if k.keys.Number == number {
			return k
		}
	}
	return nil
}

func TestTagsAsInTheVectors(t *testing.T) {
	for _, c := range vectors(t, "join") {
		tags, call := enrolled(c.In.Secrets)
		for _, n := range c.In.Burned {
			k := tags.ticketOf(n)
			if k == nil || !tags.burn(k) {
				t.Fatalf("%s: path %d cannot join", c.Name, n)
			}
			if tags.burn(k) {
				t.Fatalf("%s: path %d joins twice", c.Name, n)
			}
		}
		stage, number := "ok", 0
		if k := tags.find(c.In.Block[:record.TagSize]); k == nil {
			stage = "tag"
		} else {
			number = k.keys.Number
			join := record.Cell(c.In.Block)
			if _, err := k.keys.OpenJoin(&join); err != nil {
				stage, number = "join", 0
			}
		}
		if stage != c.Stage || number != c.Out.Number {
			t.Errorf("%s: path %d, ends at %q and not at %q", c.Name, number, stage, c.Stage)
		}
		tags.dismiss(call)
		if len(tags.live) > 0 || len(tags.calls) > 0 {
			t.Errorf("%s: %d tags outlive their call", c.Name, len(tags.live))
		}
	}
}

// The tags of all of a call's life: 16 at first, no more than 16 past the
// highest burned, none past 63, none twice.
func TestTagsRunOut(t *testing.T) {
	tags, _ := enrolled(vectors(t, "join")[0].In.Secrets)
	var seen []int
	for len(tags.live) > 0 {
		highest := 0
		for _, k := range tags.live {
			highest = max(highest, k.keys.Number)
		}
		k := tags.ticketOf(highest)
		if last := slices.Max(append([]int{0}, seen...)); highest > min(last+ahead, paths.Most-1) && !slices.Contains(seen, highest) {
			t.Fatalf("path %d may join after %v", highest, seen)
		}
		seen = append(seen, highest)
		tags.burn(k)
	}
	slices.Sort(seen)
	if len(seen) != paths.Most-1 || seen[0] != 1 || seen[62] != 63 {
		t.Errorf("these joined: %v", seen)
	}
}
