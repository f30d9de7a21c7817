package main

import (
	"encoding/json"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/voice/portaudio/soundtest"
)

// Devices are listed, chosen and kept by name, and tried; what is chosen counts
// from then on, and the word default ends that.
func TestDevices(t *testing.T) {
	sotto := need(t, binary)
	soundtest.Pulse(t)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(t.TempDir(), "config"))
	ran := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(sotto, args...).Output()
		if err != nil {
			t.Fatalf("sotto %s: %v", strings.Join(args, " "), err)
		}
		return string(out)
	}
	for _, tab := range [][]string{{"call", "--mic", ""}, {"config", "set", "speaker", ""}, {"devices", "use", ""}} {
		if said := ran(append([]string{"__complete"}, tab...)...); !strings.HasPrefix(said, "default\t0 default (ALSA)\n") {
			t.Errorf("%v is completed with %q", tab, said)
		}
	}
	if said := ran("devices", "use", "0"); !strings.Contains(said, "mic      0 default") || !strings.Contains(said, "speaker  0 default") {
		t.Errorf("said %q", said)
	}
	if said := ran("devices"); said != "0 default (ALSA)  (the microphone and loudspeaker of calls)\n" {
		t.Errorf("listed as %q", said)
	}
	if mic, speaker := ran("config", "get", "mic"), ran("config", "get", "speaker"); mic != "default\n" || speaker != "default\n" {
		t.Errorf("kept %q and %q", mic, speaker)
	}
	ran("devices", "use", "--as", "mic", "default")
	if mic, speaker := ran("config", "get", "mic"), ran("config", "get", "speaker"); mic != "\n" || speaker != "default\n" {
		t.Errorf("then there are %q and %q", mic, speaker)
	}
	var found struct {
		Microphone  string
		Chirps      int     `json:"chirps_heard"`
		RoundTripMS float64 `json:"round_trip_ms"`
	}
	if err := json.Unmarshal([]byte(ran("devices", "test", "--json")), &found); err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", found)
	if found.Microphone != "0 default (ALSA)" || found.Chirps == 0 || found.RoundTripMS <= 0 {
		t.Errorf("%+v", found)
	}
}

// Tab does not wait for a sound server that says nothing.
func TestTabDoesNotWaitForSound(t *testing.T) {
	sotto := need(t, binary)
	dir := soundtest.Alone(t, `pcm.!default { type pulse hint { show on description "silent" } }`)
	silent, err := net.Listen("unix", filepath.Join(dir, "pulse.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	t.Setenv("PULSE_SERVER", "unix:"+silent.Addr().String())
	began := time.Now()
	out, err := exec.Command(sotto, "__complete", "call", "--mic", "").Output()
	took := time.Since(began)
	if t.Logf("it took %v", took); err != nil || string(out) != ":4\n" || took > 2*time.Second {
		t.Errorf("%v: %q after %v", err, out, took)
	}
}
