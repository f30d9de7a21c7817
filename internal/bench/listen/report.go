package listen

import (
	"math"
	"slices"
)

// Report is what the bench prints; its JSON is the bench's output.
type Report struct {
	Summary map[string]Summary `json:"summary"` // by buffer
	Traces  []Figures          `json:"traces"`  // all of one buffer, then of the next

	Reference *Comparison `json:"reference,omitempty"`

	buffers  []string // in order
	arrivals []Arrivals
	views    []view // of each of Traces
}

// Summary of a buffer over all traces.
type Summary struct {
	Delay     Spread  `json:"delay_ms"`
	Concealed Spread  `json:"concealed_pct"`
	Unplayed  Spread  `json:"unplayed_pct"`
	Cut       Spread  `json:"cut_pct"`
	Stretched Spread  `json:"stretched_pct"`
	Squeezed  Spread  `json:"squeezed_voiced_pct"`
	Slowed    Spread  `json:"slowed_voiced_pct"`
	Fastest   Spread  `json:"fastest_voiced"`
	SpeechCut Spread  `json:"speech_cut_pct"`
	R         Spread  `json:"r"`
	Recovery  *Spread `json:"recovery_ms,omitempty"` // of the stalls that were recovered from

	Stalls      int `json:"stalls"`
	Unrecovered int `json:"unrecovered"`
	Violations  int `json:"pause_violations"` // in all
	*Cost           // of sotto
}

// Spread of a figure over traces. The median of an even number lies between
// the two in the middle.
type Spread struct {
	Mean   float64 `json:"mean"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

func spread(xs []float64) Spread {
	if len(xs) == 0 {
		return Spread{}
	}
	return Spread{round(mean(xs)), round(median(xs)), round(slices.Max(xs))}
}

func median(xs []float64) float64 {
	sorted := slices.Sorted(slices.Values(xs))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }

// of picks a figure from each trace.
func of(figures []Figures, pick func(*Figures) float64) []float64 {
	out := make([]float64, len(figures))
	for i := range figures {
		out[i] = pick(&figures[i])
	}
	return out
}

func (r *Report) summarise() {
	r.Summary = map[string]Summary{}
	for _, f := range r.Traces {
		if !slices.Contains(r.buffers, f.Buffer) {
			r.buffers = append(r.buffers, f.Buffer)
		}
	}
	for _, b := range r.buffers {
		r.Summary[b] = summary(r.ofBuffer(b))
	}
}

func (r *Report) ofBuffer(name string) []Figures {
	var out []Figures
	for _, f := range r.Traces {
		if f.Buffer == name {
			out = append(out, f)
		}
	}
	return out
}

func summary(f []Figures) Summary {
	over := func(pick func(*Figures) float64) Spread { return spread(of(f, pick)) }
	s := Summary{
		Delay:     over(func(f *Figures) float64 { return f.Delay }),
		Concealed: over(func(f *Figures) float64 { return f.Concealed }),
		Unplayed:  over(func(f *Figures) float64 { return f.Unplayed }),
		Cut:       over(func(f *Figures) float64 { return f.Cut }),
		Stretched: over(func(f *Figures) float64 { return f.Stretched }),
		Squeezed:  over(func(f *Figures) float64 { return f.Squeezed }),
		Slowed:    over(func(f *Figures) float64 { return f.Slowed }),
		Fastest:   over(func(f *Figures) float64 { return f.Fastest }),
		SpeechCut: over(func(f *Figures) float64 { return f.SpeechCut }),
		R:         over(func(f *Figures) float64 { return f.R }),
	}
	var back []float64
	for i := range f {
		s.Violations += f[i].Violations
		s.Stalls += len(f[i].Recovery)
		for _, r := range f[i].Recovery {
			if r == nil {
				s.Unrecovered++
			} else {
				back = append(back, *r)
			}
		}
	}
	if len(back) > 0 {
		r := spread(back)
		s.Recovery = &r
	}
	return s
}
