package chart

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestChart(t *testing.T) {
	c := New("a < b", "s", Labels(30, 3), Labels(600, 2))
	values := []float64{0, 0.5, math.NaN(), 2, -1}
	c.Line("bold", len(values), func(i int) (float64, float64) { return float64(i) / 4, values[i] })
	c.Mark("red", 0.5, 2)
	svg := string(c.HTML())
	for _, want := range []string{
		`aria-label="a &lt; b"`,
		`d="M50.0 320.0L275.0 170.0M725.0 20.0L950.0 320.0"`, // broken at the NaN; what is beyond is at the edge
		`<rect class="red" x="500.0" y="20" width="450.0" height="300"/>`,
		`>20</text>`, `>300</text>`,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s in %s", want, svg)
		}
	}
	if !strings.HasPrefix(svg, "<svg") || !strings.HasSuffix(svg, "</svg>") {
		t.Error(svg)
	}
	if got := Labels(1, 4); !slices.Equal(got, []string{"0", "0", "0", "1", "1"}) {
		t.Error(got)
	}
}
