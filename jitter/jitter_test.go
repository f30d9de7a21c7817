package jitter_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sottovoce/sotto/jitter"
)

const tick = jitter.FrameTime

func packet(seq uint32) []byte { return binary.BigEndian.AppendUint32(nil, seq) }

// listener is the rest of the playout, in the least of words: it plays at the
// speed asked for, and in every tenth frame, a pause, what is too much is cut
// and what is lacking added.
type listener struct {
	*jitter.Buffer
	ready     time.Duration // sound to be heard
	held      time.Duration // made up while nothing was here
	decisions []jitter.Decision
}

// pull hears the 20 ms from now on, half of them at a time.
func (l *listener) pull(now time.Duration) {
	l.half(now)
	l.half(now + tick/2)
}

func (l *listener) half(now time.Duration) {
	for l.ready < tick/2 {
		d := l.Pop(now, l.ready)
		d.Packet = slices.Clone(d.Packet)
		l.decisions = append(l.decisions, d)
		out := tick
		if d.Action == jitter.Play {
			out = time.Duration(float32(tick) / d.Speed)
			if d.Seq%10 == 0 {
				out = min(max(0, tick-d.Surplus), 2*tick)
			}
		}
		if d.Action == jitter.Hold {
			out = tick/2 - l.ready
			l.held += out
		}
		l.ready += out
	}
	l.ready -= tick / 2
}

// run plays a schedule (arrivals by frame number) for so long.
func run(c jitter.Config, arrivals map[uint32]time.Duration, ticks int) *listener {
	l := &listener{Buffer: jitter.New(c)}
	due := map[time.Duration][]uint32{}
	for seq, at := range arrivals {
		due[(at+tick-1)/tick] = append(due[(at+tick-1)/tick], seq)
	}
	for i := range time.Duration(ticks) {
		slices.Sort(due[i])
		for _, seq := range due[i] {
			l.Push(arrivals[seq], seq, packet(seq))
		}
		l.pull(i * tick)
	}
	return l
}

func steady(n int, delay time.Duration) map[uint32]time.Duration {
	arrivals := map[uint32]time.Duration{}
	for i := range uint32(n) {
		arrivals[i] = time.Duration(i)*tick + delay
	}
	return arrivals
}

func TestASteadyCallPlaysEverythingAndComesNearer(t *testing.T) {
	l := run(jitter.Config{}, steady(1000, tick), 1000)
	next, playing := uint32(0), false
	for i, d := range l.decisions {
		switch {
		case !playing && d.Action == jitter.Wait:
		case d.Action != jitter.Play || d.Seq != next || binary.BigEndian.Uint32(d.Packet) != next:
			t.Fatalf("decision %d: %+v, want frame %d", i, d, next)
		default:
			playing = true
			next++
		}
	}
	if s := l.Stats(); s.Target != jitter.DefaultMin || s.Delay > s.Target+tick {
		t.Errorf("the delay is %v, the target %v, when nothing is late", s.Delay, s.Target)
	}
}

func TestALostFrameIsMadeUpAndTheNextPlayed(t *testing.T) {
	arrivals := steady(200, tick)
	delete(arrivals, 140)
	made := 0
	for _, d := range run(jitter.Config{}, arrivals, 190).decisions {
		switch d.Action {
		case jitter.Conceal:
			made++
		case jitter.Hold:
			t.Errorf("%+v", d)
		}
	}
	if made != 1 {
		t.Errorf("%d frames made up", made)
	}
}

// After a stall of a second nothing is lost: the buffer holds, then catches up,
// no faster than speech bears, until it is back at its delay.
func TestAfterAStallTheDelayComesBack(t *testing.T) {
	arrivals := steady(1000, tick)
	for i := uint32(500); i < 550; i++ {
		arrivals[i] = 550*tick + tick
	}
	l := run(jitter.Config{}, arrivals, 1000)
	last, fast := uint32(0), 0
	for i, d := range l.decisions {
		switch d.Action {
		case jitter.Play:
			if i > 500 && d.Seq != last+1 {
				t.Fatalf("frame %d after %d", d.Seq, last)
			}
			last = d.Seq
			if d.Speed > 1.5 || d.Speed < 0.5 {
				t.Fatalf("%+v", d)
			}
			if d.Speed == 1.5 {
				fast++
			}
		}
	}
	if l.held < 800*time.Millisecond || l.held > time.Second {
		t.Errorf("held for %v in a stall of a second", l.held)
	}
	if fast < 50 || fast > 130 {
		t.Errorf("%d frames played at one and a half", fast)
	}
	if s := l.Stats(); s.Delay > 100*time.Millisecond || s.Skipped+s.Concealed > 0 {
		t.Errorf("ends with %+v", s)
	}
}

// The target is where more delay costs more than what it would save: a hundred
// ms of delay are as bad as 3.3 percent missing.
func TestTheTargetIsTheCheapest(t *testing.T) {
	for _, test := range []struct {
		each uint32        // every so many frames one comes
		by   time.Duration // that late
		want time.Duration
	}{
		{50, 200 * time.Millisecond, 20 * time.Millisecond},  // 2 % against 24 points of delay
		{10, 200 * time.Millisecond, 210 * time.Millisecond}, // 10 %, 41 points
		{4, 600 * time.Millisecond, 610 * time.Millisecond},
		{4, 3 * time.Second, 20 * time.Millisecond},
	} {
		b := jitter.New(jitter.Config{Min: 20 * time.Millisecond})
		late := uint32(test.by / tick)
		for i := range uint32(5000) {
			at := time.Duration(i) * tick
			if i%test.each != 0 {
				b.Push(at, i, packet(i))
			}
			if i >= late && (i-late)%test.each == 0 {
				b.Push(at, i-late, packet(i-late))
			}
			b.Pop(at, 0)
		}
		if got := b.Stats().Target; got != test.want {
			t.Errorf("every %dth frame %v late: target %v, want %v", test.each, test.by, got, test.want)
		}
	}
}

func TestTheTargetKeepsToItsLimits(t *testing.T) {
	arrivals := steady(500, tick)
	for i := uint32(0); i < 500; i += 4 {
		arrivals[i] += 400 * time.Millisecond
	}
	for _, c := range []jitter.Config{{Min: time.Second}, {Max: 100 * time.Millisecond}, {Min: 70 * time.Millisecond, Max: 70 * time.Millisecond}} {
		explained := 0
		want := max(c.Min, c.Max)
		c.Explain = func(e jitter.Explained) {
			explained++
			if e.Target < c.Min || c.Max > 0 && e.Target > c.Max {
				t.Fatalf("%+v with limits of %v and %v", e, c.Min, c.Max)
			}
		}
		if s := run(c, arrivals, 400).Stats(); explained < 300 || s.Target != want {
			t.Errorf("%d decisions explained, target %v, want %v", explained, s.Target, want)
		}
	}
}

// Frames that stay away are not given up before they are late, a hole is waited
// for a little, and passed over when it stays.
func TestAHoleIsWaitedForThenPassedOver(t *testing.T) {
	for _, fills := range []bool{true, false} {
		arrivals := steady(600, tick)
		for i := uint32(300); i < 344; i++ { // on a path that is held up
			arrivals[i] = 350*tick + 30*time.Millisecond
			if !fills {
				delete(arrivals, i)
			}
		}
		for i := uint32(344); i < 350; i++ { // newer ones go another way
			arrivals[i] = 350*tick + tick
		}
		l := run(jitter.Config{}, arrivals, 590)
		s := l.Stats()
		if fills && s.Skipped+s.Concealed > 0 || !fills && (s.Skipped < 38 || s.Skipped+s.Concealed != 44) {
			t.Errorf("fills %v: %+v", fills, s)
		}
		if s.Delay > 300*time.Millisecond {
			t.Errorf("fills %v: ends %v behind", fills, s.Delay)
		}
	}
}

// When nothing comes and little is left, it is made to last.
func TestSoundIsAddedBeforeItRunsOut(t *testing.T) {
	arrivals := steady(500, tick)
	for i := uint32(0); i < 300; i += 3 {
		arrivals[i] += 150 * time.Millisecond // so that there is a cushion
	}
	for i := uint32(400); i < 500; i++ {
		arrivals[i] = 500 * tick
	}
	added, slowed := 0, 0
	for _, d := range run(jitter.Config{}, arrivals, 430).decisions {
		if d.Action == jitter.Play && d.Seq > 380 {
			if d.Surplus < 0 {
				added++
			}
			if d.Speed < 1 {
				slowed++
			}
		}
	}
	if added < 2 || slowed < 1 || slowed >= added {
		t.Errorf("%d frames with sound to be added, %d slowed", added, slowed)
	}
}

// An hour with a sound card that runs 200 ppm fast or slow, and numbers that
// wrap: nothing is lost, and the delay stays.
func TestDriftOverAnHour(t *testing.T) {
	for _, ppm := range []time.Duration{-200, 200} {
		l := &listener{Buffer: jitter.New(jitter.Config{})}
		const first = ^uint32(0) - 90_000
		sent := 0
		for i := range time.Duration(180_000) {
			now := i * tick
			for ; time.Duration(sent)*(tick+tick*ppm/1_000_000) <= now; sent++ {
				at := time.Duration(sent) * (tick + tick*ppm/1_000_000)
				at += time.Duration(sent%7) * time.Millisecond // a little jitter
				l.Push(min(at, now), first+uint32(sent), packet(first+uint32(sent)))
			}
			l.decisions = l.decisions[:0]
			l.pull(now)
			if s := l.Stats(); i > 200 && s.Delay > 100*time.Millisecond {
				t.Fatalf("%d ppm, %v: %+v", ppm, now, s)
			}
		}
		if s := l.Stats(); s.Skipped+s.Concealed+s.Late > 0 || l.held > 8*time.Second { // 200 ppm are 720 ms; a fifth of a percent is cheaper than 10 ms more
			t.Errorf("%d ppm: %v held, %+v", ppm, l.held, s)
		}
	}
}

// Whatever comes in whatever order: no frame is played twice or out of order,
// and what is played is what came.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := jitter.New(jitter.Config{Min: time.Duration(rapid.IntRange(0, 300).Draw(t, "least")) * time.Millisecond})
		base := rapid.Uint32().Draw(t, "first")
		last, any := uint32(0), false
		for i := range 200 {
			now := time.Duration(i) * tick
			for range rapid.IntRange(0, 4).Draw(t, "burst") {
				seq := base + uint32(i) + uint32(rapid.IntRange(-20, 5).Draw(t, "seq"))
				b.Push(now, seq, packet(seq))
			}
			d := b.Pop(now, 0)
			if d.Action != jitter.Play && d.Action != jitter.Conceal {
				continue
			}
			if any && int32(d.Seq-last) <= 0 {
				t.Fatalf("frame %d after %d", d.Seq, last)
			}
			if d.Action == jitter.Play && binary.BigEndian.Uint32(d.Packet) != d.Seq {
				t.Fatalf("frame %d is not what came", d.Seq)
			}
			last, any = d.Seq, true
		}
	})
}

func TestAHostileNumberBeginsAnewAndGoesOn(t *testing.T) {
	b := jitter.New(jitter.Config{})
	for i := range uint32(50) {
		b.Push(time.Duration(i)*tick, i, packet(i))
		b.Pop(time.Duration(i)*tick, 0)
	}
	b.Push(50*tick, 1<<31, packet(1<<31))
	played := 0
	for i := uint32(51); i < 150; i++ {
		b.Push(time.Duration(i)*tick, i, packet(i))
		if d := b.Pop(time.Duration(i)*tick, 0); d.Action == jitter.Play {
			played++
		}
	}
	if played < 85 {
		t.Fatalf("only %d frames played after it", played)
	}
	b.Push(0, 150, make([]byte, jitter.MaxPacket+1))
	b.Push(0, 150, nil)
	if s := b.Stats(); s.Level > 10 {
		t.Fatalf("%+v", s)
	}
}

// A path that stood still for long brings its old frames while others go on:
// they are late, and nothing else changes.
func TestVeryOldFramesAreLate(t *testing.T) {
	b := jitter.New(jitter.Config{})
	for i := range uint32(1000) {
		now := time.Duration(i) * tick
		b.Push(now, i, packet(i))
		if i > 700 && i < 750 {
			b.Push(now, i-700, packet(i-700))
		}
		if d := b.Pop(now, 0); i > 60 && d.Action != jitter.Play {
			t.Fatalf("at frame %d: %+v", i, d)
		}
	}
}

func FuzzBuffer(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		buffer := jitter.New(jitter.Config{})
		for i := 0; len(b) >= 4; i++ {
			seq := binary.BigEndian.Uint32(b)
			b = b[4:]
			now := time.Duration(i) * tick
			buffer.Push(now, seq, packet(seq))
			if d := buffer.Pop(now, 0); d.Action == jitter.Play && binary.BigEndian.Uint32(d.Packet) != d.Seq {
				t.Fatal("played what never came")
			}
		}
	})
}

func BenchmarkPushPop(b *testing.B) {
	buffer := jitter.New(jitter.Config{})
	p := packet(0)
	seq := uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		now := time.Duration(seq) * tick
		for i := range uint32(6) {
			buffer.Push(now, seq-i, p)
		}
		buffer.Pop(now, 0)
		seq++
	}
}
