package listen

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const referenceHead = "trace,neteq_delay_ms,neteq_concealed_pct,speexdsp_delay_ms,speexdsp_unplayed_pct,offline_delay_ms,offline_late_pct\n"

// Four traces, one of which NetEQ conceals 25 % of.
const fourTraces = referenceHead +
	"a,200,1,100,2,50,0\n" +
	"b,400,2,100,2,50,0\n" +
	"c,900,3,100,2,50,0\n" +
	"d,1000,25,100,2,50,0\n"

func referenceOf(t *testing.T, text string) *Reference {
	t.Helper()
	file := filepath.Join(t.TempDir(), "reference.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := ReadReference(file)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCompare(t *testing.T) {
	r := &Report{Traces: []Figures{
		{Trace: "a", Buffer: "x", Delay: 100, Concealed: 4, Unplayed: 1},
		{Trace: "b", Buffer: "x", Delay: 400, Concealed: 1},
		{Trace: "c", Buffer: "x", Delay: 225, Concealed: 1},
		{Trace: "d", Buffer: "x", Delay: 5000, Concealed: 50, Unplayed: 40},
	}}
	r.summarise()
	r.Compare(referenceOf(t, fourTraces))
	if r.Reference.Traces != 3 || len(r.Reference.Buffers) != 1 {
		t.Fatalf("%+v", r.Reference)
	}
	x := r.Reference.Buffers[0]
	neteq := x.Others[0]
	near(t, "mean", neteq.Mean, 725./1500)
	near(t, "median", neteq.Median, 225./400)
	near(t, "geometric", neteq.Geometric, math.Cbrt(0.5*1*0.25))
	near(t, "NetEQ's mean", neteq.Delay.Mean, 500)
	near(t, "NetEQ's concealed", neteq.Concealed.Median, 2)
	near(t, "ours", x.Summary.Concealed.Mean, 2)
	near(t, "unplayed at most", x.Summary.Unplayed.Max, 1)
	near(t, "speexdsp", x.Others[1].Mean, 725./300)
	over := r.Reference.Overloaded
	if len(over) != 4 || over[0].Buffer != "neteq" || over[0].Unplayed != nil || over[3].Buffer != "x" || *over[3].Unplayed != 40 || over[3].Trace != "d" {
		t.Errorf("overloaded: %+v", over)
	}
	near(t, "all four", r.Summary["x"].Delay.Median, 312.5) // between 225 and 400
	text := r.String()
	for _, want := range []string{"0.483", "0.563", "0.500", "3: NetEQ conceals under 25 %"} {
		if !strings.Contains(text, want) {
			t.Errorf("the table does not say %s:\n%s", want, text)
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

func TestAllOverloaded(t *testing.T) {
	r := &Report{Traces: []Figures{{Trace: "d", Buffer: "x", Delay: 5000}}}
	r.summarise()
	r.Compare(referenceOf(t, fourTraces))
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
	_ = r.String()
}

func TestTheReferenceLacksATrace(t *testing.T) {
	r := referenceOf(t, fourTraces)
	if err := r.Check([]Arrivals{{Name: "a"}, {Name: "d"}}); err != nil {
		t.Error(err)
	}
	if err := r.Check([]Arrivals{{Name: "a"}, {Name: "e"}}); err == nil || !strings.Contains(err.Error(), "trace e") {
		t.Errorf("trace e: %v", err)
	}
}

func TestNoReference(t *testing.T) {
	for _, text := range []string{
		"",
		"trace,neteq_delay_ms\na,1\n",
		strings.Replace(fourTraces, "trace,", "name,", 1),
		strings.Replace(fourTraces, "400", "-400", 1),
		strings.Replace(fourTraces, "400", "NaN", 1),
		strings.Replace(fourTraces, "400", "", 1),
		strings.Replace(fourTraces, "400,", "", 1),
		referenceHead + strings.Repeat("a,1,1,1,1,1,", 3),
	} {
		if _, err := parseReference(strings.NewReader(text)); err == nil {
			t.Errorf("taken: %q", text)
		}
	}
	if _, err := ReadReference(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there")
	}
}

func FuzzReference(f *testing.F) {
	f.Add(fourTraces)
	f.Add(referenceHead + "\"a\nb\",0,0,0,0,0,0\n")
	f.Add(referenceHead + "a,1e999,0,0,0,0,0\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseReference(strings.NewReader(text))
		if err != nil {
			return
		}
		for name, row := range r.rows {
			if len(row) != len(others) {
				t.Fatalf("%q has %d rivals", name, len(row))
			}
			for _, o := range row {
				if !(o.delay >= 0 && o.concealed >= 0 && o.delay < 1e9) {
					t.Fatalf("%q: %+v", name, o)
				}
			}
		}
	})
}
