package opus

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sottovoce/sotto/voice"
)

var all = []Profile{Profile24k, Profile16k, Profile12k}

func pair(t testing.TB, p Profile) (*Encoder, *Decoder) {
	t.Helper()
	e, err := NewEncoder(p)
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder(p)
	if err != nil {
		t.Fatal(err)
	}
	return e, d
}

func speech(t testing.TB) []float32 {
	t.Helper()
	c, err := voice.OpenWAV("../../internal/demo/speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	return c.Samples
}

// through sends sound through a codec, frame by frame, and counts the packets
// by the code of their first byte.
func through(t testing.TB, p Profile, sound []float32) (heard []float32, codes [4]int) {
	t.Helper()
	e, d := pair(t, p)
	packet := make([]byte, p.PacketBytes(), 500) // room that must not be used
	for len(sound) >= voice.FrameSamples {
		f := voice.Frame(sound)
		sound = sound[voice.FrameSamples:]
		if err := e.Encode(packet, &f); err != nil {
			t.Fatal(err)
		}
		codes[packet[0]&3]++
		if err := d.Decode(&f, packet); err != nil {
			t.Fatal(err)
		}
		heard = append(heard, f[:]...)
	}
	return heard, codes
}

// TestEveryPacketHasItsSize sends what a codec might make smaller packets of.
// Encode fails on any packet of another size, so through would stop the test.
func TestEveryPacketHasItsSize(t *testing.T) {
	const seconds = 4 * voice.SampleRate
	random := rand.New(rand.NewPCG(3, 4))
	sounds := map[string][]float32{
		"speech":     speech(t)[:2*seconds],
		"silence":    make([]float32, seconds),
		"noise":      make([]float32, seconds),
		"faint":      make([]float32, seconds),
		"clicks":     make([]float32, seconds),
		"square":     make([]float32, seconds),
		"too loud":   make([]float32, seconds),
		"nonsense":   make([]float32, seconds),
		"on and off": make([]float32, seconds),
	}
	for i := range seconds {
		sounds["noise"][i] = random.Float32()*2 - 1
		sounds["faint"][i] = (random.Float32() - 0.5) / 32768
		sounds["square"][i] = float32(i/100%2*2 - 1)
		sounds["too loud"][i] = 1e9 * (random.Float32() - 0.5)
		sounds["nonsense"][i] = []float32{float32(math.NaN()), float32(math.Inf(1)), 1}[i%3]
		sounds["on and off"][i] = sounds["noise"][i] * float32(i/20000%2)
		if i%7001 == 0 {
			sounds["clicks"][i] = 1
		}
	}
	for _, p := range all {
		for name, sound := range sounds {
			t.Run(p.String()+" "+name, func(t *testing.T) {
				heard, codes := through(t, p, sound)
				t.Logf("codes %v", codes)
				for i, s := range heard {
					if s != s {
						t.Fatalf("sample %d is not a number", i)
					}
				}
			})
		}
	}
}

func TestSpeechSurvives(t *testing.T) {
	sent := speech(t)
	for _, p := range all {
		heard, _ := through(t, p, sent)
		m := voice.Compare(sent, heard)
		t.Logf("%v: %+v", p, m)
		if m.Envelope < 0.97 {
			t.Errorf("%v: envelope %.3f", p, m.Envelope)
		}
		if d := (m.Lag - LookAhead).Abs().Microseconds(); d > 500 {
			t.Errorf("%v: speech is %v late, want %v", p, m.Lag, LookAhead)
		}
	}
}

// TestNoBursts wants nothing to come out far louder than it was said. Whether 12k did
// so hung on the last bit of each sample, and so the speech has several.
func TestNoBursts(t *testing.T) {
	const block, late = 2 * voice.FrameSamples, 312
	for p, seeds := range map[Profile]uint64{Profile24k: 1, Profile16k: 1, Profile12k: 2} {
		for seed := range seeds {
			sent := speech(t)
			random := rand.New(rand.NewPCG(seed, 1))
			for i := range sent {
				sent[i] += 1e-7 * random.Float32()
			}
			heard, _ := through(t, p, sent)
			var said, came voice.Level
			for at := 0; at+block+late <= len(heard); at += voice.FrameSamples {
				said.Add(sent[at : at+block])
				came.Add(heard[at+late : at+late+block])
				if a, b := said.RMS(), came.RMS(); b > -36 && b > a+8 {
					t.Errorf("%v: after %.2f s %.0f dBFS, and %.0f dBFS was said", p, float64(at)/voice.SampleRate, b, a)
				}
			}
		}
	}
}

// TestLookAhead measures the codec's delay with a click.
func TestLookAhead(t *testing.T) {
	const at = 100*voice.FrameSamples + 400
	sound := make([]float32, 120*voice.FrameSamples)
	sound[at] = 0.9
	heard, _ := through(t, Profile24k, sound)
	loudest := 0
	for i, s := range heard {
		if math.Abs(float64(s)) > math.Abs(float64(heard[loudest])) {
			loudest = i
		}
	}
	want := int(LookAhead.Seconds() * voice.SampleRate)
	t.Logf("delay %d samples", loudest-at)
	if d := loudest - at - want; d < -12 || d > 12 {
		t.Errorf("the click is %d samples late, want %d", loudest-at, want)
	}
}

func TestConceal(t *testing.T) {
	e, d := pair(t, Profile24k)
	packet := make([]byte, Profile24k.PacketBytes())
	var f voice.Frame
	var level voice.Level
	for n := range 50 {
		for i := range f {
			f[i] = float32(0.3 * math.Sin(2*math.Pi*200*float64(n*len(f)+i)/voice.SampleRate))
		}
		if err := errors.Join(e.Encode(packet, &f), d.Decode(&f, packet)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Conceal(&f); err != nil {
		t.Fatal(err)
	}
	level.Add(f[:])
	if level.RMS() < -25 {
		t.Errorf("the first concealed frame has %.1f dB", level.RMS())
	}
	for range 50 {
		if err := d.Conceal(&f); err != nil {
			t.Fatal(err)
		}
	}
	level = voice.Level{}
	level.Add(f[:])
	if level.RMS() > -45 {
		t.Errorf("after a second of nothing still %.1f dB", level.RMS())
	}
}

func TestEncodeErrors(t *testing.T) {
	e, d := pair(t, Profile16k)
	for _, n := range []int{0, 39, 41, 60} {
		if err := e.Encode(make([]byte, n), new(voice.Frame)); err == nil {
			t.Errorf("room for %d bytes was taken", n)
		}
	}
	var f voice.Frame
	if err := d.Decode(&f, e.silence); err != nil {
		t.Errorf("the packet that stands in for a failed one: %v", err)
	}
	if _, err := NewEncoder(7); err == nil {
		t.Error("an encoder of no profile")
	}
	if _, err := NewDecoder(-1); err == nil {
		t.Error("a decoder of no profile")
	}
}

func TestProfiles(t *testing.T) {
	for name, size := range map[string]int{"24k": 60, "16k": 40, "12k": 30} {
		p, err := ParseProfile(name)
		if err != nil || p.PacketBytes() != size || p.String() != name {
			t.Errorf("%s: %v, %d bytes, error %v", name, p, p.PacketBytes(), err)
		}
	}
	if Profile(0) != Profile24k {
		t.Error("the zero value is not the default")
	}
	if _, err := ParseProfile("64k"); err == nil {
		t.Error("64k is a profile")
	}
}

func TestDecodeRefuses(t *testing.T) {
	e, d := pair(t, Profile24k)
	good := make([]byte, 60)
	f := voice.Frame{1}
	if err := e.Encode(good, &f); err != nil {
		t.Fatal(err)
	}
	changed := func(toc, count byte) []byte {
		p := append([]byte(nil), good...)
		p[0], p[1] = toc, count
		return p
	}
	for name, packet := range map[string][]byte{
		"nothing":      nil,
		"one byte":     good[:1],
		"a byte short": good[:59],
		"a byte long":  append(append([]byte(nil), good...), 0),
		"10 ms":        changed(8<<3, 0),
		"60 ms":        changed(11<<3, 0),
		"2.5 ms":       changed(28<<3, 0),
		"10 ms hybrid": changed(14<<3, 0),
		"stereo":       changed(9<<3|4, 0),
		"two frames":   changed(9<<3|1, 0),
		"two unequal":  changed(9<<3|2, 0),
		"no frame":     changed(9<<3|3, 0),
		"three frames": changed(9<<3|3, 3),
	} {
		f[0] = 1
		if err := d.Decode(&f, packet); !errors.Is(err, ErrPacket) || f != (voice.Frame{}) {
			t.Errorf("%s: error %v, silent %v", name, err, f == voice.Frame{})
		}
	}
	if err := d.Decode(&f, good); err != nil {
		t.Errorf("after all that a good one: %v", err)
	}
}

// TestTable compares is20ms with the durations of RFC 6716, table 2, in ms.
func TestTable(t *testing.T) {
	durations := []float64{
		10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 10, 20,
		2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20,
	}
	for config, ms := range durations {
		if is20ms(byte(config)) != (ms == 20) {
			t.Errorf("configuration %d lasts %g ms", config, ms)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, p := range all {
		e, _ := pair(f, p)
		f.Add(e.silence)
	}
	f.Add([]byte{9<<3 | 3, 65, 255, 255, 255})
	f.Fuzz(func(t *testing.T, packet []byte) {
		for _, p := range all {
			d, err := NewDecoder(p)
			if err != nil {
				t.Fatal(err)
			}
			var out voice.Frame
			err = d.Decode(&out, packet)
			if err == nil && len(packet) != p.PacketBytes() {
				t.Fatalf("%v took a packet of %d bytes", p, len(packet))
			}
			if err == nil && check(packet, p.PacketBytes()) != nil {
				t.Fatal("a packet passed the gate that does not")
			}
			for _, s := range out {
				if s != s {
					t.Fatal("not a number")
				}
			}
		}
	})
}

// TestPains has somebody speak twice, with three seconds of noise before each word: all
// that is speech is encoded as well as can be, from its first frame on.
func TestPains(t *testing.T) {
	word := speech(t)[24000 : 24000+40*voice.FrameSamples]
	loudest := 0.0
	for _, s := range word {
		loudest = max(loudest, math.Abs(float64(s)))
	}
	if loudest < 0.05 {
		t.Fatal("there is no word")
	}
	random := rand.New(rand.NewPCG(1, 2))
	var sound []float32
	for range 2 {
		for range 3 * voice.SampleRate {
			sound = append(sound, float32(random.NormFloat64()*0.001))
		}
		sound = append(sound, word...)
	}
	e, _ := pair(t, Profile24k)
	packet := make([]byte, 60)
	pains := map[int]int{}
	for len(sound) >= voice.FrameSamples {
		f := voice.Frame(sound)
		sound = sound[voice.FrameSamples:]
		if err := e.Encode(packet, &f); err != nil {
			t.Fatal(err)
		}
		c, err := e.enc.Complexity()
		if err != nil {
			t.Fatal(err)
		}
		pains[c]++
		peak := float32(0)
		for _, s := range f {
			peak = max(peak, s, -s)
		}
		if peak > 0.02 && c != complexity {
			t.Errorf("a frame of speech (peak %.3f) is encoded with complexity %d", peak, c)
		}
	}
	t.Logf("frames by complexity: %v", pains)
	if pains[complexityQuiet] < 2*100 {
		t.Error("noise is encoded as if it were speech")
	}
}

func TestNoAllocations(t *testing.T) {
	e, d := pair(t, Profile24k)
	packet := make([]byte, 60)
	f := voice.Frame(speech(t)[48000:])
	n := testing.AllocsPerRun(100, func() {
		if err := errors.Join(e.Encode(packet, &f), d.Decode(&f, packet), d.Conceal(&f)); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%g allocations a frame", n)
	}
}

func BenchmarkEncode(b *testing.B) {
	sound := speech(b)
	for _, p := range all {
		b.Run(p.String(), func(b *testing.B) {
			e, _ := pair(b, p)
			packet := make([]byte, p.PacketBytes())
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				f := (*voice.Frame)(sound[i%1000*voice.FrameSamples:])
				if err := e.Encode(packet, f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	e, d := pair(b, Profile24k)
	packet := make([]byte, 60)
	f := voice.Frame(speech(b)[48000:])
	if err := e.Encode(packet, &f); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(&f, packet); err != nil {
			b.Fatal(err)
		}
	}
}
