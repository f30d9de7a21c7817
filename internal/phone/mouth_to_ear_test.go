package phone_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/tornet"
	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/opus"
	"github.com/sottovoce/sotto/voice/portaudio"
	"github.com/sottovoce/sotto/voice/portaudio/soundtest"
)

// transit notes when each block of a call was written at one end and read at the
// other: blocks are sealed, so that the first bytes tell one from all others.
type transit struct {
	mu    sync.Mutex
	wrote []block
	read  map[uint64]time.Time
}

type block struct {
	id uint64
	at time.Time
}

func newTransit() *transit { return &transit{read: map[uint64]time.Time{}} }

// tapped is a stream that a transit watches, at the end that writes or reads.
type tapped struct {
	net.Conn
	*transit
	writes bool
	part   []byte
}

func (c *tapped) Write(b []byte) (int, error) {
	if c.writes && len(b) >= 8 {
		c.mu.Lock()
		c.wrote = append(c.wrote, block{binary.BigEndian.Uint64(b), time.Now()})
		c.mu.Unlock()
	}
	return c.Conn.Write(b)
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.writes {
		c.part = append(c.part, b[:n]...)
		for ; len(c.part) >= record.Size; c.part = c.part[record.Size:] {
			c.mu.Lock()
			c.read[binary.BigEndian.Uint64(c.part)] = time.Now()
			c.mu.Unlock()
		}
	}
	return n, err
}

// tappedListener watches what is accepted.
type tappedListener struct {
	net.Listener
	*transit
}

func (l tappedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &tapped{Conn: c, transit: l.transit}, nil
}

// mean is how long a frame took from the record that brought it first being
// written to the first that has it being read.
func (n *transit) mean(from, to time.Time) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	slices.SortFunc(n.wrote, func(a, b block) int { return a.at.Compare(b.at) })
	var sum time.Duration
	frames := 0
	for i, w := range n.wrote {
		if w.at.Before(from) || w.at.After(to) || i+6 > len(n.wrote) {
			continue
		}
		var first time.Time
		for _, copies := range n.wrote[i : i+6] {
			if at, ok := n.read[copies.id]; ok && (first.IsZero() || at.Before(first)) {
				first = at
			}
		}
		if !first.IsZero() {
			sum += first.Sub(w.at)
			frames++
		}
	}
	return sum / time.Duration(max(1, frames))
}

// mouth is a loudspeaker in front of a microphone: it says a clip.
type mouth struct {
	mu     sync.Mutex
	clip   []float32
	pulled uint64
	marks  []mark
}

// mark is a callback, and when by it sample 0 was taken.
type mark struct{ at, zero time.Time }

func (m *mouth) pull(out []float32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range out {
		out[i] = m.clip[(m.pulled+uint64(i))%uint64(len(m.clip))]
	}
	m.pulled += uint64(len(out))
}

func (m *mouth) took(at time.Time, n uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.marks = append(m.marks, mark{at, at.Add(-time.Duration(n) * time.Second / voice.SampleRate)})
}

// said is what was said from a moment on, by the earliest callback of the half
// second before: a server that is busy loses sound.
func (m *mouth) said(from time.Time, n int) []float32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	var zero time.Time
	for _, k := range m.marks {
		if ago := from.Sub(k.at); ago >= 0 && ago < time.Second/2 && (zero.IsZero() || k.zero.Before(zero)) {
			zero = k.zero
		}
	}
	at := int(from.Sub(zero) * voice.SampleRate / time.Second)
	out := make([]float32, n)
	for i := range out {
		out[i] = m.clip[(at+i)%len(m.clip)]
	}
	return out
}

// desktop serves both sides one after another, so that it is known whose port is
// whose.
type desktop struct {
	t  *testing.T
	mu sync.Mutex
}

// open opens a side's devices, and connects microphone and loudspeaker to the
// ports given, "" being none.
func (d *desktop) open(ctx context.Context, s *phone.Sounds, mouth, ear string) (call.Sound, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	outs, ins := soundtest.JackPorts(d.t, false), soundtest.JackPorts(d.t, true)
	sound, err := s.Open(ctx)
	if err != nil {
		return sound, err
	}
	isNew := func(before []string) func(string) bool {
		return func(p string) bool { return !slices.Contains(before, p) }
	}
	after := soundtest.JackPorts(d.t, false)
	if i := slices.IndexFunc(after, isNew(outs)); ear != "" && i >= 0 {
		soundtest.JackConnect(d.t, after[i], ear)
	}
	after = soundtest.JackPorts(d.t, true)
	if i := slices.IndexFunc(after, isNew(ins)); mouth != "" && i >= 0 {
		soundtest.JackConnect(d.t, mouth, after[i])
	}
	return sound, nil
}

// used is the processor's time of this process and of those it has waited for.
func used(t *testing.T) time.Duration {
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if err := syscall.Getrusage(who, &r); err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(r.Utime.Nano() + r.Stime.Nano())
		t.Logf("who %d: user %v sys %v", who, time.Duration(r.Utime.Nano()), time.Duration(r.Stime.Nano()))
	}
	return sum
}

const (
	spoken = 25 * time.Second
	settle = 8 * time.Second // until paths and playout have settled
)

// TestMouthToEar makes a real call on a private network between two phones with
// microphones and loudspeakers on a JACK server, everything on. Somebody speaks
// into one's microphone; what the other's loudspeaker gives is recorded. It says how
// much of the delay is neither the network's nor the frame's nor the codec's,
// and what of a processor's core a call takes. With SOTTO_SOAK set, on a machine
// that does nothing else, it wants no more than 60 ms and 8 %.
func TestMouthToEar(t *testing.T) {
	soundtest.Jack(t, 48000, 480)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	network, err := tornet.Start(ctx, tornet.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	wav, err := os.ReadFile("../demo/speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	clip, err := voice.ReadWAV(bytes.NewReader(wav))
	if err != nil {
		t.Fatal(err)
	}
	speaker, err := portaudio.OpenSink("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer speaker.Close()
	m := &mouth{clip: clip.Samples}
	speaker.OnTaken(m.took)
	ear, err := portaudio.OpenSource("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ear.Close()
	out, in := soundtest.JackPorts(t, false)[0], soundtest.JackPorts(t, true)[0]
	var group sync.WaitGroup
	defer group.Wait()
	background, stop := context.WithCancel(ctx)
	defer stop()
	group.Go(func() { speaker.Run(background, m.pull) })

	alice, bob := newSide(t, network), newSide(t, network)
	desk := &desktop{t: t}
	way := newTransit()
	config := func(s *side, mouth, ear string) call.Config {
		sounds, err := phone.NewSounds(phone.Audio{})
		if err != nil {
			t.Fatal(err)
		}
		c := s.phone.Calls(s.key)
		c.Open = func(ctx context.Context) (call.Sound, error) { return desk.open(ctx, sounds, mouth, ear) }
		return c
	}
	err = bob.phone.Run(ctx, func(ctx context.Context) error {
		return alice.phone.Run(ctx, func(ctx context.Context) error {
			listener, err := alice.phone.Node.Listen(ctx, alice.key, onion.Service{})
			if err != nil {
				return err
			}
			inner, stop := context.WithCancel(ctx)
			defer stop()
			served := make(chan error, 1)
			line := call.Line{Config: config(alice, "", in), Handle: alice.live}
			go func() { served <- line.Serve(inner, tappedListener{listener, way}) }()
			calling := config(bob, out, "")
			dial := calling.Dial
			calling.Dial = func(ctx context.Context, a identity.Address) (net.Conn, error) {
				c, err := dial(ctx, a)
				if err != nil {
					return nil, err
				}
				return &tapped{Conn: c, transit: way, writes: true}, nil
			}
			c, err := call.Dial(ctx, calling, alice.key.Address())
			if err != nil {
				return err
			}
			before, began := used(t), time.Now()
			go bob.live(ctx, c)
			for _, s := range []*side{alice, bob} {
				select {
				case <-s.ready:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			go func() {
				for range 33 {
					time.Sleep(time.Second)
					a := alice.call.Status()
					b := c.Status()
					t.Logf("%v alice %v %v %v rt %v c %v late %d| bob %v %v skipped %d", a.TalkedFor.Round(time.Second), a.Playout.Target, a.Playout.Delay, a.Playout.Level, a.RoundTrip, a.Playout.Concealed, a.Playout.Late, b.Playout.Target, b.Playout.Delay, b.Skipped)
				}
			}()
			listened := listen(ctx, ear, settle+spoken)
			st := alice.call.Status()
			took := time.Since(began)
			c.HangUp()
			for _, s := range []*side{alice, bob} {
				if err := <-s.ended; err != nil {
					t.Error(err)
				}
			}
			cpu := 100 * (used(t) - before).Seconds() / took.Seconds() / 2
			measure(t, m, listened, way, st, cpu)
			stop()
			return <-served
		})
	})
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
}

// heard is what an ear has heard.
type heard struct {
	sound []float32
	came  []time.Time // of each frame
}

func listen(ctx context.Context, ear *portaudio.Source, long time.Duration) (h heard) {
	ticker := time.NewTicker(voice.FrameTime)
	defer ticker.Stop()
	var f voice.Frame
	for end := time.Now().Add(long); time.Now().Before(end) && ctx.Err() == nil; <-ticker.C {
		for {
			ok, err := ear.Read(&f)
			if !ok || err != nil {
				break
			}
			h.sound, h.came = append(h.sound, f[:]...), append(h.came, ear.Came())
		}
	}
	return h
}

func measure(t *testing.T, m *mouth, h heard, way *transit, st call.Status, cpu float64) {
	const piece = 100 // frames, 2 s
	w, _ := voice.CreateWAV("/tmp/heard.wav")
	for i := 0; i+960 <= len(h.sound); i += 960 {
		f := voice.Frame(h.sound[i:])
		w.WriteFrame(&f)
	}
	w.Close()
	x := m.said(h.came[0], len(h.sound))
	w, _ = voice.CreateWAV("/tmp/said.wav")
	for i := 0; i+960 <= len(x); i += 960 {
		f := voice.Frame(x[i:])
		w.WriteFrame(&f)
	}
	w.Close()
	var lags []time.Duration
	first := int(settle / voice.FrameTime)
	for at := first; at+piece <= len(h.came); at += piece {
		// From a second before on: it was said before it is heard.
		said := m.said(h.came[at].Add(-time.Second), (piece+50)*voice.FrameSamples)
		match := voice.Compare(said[:(piece+25)*voice.FrameSamples], h.sound[at*voice.FrameSamples:(at+piece)*voice.FrameSamples])
		if match.Envelope < 0.7 {
			t.Logf("frame %d: envelope %.2f", at, match.Envelope)
			continue
		}
		lags = append(lags, match.Lag+time.Second)
	}
	if len(lags) == 0 {
		t.Fatal("nothing of what was said was heard")
	}
	slices.Sort(lags)
	lag := lags[len(lags)/2]
	transit := way.mean(h.came[first], h.came[len(h.came)-1])
	added := lag - transit - voice.FrameTime - opus.LookAhead
	t.Logf("mouth to ear %v (%v): network %v, frame %v, look-ahead %v, added %v; playout %+v; %.1f %% of a core",
		lag.Round(time.Millisecond/10), lags, transit.Round(time.Millisecond/10), voice.FrameTime, opus.LookAhead, added.Round(time.Millisecond/10), st.Playout, cpu)
	if os.Getenv("SOTTO_SOAK") != "" && (added > 60*time.Millisecond || cpu > 8) {
		t.Errorf("%v are added, and %.1f %% of a core are used", added, cpu)
	}
	if added < 0 || added > time.Second || cpu > 50 {
		t.Errorf("%v are added, and %.1f %% of a core are used", added, cpu)
	}
}
