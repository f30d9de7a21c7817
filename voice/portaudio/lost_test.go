package portaudio

import (
	"context"
	"math"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/portaudio/soundtest"
)

// TestUnplugged kills the sound server in the middle of a call and begins it anew: both
// devices say that they have gone, pulling goes on meanwhile, and then there is
// sound again, all by itself.
func TestUnplugged(t *testing.T) {
	t.Run("PulseAudio", func(t *testing.T) {
		kill, begin := soundtest.Pulse(t)
		unplugged(t, kill, begin, func() {})
	})
	t.Run("JACK", func(t *testing.T) {
		kill, begin := soundtest.Jack(t, 48000, 960)
		unplugged(t, kill, begin, func() { soundtest.ConnectJack(t) })
	})
}

func unplugged(t *testing.T, kill, begin, connect func()) {
	told := make(chan string, 100)
	tell := func(text string) { t.Logf("%s", text); told <- text }
	await := func(what ...string) {
		t.Helper()
		began := time.Now()
		for len(what) > 0 {
			select {
			case text := <-told:
				if !strings.Contains(text, what[0]) && len(what) > 1 {
					what[0], what[1] = what[1], what[0]
				}
				if !strings.Contains(text, what[0]) {
					t.Fatalf("told %q, not %q", text, what)
				}
				what = what[1:]
			case <-t.Context().Done():
				t.Fatal("the test ends")
			case <-time.After(30 * time.Second):
				t.Fatalf("not told %q", what)
			}
		}
		t.Logf("after %v", time.Since(began).Round(time.Millisecond))
	}
	sink, err := OpenSink("", tell)
	if err != nil {
		t.Fatal(err)
	}
	source, err := OpenSource("", tell)
	if err != nil {
		t.Fatal(err)
	}
	var pulled atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		n := 0
		ended <- sink.Run(ctx, func(out []float32) {
			for i := range out {
				out[i] = float32(0.3 * math.Sin(2*math.Pi*1000*float64(n)/voice.SampleRate))
				n++
			}
			pulled.Add(int64(len(out)))
		})
	}()
	connect()
	hears(t, source)

	if len(told) > 0 {
		t.Errorf("told %q, and nothing has happened", <-told)
	}
	kill()
	await("microphone has gone", "loudspeaker has gone")
	before, began := pulled.Load(), time.Now()
	tick := time.NewTicker(voice.FrameTime)
	defer tick.Stop()
	var f voice.Frame
	for frames := 0; time.Since(began) < time.Second; <-tick.C {
		for {
			ok, err := source.Read(&f)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if frames++; frames > 10 {
				t.Fatal("a microphone that is lost is heard")
			}
		}
	}
	rate := float64(pulled.Load()-before) / time.Since(began).Seconds() / voice.SampleRate
	t.Logf("pulled %.3f s a second without a loudspeaker", rate)
	if rate < 0.9 || rate > 1.1 {
		t.Errorf("%.3f s of sound were pulled a second", rate)
	}

	begin()
	await("a microphone again", "a loudspeaker again")
	connect()
	hears(t, source)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := source.Close(); err != nil {
		t.Error(err)
	}
	if err := sink.Close(); err != nil {
		t.Error(err)
	}
}

// TestLoudspeakerStandsStill stops a loudspeaker's process, as a library that sticks:
// what is said meanwhile goes to nobody, so that the rest is not late.
func TestLoudspeakerStandsStill(t *testing.T) {
	soundtest.Jack(t, 48000, 256)
	told := make(chan string, 10)
	sink, err := OpenSink("", func(s string) { told <- s })
	if err != nil {
		t.Fatal(err)
	}
	p := sink.first
	var pulled atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- sink.Run(ctx, func(out []float32) { pulled.Add(int64(len(out))) }) }()
	tick := time.NewTicker(voice.PullTime)
	defer tick.Stop()
	for p.calls.Load() < 2*firstCalls {
		<-tick.C
	}
	before, began := pulled.Load(), time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for len(told) < 2 { // gone, and there again
		<-tick.C
	}
	for time.Since(began) < 2*time.Second {
		<-tick.C
	}
	got, want := float64(pulled.Load()-before)/voice.SampleRate, time.Since(began).Seconds()
	t.Logf("%.3f s pulled in %.3f: %s, %s", got, want, <-told, <-told)
	if math.Abs(got-want) > 0.15 {
		t.Errorf("%.3f s of sound were pulled in %.3f", got, want)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestHeadsetComesBack takes a chosen device away in mid-call, for which the default
// one stands in, and plugs it in again.
func TestHeadsetComesBack(t *testing.T) {
	soundtest.Pulse(t)
	config := os.Getenv("ALSA_CONFIG_PATH")
	without, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	with := append(slices.Clone(without), "pcm.headset { type pulse hint { show on description \"headset\" } }\n"...)
	write := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(config, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(with)
	told := make(chan string, 10)
	sink, err := OpenSink("headset", func(s string) { told <- s })
	if err != nil {
		t.Fatal(err)
	}
	await := func(want string) {
		t.Helper()
		select {
		case got := <-told:
			t.Log(got)
			if !strings.Contains(got, want) {
				t.Fatalf("%q, not %q", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("not told %q", want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	write(without)
	if err := sink.first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- sink.Run(ctx, func(out []float32) { clear(out) }) }()
	await("has gone")
	await("again: 0 default")
	write(with)
	await("headset")
	if got := sink.Device().Name; got != "headset" {
		t.Errorf("opened %q", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestLibraryAborts has ALSA's library end the process while it starts.
func TestLibraryAborts(t *testing.T) {
	soundtest.Alone(t, "")
	began := time.Now()
	_, err := Devices()
	t.Logf("after %v: %v", time.Since(began), err)
	if err == nil || time.Since(began) > startTime/2 || strings.Contains(err.Error(), "goroutine") {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}

// hears waits for half a second of the tone in a row.
func hears(t *testing.T, source *Source) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(voice.FrameTime)
	defer tick.Stop()
	var f voice.Frame
	run := &toneRun{t: t}
	for {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the tone does not come back")
		}
		for {
			ok, err := source.Read(&f)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if run.whole(&f) {
				return
			}
		}
	}
}
