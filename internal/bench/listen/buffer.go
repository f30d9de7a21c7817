package listen

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sottovoce/sotto/call/playout"
	"github.com/sottovoce/sotto/jitter"
	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/opus"
)

// Names of buffers; a fixed one has its delay after a colon.
const (
	Sotto  = "sotto"
	Fixed  = "fixed"
	Ramjee = "ramjee"
	All    = "all"
)

// several is what All stands for.
var several = []string{Sotto, "fixed:100", "fixed:300", "fixed:600", Ramjee}

// longest is the most that a fixed buffer may be asked to wait.
const longest = time.Minute

// buffer is a way to play what arrives.
type buffer struct {
	name string
	hear func(*Arrivals, *speech) (Heard, error)
}

// parse gives the buffers asked for, each once.
func (c *Config) parse() ([]buffer, error) {
	var names []string
	for _, name := range c.Buffers {
		if name == All {
			names = append(names, several...)
		} else {
			names = append(names, name)
		}
	}
	var out []buffer
	for _, name := range names {
		if slices.ContainsFunc(out, func(b buffer) bool { return b.name == name }) {
			continue
		}
		b, err := c.buffer(name)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func (c *Config) buffer(name string) (buffer, error) {
	kind, text, _ := strings.Cut(name, ":")
	switch {
	case name == Sotto:
		return buffer{name, func(a *Arrivals, s *speech) (Heard, error) { return c.ear(a, s) }}, nil
	case name == Ramjee:
		return buffer{name, func(a *Arrivals, s *speech) (Heard, error) { return ramjee(a, s.kinds), nil }}, nil
	case kind == Fixed:
		ms, err := strconv.ParseUint(text, 10, 32)
		wait := time.Duration(ms) * time.Millisecond
		if err != nil || wait > longest {
			return buffer{}, fmt.Errorf("%q: give a delay of 0 to %d ms, as in %s:300", name, longest.Milliseconds(), Fixed)
		}
		return buffer{name, func(a *Arrivals, _ *speech) (Heard, error) { return fixed(a, wait), nil }}, nil
	}
	return buffer{}, fmt.Errorf("no buffer %q: give %s, %s:MS, %s or %s", name, Sotto, Fixed, Ramjee, All)
}

// ear listens with the real thing.
func (c *Config) ear(a *Arrivals, s *speech) (Heard, error) {
	dec, err := opus.NewDecoder(opus.Profile24k)
	if err != nil {
		return Heard{}, err
	}
	out, err := c.record(a.Name + "-" + Sotto)
	if err != nil {
		return Heard{}, err
	}
	why, err := explain(c.Explain, a.Name)
	if err != nil {
		return Heard{}, err
	}
	h := Heard{Start: samples(phase), Runs: make([]voice.Run, 0, 2*len(a.At))}
	config := c.Jitter
	config.Explain = func(e jitter.Explained) {
		why.add(&e)
		h.Targets = append(h.Targets, [2]float64{e.Now.Seconds(), ms(e.Target)})
	}
	e := playout.New(config, dec)
	var made, pulled int64
	e.Heard = func(r voice.Run) {
		h.Runs = append(h.Runs, r)
		made += int64(r.Samples)
	}
	var f [voice.PullSamples]float32
	order := a.order()
	end := a.last() + encore
	for now := phase; now <= end; now += voice.PullTime {
		for len(order) > 0 && a.At[order[0]] <= now {
			e.Push(a.At[order[0]], uint32(order[0]), s.packets[order[0]])
			order = order[1:]
		}
		e.Pull(now, f[:])
		out.write(f[:])
		if made == 0 {
			h.Start = samples(now + voice.PullTime)
			continue // nothing has begun yet
		}
		pulled += voice.PullSamples
		if missing := pulled - made; missing > 0 {
			e.Heard(voice.Run{Samples: int(missing)}) // silence that the ear did not tell of
		}
	}
	h.End = h.Start + pulled
	return h, errors.Join(out.close(), why.close())
}
