package portaudio

import (
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/portaudio/soundtest"
)

// TestMain lets the tests run this very program as a device's process.
func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// around is a sink and a source that hear each other: the sink plays what play
// makes while heard gets what the source hears, until heard returns false.
func around(t *testing.T, connect func(), play func([]float32), heard func(*voice.Frame) bool) {
	t.Helper()
	sink, err := OpenSink("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	source, err := OpenSource("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	t.Logf("%v: %v in; %v: %v out", source.Device(), source.Latency(), sink.Device(), sink.Latency())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	end := make(chan error)
	go func() { end <- sink.Run(ctx, play) }()
	defer func() {
		cancel()
		if err := <-end; err != nil {
			t.Error(err)
		}
	}()
	connect()
	var f voice.Frame
	tick := time.NewTicker(voice.FrameTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Error("nothing came back in 20 s")
			return
		}
		for {
			ok, err := source.Read(&f)
			if err != nil {
				t.Error(err)
				return
			}
			if !ok {
				break
			}
			if !heard(&f) {
				return
			}
		}
	}
}

// tone plays 1 kHz of amplitude 0.3 and checks that it comes back so.
func tone(t *testing.T, connect func()) {
	t.Helper()
	at := 0
	play := func(out []float32) {
		for i := range out {
			out[i] = float32(0.3 * math.Sin(2*math.Pi*1000*float64(at)/voice.SampleRate))
			at++
		}
	}
	run := &toneRun{t: t}
	around(t, connect, play, func(f *voice.Frame) bool { return !run.whole(f) })
	if run.n < toneWhole {
		t.Error("the tone came back changed")
	}
}

// toneRun looks for half a second of the tone that is whole: a busy machine may
// drop a buffer.
type toneRun struct {
	t     *testing.T
	sound []float32
	n     int // pieces of 0.1 s that were whole, in a row
}

const toneWhole = 5

// whole takes a frame and reports whether the tone is there.
func (r *toneRun) whole(f *voice.Frame) bool {
	if r.sound = append(r.sound, f[:]...); len(r.sound) < voice.SampleRate/10 {
		return false
	}
	amplitude, rest := fit(r.sound)
	r.sound = r.sound[:0]
	if r.n++; math.Abs(amplitude-0.3)/0.3+rest/amplitude > 0.02 {
		r.t.Logf("amplitude %.5f, the rest %.1f dB below", amplitude, -20*math.Log10(rest/amplitude))
		r.n = 0
	}
	return r.n == toneWhole
}

// fit finds the amplitude of 1 kHz in x, and that of everything else. The bridge
// may be up to 1 Hz off while it learns how far apart the callbacks are.
func fit(x []float32) (amplitude, rest float64) {
	var sum float64
	for _, s := range x {
		sum += float64(s) * float64(s) * 2 / float64(len(x))
	}
	for hz := 998.8; hz < 1001.3; hz += 0.05 {
		var re, im float64
		for i, s := range x {
			sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / voice.SampleRate)
			re += float64(s) * cos * 2 / float64(len(x))
			im += float64(s) * sin * 2 / float64(len(x))
		}
		amplitude = max(amplitude, math.Hypot(re, im))
	}
	return amplitude, math.Sqrt(max(0, sum-amplitude*amplitude))
}

func TestPulseRoundTrip(t *testing.T) {
	soundtest.Pulse(t)
	devices, err := Devices()
	if err != nil || len(devices) != 1 || !devices[0].DefaultInput || !devices[0].DefaultOutput {
		t.Errorf("devices %+v, error %v", devices, err)
	}
	tone(t, func() {})
}

// TestPulseDelay measures from pull to Read with a click.
func TestPulseDelay(t *testing.T) {
	soundtest.Pulse(t)
	pulls := 0
	played := make(chan time.Time, 1)
	play := func(out []float32) {
		clear(out)
		if pulls++; pulls == 100 {
			out[0] = 0.9
			played <- time.Now()
		}
	}
	var delay time.Duration
	around(t, func() {}, play, func(f *voice.Frame) bool {
		for _, s := range f {
			if s > 0.5 {
				delay = time.Since(<-played)
				return false
			}
		}
		return true
	})
	t.Logf("from pull to Read %v", delay)
	if delay <= 0 || delay > 400*time.Millisecond {
		t.Errorf("from pull to Read %v", delay)
	}
}

// TestJackRoundTrip runs a server at 44.1 kHz, its only rate, with buffers of
// 441 samples.
func TestJackRoundTrip(t *testing.T) {
	soundtest.Jack(t, 44100, 441)
	tone(t, func() { soundtest.ConnectJack(t) })
}

func TestNoDevice(t *testing.T) {
	soundtest.Alone(t, "pcm.!default { type hw card 99 }")
	devices, err := Devices()
	if err != nil || len(devices) != 0 {
		t.Errorf("devices %v, error %v", devices, err)
	}
	_, err = OpenSource("", nil)
	if !errors.Is(err, ErrNoDevice) || !strings.Contains(err.Error(), "no microphone") {
		t.Errorf("OpenSource: %v", err)
	}
	_, err = OpenSink("", nil)
	if !errors.Is(err, ErrNoDevice) || !strings.Contains(err.Error(), "no loudspeaker") {
		t.Errorf("OpenSink: %v", err)
	}
}

func TestFind(t *testing.T) {
	devices := []Device{
		{Number: 0, Name: "HDMI", HostAPI: "ALSA", Outputs: 8},
		{Number: 1, Name: "USB Headset", HostAPI: "ALSA", Inputs: 1, Outputs: 2},
		{Number: 2, Name: "Headset Two", HostAPI: "ALSA", Inputs: 1, DefaultInput: true},
		{Number: 3, Name: "default", HostAPI: "ALSA", Inputs: 32, Outputs: 32, DefaultOutput: true},
		{Number: 4, Name: "default", HostAPI: "JACK", Inputs: 2},
	}
	for _, c := range []struct {
		want  string
		input bool
		found int    // number
		says  string // or what the error names
	}{
		{"", true, 2, ""},
		{"", false, 3, ""},
		{"1", true, 1, ""},
		{"usb", true, 1, ""},
		{"headset two", true, 2, ""},
		{"headset", false, 1, ""},
		{"DEFAULT", false, 3, ""},
		{"headset", true, -1, "1 USB Headset (ALSA), 2 Headset Two (ALSA)"},
		{"default", true, -1, "4 default (JACK)"},
		{"0", true, -1, "1 USB Headset (ALSA)"},
		{"9", false, -1, "0 HDMI (ALSA)"},
		{"bluetooth", false, -1, `no loudspeaker "bluetooth"`},
	} {
		d, err := Find(devices, c.want, c.input)
		switch {
		case c.says == "" && (err != nil || d.Number != c.found):
			t.Errorf("%q, input %v: %v, error %v; want number %d", c.want, c.input, d, err, c.found)
		case c.says != "" && (!errors.Is(err, ErrNoDevice) || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%q, input %v: %v, error %v; want one that names %s", c.want, c.input, d, err, c.says)
		}
	}
	if _, err := Find(devices[1:3], "", false); !errors.Is(err, ErrNoDevice) || !strings.Contains(err.Error(), "no default") {
		t.Errorf("no default: %v", err)
	}
}
