package voice_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/voice"
)

func clipOf(frames int) *voice.Clip {
	c := &voice.Clip{}
	for n := range frames {
		c.Samples = append(c.Samples, ramp(n)[:]...)
	}
	return c
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestPlayerPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := clipOf(3).Play(false)
		var f voice.Frame
		if ok, err := p.Read(&f); ok || err != nil {
			t.Fatalf("a frame as soon as it is started: %v, %v", ok, err)
		}
		<-time.After(voice.FrameTime - time.Since(p.Started()))
		if ok, _ := p.Read(&f); !ok || f != *ramp(0) {
			t.Fatal("the first frame is not whole 20 ms after the start")
		}
		for n := 1; n < 5; n++ {
			if ok, err := p.Read(&f); ok || err != nil {
				t.Fatalf("frame %d before it is whole: %v, %v", n, ok, err)
			}
			<-time.After(voice.FrameTime - time.Nanosecond)
			if ok, _ := p.Read(&f); ok {
				t.Fatalf("frame %d came 1 ns early", n)
			}
			<-time.After(time.Nanosecond)
			ok, err := p.Read(&f)
			want := voice.Frame{}
			if n < 3 {
				want = *ramp(n)
			}
			if !ok || err != nil || f != want {
				t.Fatalf("frame %d: %v, %v, right sound %v", n, ok, err, f == want)
			}
			if isClosed(p.Done()) != (n >= 3) {
				t.Errorf("after frame %d: done %v", n, isClosed(p.Done()))
			}
		}
		<-time.After(10 * voice.FrameTime)
		for range 10 {
			if ok, _ := p.Read(&f); !ok {
				t.Fatal("a late reader misses frames")
			}
		}
		if ok, _ := p.Read(&f); ok {
			t.Error("a late reader gets more than is due")
		}
	})
}

func TestPlayerLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clipOf(2)
		c.Samples = c.Samples[:1000] // shorter than two frames
		p := c.Play(true)
		var f voice.Frame
		p.Read(&f)
		<-time.After(10 * voice.FrameTime)
		for n := range 10 {
			p.Read(&f)
			for i, s := range f {
				if want := c.Samples[(n*voice.FrameSamples+i)%1000]; s != want {
					t.Fatalf("frame %d sample %d: %g, want %g", n, i, s, want)
				}
			}
		}
		if isClosed(p.Done()) {
			t.Error("a loop has ended")
		}
	})
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := voice.Silence()
		f := *ramp(1)
		if ok, _ := s.Read(&f); ok {
			t.Error("silence has no pace")
		}
		<-time.After(voice.FrameTime)
		if ok, err := s.Read(&f); !ok || err != nil || f != (voice.Frame{}) {
			t.Errorf("%v, %v, silent %v", ok, err, f == voice.Frame{})
		}
	})
}

// inPipe starts a stream of what the caller writes, in a bubble.
func inPipe(t *testing.T) (*voice.Stream, *io.PipeWriter, <-chan error, context.CancelFunc) {
	r, w := io.Pipe()
	s := voice.NewStream(r, voice.WAV)
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan error, 1)
	go func() { end <- s.Run(ctx) }()
	return s, w, end, cancel
}

func streamHeader() []byte {
	all := uint32(math.MaxUint32)
	return wavFile{encoding: 1, channels: 1, rate: 48000, bits: 16, riff: &all, size: &all}.bytes()
}

func frameBytes(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := voice.NewWAVWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.WriteFrame(ramp(n)), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()[44:]
}

func TestStreamPaceAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, end, cancel := inPipe(t)
		defer cancel()
		written := make(chan int, 1)
		go func() {
			w.Write(streamHeader())
			for n := range 40 { // far more than may wait
				w.Write(frameBytes(t, n))
			}
			w.Close()
			written <- 40
		}()
		var f voice.Frame
		for n := range 40 {
			synctest.Wait()
			if ok, _ := s.Read(&f); ok {
				t.Fatalf("frame %d before it is due", n)
			}
			if n < 20 && len(written) > 0 {
				t.Fatal("the whole pipe was swallowed")
			}
			<-time.After(voice.FrameTime)
			if ok, err := s.Read(&f); !ok || err != nil || f != *ramp(n) {
				t.Fatalf("frame %d: %v, %v, right sound %v", n, ok, err, f == *ramp(n))
			}
		}
		<-time.After(voice.FrameTime)
		if ok, err := s.Read(&f); !ok || err != nil || f != (voice.Frame{}) || !isClosed(s.Done()) {
			t.Errorf("after the end: %v, %v, silent %v, done %v", ok, err, f == voice.Frame{}, isClosed(s.Done()))
		}
		if err := <-end; err != nil {
			t.Error(err)
		}
	})
}

// TestStreamPause: a writer that paused is not played at double speed.
func TestStreamPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, end, cancel := inPipe(t)
		go w.Write(streamHeader())
		<-time.After(5 * time.Second)
		var f voice.Frame
		if ok, _ := s.Read(&f); ok {
			t.Fatal("sound out of nothing")
		}
		go func() {
			for n := range 40 {
				w.Write(frameBytes(t, n))
			}
		}()
		synctest.Wait()
		burst := 0
		for ok := true; ok; burst++ {
			ok, _ = s.Read(&f)
		}
		if burst > 4 {
			t.Errorf("%d frames at once after a pause", burst-1)
		}
		cancel() // with the pipe still open
		if err := <-end; err != nil {
			t.Error(err)
		}
		w.Close()
	})
}

func TestStreamFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, end, cancel := inPipe(t)
		defer cancel()
		go func() {
			w.Write([]byte("this is not a WAV at all"))
			w.Close()
		}()
		if err := <-end; err == nil || !strings.Contains(err.Error(), "not a WAV") {
			t.Errorf("Run: %v", err)
		}
		w.Close()
		var f voice.Frame
		for n := range 3 {
			<-time.After(voice.FrameTime)
			ok, err := s.Read(&f)
			if !ok || (err != nil) != (n == 0) {
				t.Errorf("frame %d: %v, %v; want the reason once and silence for ever", n, ok, err)
			}
		}
	})
}

// TestStreamOfRealPipe stops Run while it waits for a pipe of the system.
func TestStreamOfRealPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := voice.NewStream(r, voice.WAV)
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan error)
	go func() { end <- s.Run(ctx) }()
	if _, err := w.Write(streamHeader()); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-end; err != nil {
		t.Error(err)
	}
}

// collect keeps frames, and can be slow or fail.
type collect struct {
	frames []voice.Frame
	delay  time.Duration
	err    error
}

func (c *collect) WriteFrame(f *voice.Frame) error {
	<-time.After(c.delay)
	c.frames = append(c.frames, *f)
	return c.err
}

func TestClockedPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		file := &collect{}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute+time.Millisecond)
		defer cancel()
		n := 0
		err := (&voice.Clocked{To: file}).Run(ctx, func(out []float32) {
			if at := time.Since(start); at != time.Duration(n)*voice.PullTime || len(out) != voice.PullSamples {
				t.Fatalf("pull %d of %d samples at %v", n, len(out), at)
			}
			out[0] = float32(n)
			n++
		})
		if err != nil || n != 30_001 || len(file.frames) != n/2 {
			t.Fatalf("%d pulls, %d kept, error %v; want 30001 in 5 minutes", n, len(file.frames), err)
		}
		for i, f := range file.frames {
			if f[0] != float32(2*i) || f[voice.PullSamples] != float32(2*i+1) {
				t.Fatalf("kept frame %d is %g, %g", i, f[0], f[voice.PullSamples])
			}
		}
	})
}

func TestClockedAfterStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		n, burst := 0, 0
		err := new(voice.Clocked).Run(ctx, func([]float32) {
			n++
			if n == 19 {
				<-time.After(time.Second)
			}
			if time.Since(start) == 1180*time.Millisecond {
				burst++
			}
		})
		if err != nil || burst < 2 || burst > 11 {
			t.Errorf("%d pulls at once after a second's stall, error %v", burst, err)
		}
		if n > 120 {
			t.Errorf("%d pulls: the stall was caught up", n)
		}
	})
}

func TestClockedSlowAndFailingWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, told := range []bool{true, false} {
			file := &collect{delay: 29 * time.Second, err: errFull}
			sink := &voice.Clocked{To: file}
			failures := 0
			if told {
				sink.Failed = func(err error) {
					failures++
					if !errors.Is(err, errFull) {
						t.Error(err)
					}
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			n := 0
			err := sink.Run(ctx, func([]float32) { n++ })
			cancel()
			if n < 2998 {
				t.Errorf("%d pulls in 30 s: the disk held them up", n)
			}
			if told && (failures != 1 || err != nil) {
				t.Errorf("told %d times, Run %v", failures, err)
			}
			if !told && !errors.Is(err, errFull) {
				t.Errorf("Run %v, want the disk's error", err)
			}
		}
	})
}

// stopped takes nothing until it is let go.
type stopped chan struct{}

func (s stopped) WriteFrame(*voice.Frame) error { <-s; return nil }

// TestClockedIsNotHeldUp hangs up while what takes the sound stands still.
func TestClockedIsNotHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		player := make(stopped)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		err := (&voice.Clocked{To: player}).Run(ctx, func([]float32) {})
		if late := time.Since(began) - 10*time.Second; !errors.Is(err, voice.ErrStands) || late < time.Second || late > 3*time.Second {
			t.Errorf("%v after the end: %v", late, err)
		}
		close(player)
	})
}

func TestReadDoesNotAllocate(t *testing.T) {
	p := clipOf(100).Play(true)
	var f voice.Frame
	if n := testing.AllocsPerRun(1000, func() { p.Read(&f) }); n != 0 {
		t.Errorf("Player.Read: %g allocations", n)
	}
	s := voice.NewStream(io.NopCloser(strings.NewReader("")), voice.WAV)
	if n := testing.AllocsPerRun(1000, func() { s.Read(&f) }); n != 0 {
		t.Errorf("Stream.Read: %g allocations", n)
	}
	var b voice.Bridge
	now := voice.FrameTime
	if n := testing.AllocsPerRun(1000, func() { now += voice.FrameTime; b.Write(now, f[:]); b.Read(now, &f) }); n != 0 {
		t.Errorf("Bridge: %g allocations", n)
	}
}
