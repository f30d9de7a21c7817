package phone

import (
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/voice"
)

func demoSpeech(t *testing.T) *voice.Clip {
	t.Helper()
	c, err := voice.OpenWAV("../demo/speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	c.Samples = c.Samples[:8*voice.SampleRate]
	return c
}

func output(t *testing.T, spec string) *Output {
	t.Helper()
	var o Output
	if err := o.Set(spec); err != nil {
		t.Fatal(err)
	}
	return &o
}

func load(t *testing.T, spec string) *voice.Clip {
	t.Helper()
	var i Input
	if err := i.Set(spec); err != nil {
		t.Fatal(err)
	}
	c, err := i.load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func keep(t *testing.T, k keeper, samples []float32) {
	t.Helper()
	for ; len(samples) >= voice.FrameSamples; samples = samples[voice.FrameSamples:] {
		f := voice.Frame(samples)
		if err := k.WriteFrame(&f); err != nil {
			t.Fatal(err)
		}
	}
}

// alike wants the same speech in both, at the same time, of the same length.
func alike(t *testing.T, what string, want, got []float32, most time.Duration) {
	t.Helper()
	m := voice.Compare(want, got)
	if len(got) != len(want) || m.Envelope < 0.98 || m.Lag.Abs() > most {
		t.Errorf("%s: %d samples of %d, alike by %.3f, %v late", what, len(got), len(want), m.Envelope, m.Lag)
	}
}

// TestFiles writes speech in every form and reads it back by what is in it.
func TestFiles(t *testing.T) {
	speech, dir := demoSpeech(t), t.TempDir()
	for name, back := range map[string]string{
		"a.wav": "", "a.opus": "", "a.OGG": "", "opus:odd name": "odd name", "raw:16000:2:s16le:a.raw": "",
	} {
		path := func(spec string) string { // the folder goes in before the file's name
			i := strings.LastIndex(spec, ":") + 1
			return spec[:i] + filepath.Join(dir, spec[i:])
		}
		k, err := output(t, path(name)).create(os.O_EXCL)
		if err != nil {
			t.Fatal(err)
		}
		keep(t, k, speech.Samples)
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
		if back == "" {
			back = name
		}
		alike(t, name, speech.Samples, load(t, path(back)).Samples, time.Millisecond)
	}
	if _, err := output(t, filepath.Join(dir, "a.wav")).create(os.O_EXCL); !errors.Is(err, os.ErrExist) {
		t.Errorf("a file that is there was replaced: %v", err)
	}
	for name, mark := range map[string]string{"a.OGG": "OggS", "odd name": "OggS", "a.wav": "RIFF"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		info, _ := os.Stat(filepath.Join(dir, name))
		if err != nil || string(b[:4]) != mark || info.Mode().Perm() != 0o600 {
			t.Errorf("%s begins with %q, mode %v, error %v", name, b[:4], info.Mode(), err)
		}
	}
}

// TestOtherPrograms lets opusinfo and opusdec judge what is written, and opusenc
// write what is read.
func TestOtherPrograms(t *testing.T) {
	speech, dir := demoSpeech(t), t.TempDir()
	tool := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	k, err := output(t, filepath.Join(dir, "whole.opus")).create(os.O_EXCL)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, k, speech.Samples)
	// As a crash would leave it here, a second short at most.
	b, err := os.ReadFile(filepath.Join(dir, "whole.opus"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "crash.opus"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	said := tool("opusinfo", "whole.opus")
	for _, want := range []string{"Encoded with sotto\n", "Playback length: 0m:08.000s", "Channels: 1", "Pre-skip: 312", "hard-CBR"} {
		if !strings.Contains(said, want) {
			t.Errorf("opusinfo does not say %q:\n%s", want, said)
		}
	}
	if low := strings.ToLower(said); strings.Contains(low, "warning") || strings.Contains(low, "error") || strings.Contains(low, "comments section") {
		t.Errorf("opusinfo is not content:\n%s", said)
	}
	tool("opusdec", "--force-wav", "whole.opus", "whole.wav")
	alike(t, "opusdec", speech.Samples, load(t, filepath.Join(dir, "whole.wav")).Samples, time.Millisecond)
	tool("opusdec", "--force-wav", "crash.opus", "crash.wav")
	if c := load(t, filepath.Join(dir, "crash.wav")); c.Duration() < 7*time.Second {
		t.Errorf("a crash leaves %v of 8 s", c.Duration())
	}

	for name, args := range map[string][]string{
		"long frames": {"--framesize", "60", "--bitrate", "20"}, "short frames": {"--framesize", "2.5"}, "variable": {"--vbr", "--bitrate", "48"},
	} {
		tool("opusenc", append(args, "--quiet", "--comment", "TITLE="+strings.Repeat("long ", 20000), "whole.wav", "theirs.opus")...)
		alike(t, name, speech.Samples, load(t, filepath.Join(dir, "theirs.opus")).Samples, 2*time.Millisecond)
	}
	tool("sox", "whole.wav", "-r", "16000", "-c", "2", "stereo.wav")
	tool("opusenc", "--quiet", "stereo.wav", "stereo.opus")
	alike(t, "stereo", speech.Samples, load(t, filepath.Join(dir, "stereo.opus")).Samples, 2*time.Millisecond)
}

// small is a file on a disk with little room.
type small struct {
	*os.File
	room int
}

var errFull = errors.New("no space left on device")

func (s *small) Write(b []byte) (int, error) {
	n, err := s.File.Write(b[:min(len(b), s.room)])
	if s.room -= n; err == nil && n < len(b) {
		err = errFull
	}
	return n, err
}

// TestFullDisk fills the disk in the middle of a call: it is told once, the
// sound goes on, and the file plays as far as it goes.
func TestFullDisk(t *testing.T) {
	for _, spec := range []string{"full.wav", "full.opus", "raw:48000:1:s16le:full.raw"} {
		synctest.Test(t, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "full")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			out := output(t, spec)
			room := map[bool]int{true: 3*3300 + 1000, false: 3*96000 + 96000/2}[out.opus]
			k, err := out.write(&small{f, room})
			if err != nil {
				t.Fatal(err)
			}
			var told []error
			s := &Sounds{audio: Audio{In: Input{spec: "silence"}, Out: *out}, out: k, done: make(chan struct{}), Warn: func(err error) { told = append(told, err) }}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			sound, err := s.Open(ctx)
			if err != nil {
				t.Fatal(err)
			}
			pulls := 0
			if err := sound.Sink.Run(ctx, func(out []float32) {
				pulls++
				for i := range out {
					out[i] = float32(0.1 * math.Sin(float64(i)/5))
				}
			}); err != nil {
				t.Errorf("the loudspeaker stopped: %v", err)
			}
			sound.Close()
			if err := s.Close(); err != nil {
				t.Errorf("told again at the end: %v", err)
			}
			if len(told) != 1 || !errors.Is(told[0], errFull) || !strings.Contains(told[0].Error(), "the call goes on") {
				t.Errorf("told %v, want the full disk once", told)
			}
			if pulls < 990 {
				t.Errorf("%d pulls in 10 s", pulls)
			}
			if out.pcm != nil {
				path = "raw:48000:1:s16le:" + path
			}
			if c := load(t, path); c.Duration() < 2900*time.Millisecond || c.Duration() > 4*time.Second {
				t.Errorf("%s: %v can be played, there was room for 3 s", spec, c.Duration())
			}
		})
	}
}

// TestEndless plays what has no end, at a microphone's pace.
func TestEndless(t *testing.T) {
	for spec, level := range map[string]float64{"tone": -23, "tone:1000": -23, "silence": -120} {
		synctest.Test(t, func(t *testing.T) {
			var in Input
			if err := in.Set(spec); err != nil {
				t.Fatal(err)
			}
			s, err := NewSounds(Audio{In: in, Out: *output(t, filepath.Join(t.TempDir(), "out.wav"))})
			if err != nil {
				t.Fatal(err)
			}
			sound, err := s.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var f voice.Frame
			sound.Source.Read(&f) // it begins with being asked
			<-time.After(3 * time.Second)
			frames, power := 0, 0.0
			for ok, _ := sound.Source.Read(&f); ok; ok, _ = sound.Source.Read(&f) {
				frames++
				for _, v := range f {
					power += float64(v*v) / voice.FrameSamples
				}
			}
			got := 10 * math.Log10(power/float64(frames)+1e-12)
			if frames != 150 || math.Abs(got-level) > 0.1 {
				t.Errorf("%s: %d frames in 3 s, %.1f dBFS", spec, frames, got)
			}
			select {
			case <-s.Done():
				t.Errorf("%s came to an end", spec)
			default:
			}
			sound.Close()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFlagsThatSayNothing(t *testing.T) {
	for spec, want := range map[string]string{
		"": "a file", "tone:high": "whole number of Hz", "tone:9": "20 to 20000", "raw:48000": "RATE:CHANNELS", "raw:1:1": "4000 to", "raw:48000:1:mp3:x": "no encoding",
	} {
		if err := new(Input).Set(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--in %q: %v, want one about %q", spec, err, want)
		}
		if strings.HasPrefix(spec, "tone") {
			continue // a file's name
		}
		if err := new(Output).Set(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--out %q: %v, want one about %q", spec, err, want)
		}
	}
	for spec, standard := range map[string]bool{"-": true, "raw:8000:1": true, "raw:8000:1:u8:": true, "raw:8000:1:u8:-": true, "opus:-": true, "raw": false, "raw:8000:1:u8:x": false} {
		if out := output(t, spec); out.Standard() != standard {
			t.Errorf("--out %s: standard output %v", spec, out.Standard())
		}
	}
}

// TestFilesAreNotMixedUp wants no file that is said, or recorded, to be written over, and
// one that is written over to be its owner's alone.
func TestFilesAreNotMixedUp(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a.wav"), filepath.Join(dir, "link.wav")
	w, err := voice.CreateWAV(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteFrame(new(voice.Frame)), w.Close(), os.Symlink(path, link), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	var in Input
	if err := in.Set(path); err != nil {
		t.Fatal(err)
	}
	if _, err := NewSounds(Audio{In: in, Out: *output(t, link)}); !errors.Is(err, ErrAudio) || !strings.Contains(err.Error(), "same file") {
		t.Errorf("said and written over: %v", err)
	}
	if err := in.Set("silence"); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "b.wav")
	if _, err := NewSounds(Audio{In: in, Out: *output(t, other), Record: *output(t, other)}); !errors.Is(err, ErrAudio) || !strings.Contains(err.Error(), "same file") {
		t.Errorf("heard and recorded: %v", err)
	}
	k, err := output(t, path).create(os.O_TRUNC)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if s, err := os.Stat(path); err != nil || s.Mode() != 0o600 {
		t.Errorf("mode %v, error %v", s.Mode(), err)
	}
}
