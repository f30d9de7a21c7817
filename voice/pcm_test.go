package voice_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sottovoce/sotto/voice"
)

// TestPCM writes a tone as bare samples in every encoding and reads it back.
func TestPCM(t *testing.T) {
	tone, err := voice.Tone(1000)
	if err != nil {
		t.Fatal(err)
	}
	for spec, size := range map[string]int{
		"48000:1": 96000, "8000:1:u8": 8000, "16000:2:s16le": 64000, "44100:1:s24le": 132300, "96000:1:s32le": 384000,
		"22050:6:f32le": 529200, "12000:1:f64le": 96000,
	} {
		p, err := voice.ParsePCM(spec)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w := p.NewWriter(&out)
		for i := 0; i < len(tone.Samples); i += voice.FrameSamples {
			f := voice.Frame(tone.Samples[i:])
			if err := w.WriteFrame(&f); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if out.Len() != size {
			t.Errorf("%s: a second is %d bytes, want %d", spec, out.Len(), size)
		}
		c, err := voice.ReadClip(iotest.HalfReader(&out), p.Open)
		if err != nil || len(c.Samples) != len(tone.Samples) {
			t.Fatalf("%s: %d samples, error %v", spec, len(c.Samples), err)
		}
		var worst float64
		for i, s := range tone.Samples[4800:43200] {
			worst = max(worst, math.Abs(float64(s-c.Samples[4800+i])))
		}
		if worst > 0.005 {
			t.Errorf("%s: differs by %.4f", spec, worst)
		}
	}
}

func TestPCMClipsAndFailsOnce(t *testing.T) {
	for spec, want := range map[string]string{"48000:1:u8": "\xff\x00", "48000:1:s16le": "\xff\x7f\x00\x80", "48000:1:s32le": "\xff\xff\xff\x7f\x00\x00\x00\x80"} {
		p, err := voice.ParsePCM(spec)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := p.NewWriter(&out).WriteFrame(&voice.Frame{9, -9}); err != nil || !strings.HasPrefix(out.String(), want) {
			t.Errorf("%s: % x, error %v", spec, out.Bytes()[:8], err)
		}
		w := p.NewWriter(refusing{})
		if err := w.WriteFrame(&voice.Frame{}); !errors.Is(err, errFull) {
			t.Errorf("a full disk: %v", err)
		}
		if err := errors.Join(w.WriteFrame(&voice.Frame{}), w.Close()); err != nil {
			t.Errorf("told again: %v", err)
		}
	}
}

type refusing struct{}

func (refusing) Write([]byte) (int, error) { return 0, errFull }

func TestParsePCMRefuses(t *testing.T) {
	for spec, want := range map[string]string{
		"48000": "RATE:CHANNELS:ENCODING", "1:2:3:4": "RATE:CHANNELS:ENCODING", "3999:1": "4000 to 384000 Hz", "x:1": "a rate of",
		"48000:0": "1 to 64", "48000:65": "1 to 64", "48000:1:s16be": "no encoding",
	} {
		if p, err := voice.ParsePCM(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, error %v, want one about %q", spec, p, err, want)
		}
	}
}

func TestTone(t *testing.T) {
	for _, hz := range []int{20, 441, 19999} {
		c, err := voice.Tone(hz)
		if err != nil {
			t.Fatal(err)
		}
		rises := 0
		for i, s := range c.Samples {
			if next := c.Samples[(i+1)%len(c.Samples)]; s < 0 && next >= 0 { // the seam included
				rises++
			}
		}
		if rises != hz {
			t.Errorf("%d Hz: %d periods a second", hz, rises)
		}
	}
	for _, hz := range []int{19, 20001, -440} {
		if _, err := voice.Tone(hz); err == nil {
			t.Errorf("a tone of %d Hz", hz)
		}
	}
}
