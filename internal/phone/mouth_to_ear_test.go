package phone_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

// used is the processor's time of this process and of its devices' so far.
func used(t *testing.T) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	sum := time.Duration(r.Utime.Nano() + r.Stime.Nano())
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		children, _ := os.ReadFile(list)
		for child := range strings.FieldsSeq(string(children)) {
			environ, _ := os.ReadFile("/proc/" + child + "/environ")
			if !bytes.Contains(environ, []byte("SOTTO_SOUND_CARD=")) {
				continue
			}
			stat, _ := os.ReadFile("/proc/" + child + "/stat")
			_, rest, _ := strings.Cut(string(stat), ") ")
			if fields := strings.Fields(rest); len(fields) > 13 {
				user, _ := strconv.Atoi(fields[11])
				system, _ := strconv.Atoi(fields[12])
				sum += time.Duration(user+system) * time.Second / 100 // the kernel's ticks
			}
		}
	}
	return sum
}

// TestMouthToEar makes a call between two phones with microphones and loudspeakers
// on a JACK server, everything on. Somebody speaks into one's microphone; what the
// other's loudspeaker gives is recorded. It says how much of the delay is neither the
// network's nor the frame's nor the codec's, and what of a processor's core a call
// takes. With SOTTO_SOAK set the call goes over a private Tor network, for long
// enough to be weighed, on a machine that does nothing else; else over pipes.
func TestMouthToEar(t *testing.T) {
	soundtest.Jack(t, 48000, 256)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	soak := os.Getenv("SOTTO_SOAK") != ""
	settle, long := 3*time.Second, 2
	if soak {
		settle, long = 8*time.Second, 20
	}
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

	// What mouth and ear use themselves is not the call's.
	idle, began := used(t), time.Now()
	listen(ctx, ear, 5*time.Second)
	own := (used(t) - idle).Seconds() / time.Since(began).Seconds()
	desk := &desktop{t: t}
	config := func(s *side, mouth, ear string) call.Config {
		sounds, err := phone.NewSounds(phone.Audio{})
		if err != nil {
			t.Fatal(err)
		}
		c := s.phone.Calls(s.key)
		c.Open = func(ctx context.Context) (call.Sound, error) { return desk.open(ctx, sounds, mouth, ear) }
		return c
	}
	way := newTransit()
	talk := func(ctx context.Context, alice, bob *side, listener net.Listener, calling call.Config) error {
		inner, stop := context.WithCancel(ctx)
		defer stop()
		served := make(chan error, 1)
		line := call.Line{Config: config(alice, "", in), Handle: alice.live}
		go func() { served <- line.Serve(inner, tappedListener{listener, way}) }()
		dial := calling.Dial
		calling.Join, calling.Redial = nil, nil // every path is tapped
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
		go bob.live(ctx, c)
		for _, s := range []*side{alice, bob} {
			select {
			case <-s.ready:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		listen(ctx, ear, settle)
		from, before := time.Now(), used(t)
		var pieces []heard
		for range long {
			pieces = append(pieces, listen(ctx, ear, time.Second))
		}
		cpu := 100 * ((used(t)-before).Seconds()/time.Since(from).Seconds() - own) / 2
		var lags []time.Duration
		for n := 0; n < len(pieces); n++ {
			if lag, ok := m.match(pieces[n]); ok {
				lags = append(lags, lag)
			} else if len(pieces) < 60 { // a busy machine loses sound in many
				pieces = append(pieces, listen(ctx, ear, time.Second))
			}
		}
		transit := way.mean(from, time.Now())
		st := alice.call.Status()
		c.HangUp()
		for _, s := range []*side{alice, bob} {
			if err := <-s.ended; err != nil {
				t.Error(err)
			}
		}
		report(t, lags, transit, st, cpu, soak)
		stop()
		return <-served
	}
	if !soak {
		alice, bob := sideOfPipes(t), sideOfPipes(t)
		listener := pipesListener{make(pipes), new(sync.Once), make(chan struct{})}
		calling := config(bob, out, "")
		calling.Dial = listener.dial
		if err := talk(ctx, alice, bob, listener, calling); err != nil {
			t.Fatal(err)
		}
		return
	}
	network, err := tornet.Start(ctx, tornet.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	alice, bob := newSide(t, network), newSide(t, network)
	err = bob.phone.Run(ctx, func(ctx context.Context) error {
		return alice.phone.Run(ctx, func(ctx context.Context) error {
			listener, err := alice.phone.Node.Listen(ctx, alice.key, onion.Service{})
			if err != nil {
				return err
			}
			return talk(ctx, alice, bob, listener, config(bob, out, ""))
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func sideOfPipes(t *testing.T) *side {
	t.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &side{key: key, phone: &phone.Phone{}, ready: make(chan struct{}), ended: make(chan error, 1)}
}

// pipes is a network without delay.
type pipes chan net.Conn

func (p pipes) dial(ctx context.Context, _ identity.Address) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pipesListener is where they come out.
type pipesListener struct {
	pipes
	once   *sync.Once
	closed chan struct{}
}

func (l pipesListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.pipes:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l pipesListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l pipesListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

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

// match is how late h has what was said, unless sound was lost in it or nobody spoke.
func (m *mouth) match(h heard) (time.Duration, bool) {
	if len(h.came) == 0 {
		return 0, false
	}
	// From a second before on: it was said before it is heard.
	said := m.said(h.came[0].Add(-time.Second), len(h.sound)+voice.SampleRate/2)
	match := voice.Compare(said, h.sound)
	return match.Lag + time.Second, match.Envelope > 0.7
}

func report(t *testing.T, lags []time.Duration, network time.Duration, st call.Status, cpu float64, strict bool) {
	if len(lags) == 0 {
		t.Fatal("nothing of what was said was heard")
	}
	slices.Sort(lags)
	lag := lags[len(lags)/2]
	added := lag - network - voice.FrameTime - opus.LookAhead
	const digit = time.Millisecond / 10
	t.Logf("mouth to ear %v (%v to %v): network %v, frame %v, look-ahead %v, added %v, playout's target %v; %.1f %% of a core",
		lag.Round(digit), lags[0].Round(digit), lags[len(lags)-1].Round(digit), network.Round(digit), voice.FrameTime, opus.LookAhead,
		added.Round(digit), st.Playout.Target.Round(digit), cpu)
	if added < 0 || added > time.Second {
		t.Errorf("%v are added", added)
	}
	if strict && (added > 60*time.Millisecond || cpu > 8) {
		t.Errorf("%v are added, and %.1f %% of a core are used", added, cpu)
	}
}
