package voice

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// card is a sound card with a microphone that hears a tone, in virtual time.
type card struct {
	rate   int     // Hz, nominal
	drift  float64 // of its clock, parts of 1
	block  int     // samples a callback
	tone   []float32
	n      int // samples so far
	random *rand.Rand
}

func newCard(rate, block int, ppm float64) *card {
	return &card{
		rate: rate, block: block, drift: ppm / 1e6,
		tone: tone(SampleRate, toneHz, 0.1), random: rand.New(rand.NewPCG(1, uint64(block))),
	}
}

// next is when the next callback comes, up to 2 ms late.
func (c *card) next() time.Duration {
	at := float64(c.n+c.block) / (float64(c.rate) * (1 + c.drift))
	return time.Duration(at * float64(time.Second))
}

// toneHz is what the tone has at a card's nominal rate.
const toneHz = 1000.0

// call is one callback. A card of another rate has been resampled to 48 kHz,
// which leaves pieces of uneven size; how well is for the resampler's own tests.
// What nobody looks at is only counted, or this would take minutes.
func (c *card) call(b *Bridge, now time.Duration, counted bool) {
	from := c.n * SampleRate / c.rate
	c.n += c.block
	to := c.n * SampleRate / c.rate
	at := from % (SampleRate / 100) // which is ten periods on
	now += time.Duration(c.random.Float64() * float64(2*time.Millisecond))
	if !counted {
		b.Write(now, c.tone[at:at+to-from])
		return
	}
	b.chunk.Store(max(b.chunk.Load(), int64(to-from)))
	b.ring.claimed.Add(uint64(to - from))
	b.ring.written.Add(uint64(to - from))
	b.Mark(now, b.ring.Written())
}

// soak is minutes, or half an hour with SOTTO_SOAK set.
func soak(minutes int) int {
	if os.Getenv("SOTTO_SOAK") != "" {
		return 30
	}
	return minutes
}

// TestBridge runs cards of every kind for as long as it takes to see drift.
func TestBridge(t *testing.T) {
	for _, c := range []struct {
		rate, block int
		ppm         float64
		minutes     int
	}{
		{48000, 256, 500, 3},
		{48000, 441, 100, soak(8)},
		{48000, 960, -100, 4},
		{48000, 1024, -500, 3},
		{44100, 256, -100, 2},
		{44100, 441, 100, 2},
		{44100, 1024, 100, 2},
	} {
		t.Run(fmt.Sprintf("%d Hz, %d samples, %g ppm, %d min", c.rate, c.block, c.ppm, c.minutes), func(t *testing.T) {
			t.Parallel()
			var b Bridge
			bridged(t, &b, newCard(c.rate, c.block, c.ppm), time.Duration(c.minutes)*time.Minute)
		})
	}
}

// bridged reads every 20 ms, up to 3 ms late, and wants a frame each time, each
// beginning where the one before ended, the tone whole, and the age of what is
// read steady.
func bridged(t *testing.T, b *Bridge, c *card, length time.Duration) {
	random := rand.New(rand.NewPCG(5, 6))
	var f Frame
	var signal, noise, youngest, oldest float64
	youngest = math.Inf(1)
	first := 0
	settled := 60 * time.Second
	expected := -1.0
	for tick := 1; time.Duration(tick)*FrameTime < length; tick++ {
		now := time.Duration(tick)*FrameTime + time.Duration(random.Float64()*float64(3*time.Millisecond))
		for c.next() < now {
			c.call(b, c.next(), tick%50 < 42)
		}
		from := b.place()
		if tick%50 != 0 && first > 0 { // all but the arithmetic
			if !b.look(now) || !b.due(now) || b.ring.Written() < b.at+FrameSamples+bridgeTaps+2 {
				t.Errorf("nothing at %v", now)
			}
			b.advance()
		} else if !b.Read(now, &f) {
			if first > 0 {
				t.Errorf("nothing at %v", now)
			}
			continue
		}
		rate := b.rate
		if first == 0 {
			first = tick
			from = b.place() - FrameSamples
		} else if math.Abs(from-expected) > 1e-3 {
			t.Fatalf("at %v the sound jumps from %.1f to %.1f", now, expected, from)
		}
		expected = b.place()
		if time.Duration(tick)*FrameTime < settled {
			continue
		}
		age := now.Seconds()*SampleRate*(1+c.drift) - from
		late := (now - time.Duration(tick)*FrameTime).Seconds() * SampleRate
		youngest, oldest = min(youngest, age-late), max(oldest, age-late)
		if tick%50 == 0 {
			for i, v := range f[:len(f)/2] {
				at := (from + float64(i)*rate) / SampleRate
				want := 0.5 * math.Sin(2*math.Pi*toneHz*math.Mod(at, 1))
				signal += want * want
				noise += (float64(v) - want) * (float64(v) - want)
			}
		}
	}
	below := 10 * math.Log10(signal/noise)
	t.Logf("age %.1f to %.1f ms, rate off by %.1f millionths, the rest %.0f dB below the tone, %d slips",
		youngest/48, oldest/48, (b.rate-1)*1e6, below, b.Slips())
	if b.Slips() != 0 || below < 88 || oldest-youngest > 5*48 || oldest > 60*48 {
		t.Error("the sound is not whole, or not in time")
	}
	if math.Abs(b.rate-1-c.drift) > 60e-6 {
		t.Errorf("the rate is %.1f millionths off, the card %.1f", (b.rate-1)*1e6, c.drift*1e6)
	}
}

// TestBridgeAndResampler is a card as it is: what comes at its rate goes through
// the resampler, whose pieces are uneven and whose first are small. From the first
// frame on none is missing, none is older than it may be, and the tone is whole.
// With SOTTO_SOAK set it is 4 minutes for each of 8 beginnings.
func TestBridgeAndResampler(t *testing.T) {
	length := time.Second
	if os.Getenv("SOTTO_SOAK") != "" {
		length = 4 * time.Minute
	}
	for _, rate := range []int{48000, 44100} {
		for _, block := range []int{256, 441, 1024} {
			t.Run(fmt.Sprintf("%d Hz, %d samples", rate, block), func(t *testing.T) {
				t.Parallel()
				for phase := range 8 { // of the first callback against the tick
					var b Bridge
					c := newCard(rate, block, 100)
					throughResampler(t, &b, c, time.Duration(phase)*FrameTime/8, length)
				}
			})
		}
	}
}

func throughResampler(t *testing.T, b *Bridge, c *card, phase, length time.Duration) {
	random := rand.New(rand.NewPCG(7, 8))
	rs := NewResampler(c.rate, SampleRate)
	in, out := make([]float32, c.block), make([]float32, 2*c.block)
	var f Frame
	first, begins := 0, 0.0
	var youngest, oldest, worst float64
	youngest = math.Inf(1)
	for tick := 1; time.Duration(tick)*FrameTime < length; tick++ {
		now := time.Duration(tick)*FrameTime + phase + time.Duration(random.Float64()*float64(3*time.Millisecond))
		for c.next() < now {
			at := c.next() + time.Duration(c.random.Float64()*float64(2*time.Millisecond))
			for i := range in {
				in[i] = float32(0.5 * math.Sin(2*math.Pi*toneHz*math.Mod(float64(c.n+i)/float64(c.rate), 1)))
			}
			c.n += c.block
			rs.Write(in)
			b.Write(at, out[:rs.Read(out)])
		}
		begins = b.place()
		if !b.Read(now, &f) {
			if first > 0 || tick > 25 {
				t.Errorf("nothing at %v", now)
			}
			continue
		}
		if first == 0 {
			first, begins = tick, b.place()-FrameSamples
		}
		age := now.Seconds()*SampleRate*(1+c.drift) - begins
		youngest, oldest = min(youngest, age), max(oldest, age)
		if tick < first+5 {
			continue // the tone begins
		}
		for i, v := range f {
			at := (begins + float64(i)*b.rate) / SampleRate
			worst = max(worst, math.Abs(float64(v)-0.5*math.Sin(2*math.Pi*toneHz*math.Mod(at, 1))))
		}
	}
	most := FrameSamples + 2*float64(c.block)*SampleRate/float64(c.rate) + 15*48
	t.Logf("from frame %d on; age %.1f to %.1f ms, worst error %.5f, %d slips", first, youngest/48, oldest/48, worst, b.Slips())
	if first == 0 || b.Slips() != 0 || oldest > most || worst > 0.01 {
		t.Errorf("the sound is not whole, or older than %.1f ms", most/48)
	}
}

// TestTwoCards: microphone and loudspeaker 200 ppm apart keep their distance, as
// much as the ear of an echo canceller wants.
func TestTwoCards(t *testing.T) {
	mic, speaker := newCard(48000, 441, 100), newCard(44100, 1024, -100)
	var heard, played Bridge
	var f Frame
	near, far := math.Inf(1), math.Inf(-1)
	for tick := 1; tick < soak(2)*60*50; tick++ {
		now := time.Duration(tick) * FrameTime
		for mic.next() < now {
			mic.call(&heard, mic.next(), true)
		}
		for speaker.next() < now {
			speaker.call(&played, speaker.next(), true)
		}
		if !heard.Read(now, &f) {
			if heard.open {
				t.Fatalf("nothing at %v", now)
			}
			continue
		}
		played.Beside(now, heard.Came(), &f)
		if tick > 30*50 {
			apart := heard.place()/(SampleRate*(1+mic.drift)) - played.place()/(SampleRate*(1+speaker.drift))
			near, far = min(near, apart*1000), max(far, apart*1000)
		}
	}
	t.Logf("%.2f to %.2f ms apart", near, far)
	if far-near > 0.4 || heard.Slips()+played.Slips() != 0 {
		t.Errorf("they are %.2f to %.2f ms apart", near, far)
	}
}

// TestCardStalls: after half a second without the card, sound goes on as young
// as before.
func TestCardStalls(t *testing.T) {
	c := newCard(48000, 480, 0)
	var b Bridge
	var f Frame
	frames := 0
	for tick := 1; tick < 3000; tick++ {
		now := time.Duration(tick) * FrameTime
		for c.next() < now {
			if at := c.next(); at > 30*time.Second && at < 30500*time.Millisecond {
				c.n += c.block // is lost
				continue
			}
			c.call(&b, c.next(), false)
		}
		for b.Read(now, &f) {
			frames++
		}
	}
	now := 3000 * FrameTime
	lost := 0.5 * SampleRate
	age := now.Seconds()*SampleRate - b.place() - lost
	t.Logf("%d frames, %.1f ms old, %d slips", frames, age/48, b.Slips())
	if age < 0 || age > 40*48 || frames < 2960 || frames > 2980 || b.Slips() != 1 {
		t.Error("it does not go on as before")
	}
}

// TestCardLosesSound: a card that drops a callback now and then gives as many
// frames as there were ticks all the same, as young as before.
func TestCardLosesSound(t *testing.T) {
	c := newCard(48000, 480, 50)
	var b Bridge
	var f Frame
	random := rand.New(rand.NewPCG(3, 4))
	frames, lost := 0, 0
	const ticks = 60 * 50
	for tick := 1; tick < ticks; tick++ {
		now := time.Duration(tick) * FrameTime
		for c.next() < now {
			if random.IntN(100) == 0 && c.next() > time.Second {
				lost += c.block
				c.n += c.block
				continue
			}
			c.call(&b, c.next(), false)
		}
		for b.Read(now, &f) {
			frames++
		}
	}
	age := (ticks*FrameTime).Seconds()*SampleRate*(1+c.drift) - b.place() - float64(lost)
	t.Logf("%d samples lost, %d of %d frames, %.1f ms old, %d slips", lost, frames, ticks-1, age/48, b.Slips())
	if frames < ticks-20 || frames > ticks || age > 80*48 {
		t.Error("frames are missing, or old")
	}
}

// TestNearestRow looks at tones between their samples.
func TestNearestRow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for hz, least := range map[float64]float64{1000: 88, 7900: 74} {
		b := Bridge{rate: 1}
		tone := func(at float64) float64 { return math.Sin(2 * math.Pi * hz * at / SampleRate) }
		sound := make([]float32, 8*FrameSamples)
		for i := range sound {
			sound[i] = float32(tone(float64(i)))
		}
		b.ring.Write(sound)
		var signal, wrong float64
		for range 100 {
			from := 100 + 5*FrameSamples*random.Float64()
			b.move(from)
			b.rate = 1 + mostDrift*(2*random.Float64()-1)
			rate := b.rate
			var f Frame
			if !b.take(&f) {
				t.Fatal("it is all there")
			}
			for i, v := range f {
				want := tone(from + float64(i)*rate)
				signal += want * want
				wrong += (float64(v) - want) * (float64(v) - want)
			}
		}
		below := 10 * math.Log10(signal/wrong)
		t.Logf("%.0f Hz: the rest %.0f dB below", hz, below)
		if below < least {
			t.Errorf("%.0f Hz: the rest is %.0f dB below the tone", hz, below)
		}
	}
}
