package phone

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/voice"
)

// TestBothVoicesAreOnTheTape says one tone and plays another for ten seconds,
// from a card 200 millionths too fast, and looks for both in the file.
func TestBothVoicesAreOnTheTape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "talk.wav")
		k, err := output(t, path).create(0)
		if err != nil {
			t.Fatal(err)
		}
		p, stop, ended := newTape(), make(chan struct{}), make(chan struct{})
		go func() {
			p.write(k, stop, func(err error) { t.Error(err) })
			close(ended)
		}()
		sine := func(out []float32, hz float64, from int) {
			for i := range out {
				out[i] = float32(0.25 * math.Sin(2*math.Pi*hz*float64(from+i)/voice.SampleRate))
			}
		}
		const seconds = 10
		var f voice.Frame
		pulled := 0
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for ms := 1; ms <= seconds*1000; ms++ {
			<-tick.C
			for float64(pulled) < float64(ms)*48*1.0002 {
				sine(f[:480], 1000, pulled)
				p.Heard(f[:480])
				pulled += 480
			}
			if ms%20 == 0 {
				sine(f[:], 400, ms*48)
				p.Said(&f)
			}
		}
		close(stop)
		<-ended
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
		c := load(t, path)
		if c.Duration() != seconds*time.Second {
			t.Errorf("%v long", c.Duration())
		}
		for _, hz := range []float64{400, 1000, 700} {
			// Tenths of a second, as the card's tone is a little higher.
			least := math.Inf(1)
			for at := voice.SampleRate; at < len(c.Samples); at += voice.SampleRate / 10 {
				var re, im float64
				for i, s := range c.Samples[at : at+voice.SampleRate/10] {
					sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / voice.SampleRate)
					re, im = re+float64(s)*cos, im+float64(s)*sin
				}
				least = min(least, math.Hypot(re, im)/(voice.SampleRate/20))
			}
			if there := least > 0.24 && least < 0.26; there != (hz != 700) {
				t.Errorf("%.0f Hz is there with %.3f at least", hz, least)
			}
		}
		if n := testing.AllocsPerRun(500, func() { p.Heard(f[:480]); p.Said(&f) }); n != 0 {
			t.Errorf("%v allocations a frame", n)
		}
	})
}

// Notices and programs are told where a recording is, wherever they are.
func TestARecordingHasAWholePath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for spec, want := range map[string]string{"talk.opus": filepath.Join(dir, "talk.opus"), "opus:a/b": filepath.Join(dir, "a/b"), "/a/b.wav": "/a/b.wav", "-": "-", "raw:8000:1:s16le": "-"} {
		o := output(t, spec)
		if o.whole(); o.path != want || o.String() != spec {
			t.Errorf("%s: %s, not %s", spec, o.path, want)
		}
	}
}

// Nothing is recorded before a call talks, and a recording replaces none.
func TestNothingToRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "talk.opus")
	var in Input
	if err := in.Set("silence"); err != nil {
		t.Fatal(err)
	}
	audio := Audio{In: in, Out: *output(t, filepath.Join(t.TempDir(), "out.wav")), Record: *output(t, path)}
	s, err := NewSounds(audio)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Record(new(call.Call)); r != nil || !errors.Is(err, call.ErrNotRecordable) {
		t.Errorf("%v, error %v", r, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := NewSounds(audio); !errors.Is(err, ErrAudio) || !strings.Contains(err.Error(), "replaces nothing") {
		t.Errorf("a second recording of that name: %v", err)
	}
}
