package voice

import "time"

// Run tells how a run of output was made: Samples of it stand for the Of samples
// of received sound from number Media on. Played as it came, both are alike; Of
// is more when the run was squeezed (at most twice Samples), less when it was
// slowed (at least half), and 0 when it was made up (Media then says nothing).
// Received samples between two runs that none stands for were cut.
//
// Where two sounds are joined the first fades out under the second; the run then
// stands for the second.
type Run struct {
	Samples int
	Media   int64
	Of      int
}

// What a Stretch holds, in samples.
const (
	ahead    = 2 * longestPeriod // sound to be known before it is squeezed, 25 ms
	behind   = FrameSamples      // received sound remembered, to be repeated
	inSize   = behind + ahead + 2*FrameSamples
	tailSize = 2 * longestPeriod // output remembered, to be continued
	outSize  = tailSize + 12*FrameSamples
	outMost  = 5 * FrameSamples // of output that one call makes at most

	pieceSize = SampleRate / 100 // what Activity is asked about, 10 ms
	pieceMost = inSize/pieceSize + 1
)

// Stretch plays received sound faster or slower without changing its pitch, cuts
// pauses, and goes over from sound that came to sound that is made up and back.
// At speed 1 sound passes as it came, at once.
//
// Speed is changed by the period of the voice (WSOLA, Verhelst and Roelands 1993,
// with the pieces of PSOLA): to squeeze, one period fades into the next; to slow,
// one is played twice, the second time faded back into the first. Pauses are cut
// whole but for their first 80 ms, and lengthened with their own noise.
//
// Its zero value works; it does not allocate; it is for one goroutine at a time.
type Stretch struct {
	Heard func(Run) // if set, is told of all output, in its order

	activity Activity
	comfort  comfort
	pace     pace

	in            [inSize]float32
	from, at, end int   // in: oldest that is connected with what follows, next to be heard, end
	media         int64 // number of the sample at end
	pieces        [pieceMost]piece

	out         [outSize]float32
	read, write int   // the sound between is ready
	made        int64 // samples of output
	run         Run   // made last, not told yet

	fade join
	gap  int  // samples made up since received sound was last heard
	numb bool // this gap has come to noise alone
}

// piece is what the detector says of 10 ms of in.
type piece struct {
	class Class
	weak  bool // it stands out from nothing, even if class says that a word ends there
	faint bool // it stands out a little at least: the codec may have weakened speech
}

// Play takes a frame of received sound, whose first sample has number media. It
// is to be played at speed (1: as it came; 0.5 to 2), or as near as what is said
// in it allows: speech with a pitch at most 1.5 and at least 0.67, and where it
// is not alike from one period to the next, as it came. Speed is approached by
// 0.1 a frame, 0.3 down, 1 at once. surplus is by how much sound queues for too
// long in all: in a pause so much is cut, and speech without pitch is squeezed for
// it; when negative, so much is welcome to be added to them.
//
// While speed is above 1, and in a pause with surplus, up to 25 ms are held back.
// A media number that does not follow the last frame's means a gap. A frame for
// which there is no room, as when nothing is ever read, is passed over.
func (s *Stretch) Play(f *Frame, media int64, speed float32, surplus time.Duration) {
	if s.room() < outMost {
		return
	}
	if s.gap > 0 || s.made > 0 && media != s.media {
		s.pass(s.end - s.at)
		s.from, s.at, s.end = 0, 0, 0
		s.pace.rest()
		s.merge(f)
	}
	s.take(f, media)
	s.pace.approach(speed)
	samples := wished(surplus)
	s.pace.surplus = float32(samples)
	switch {
	case s.pace.speed > 1 || s.pace.speed == 1 && samples > 0:
		s.squeeze(samples)
	case s.pace.speed < 1 || samples < 0:
		s.slow(-samples)
	default:
		s.pass(s.end - s.at)
	}
	s.tell(Run{})
}

// wished is d in samples, at most a minute.
func wished(d time.Duration) int {
	return int(max(-time.Minute, min(time.Minute, d)) * SampleRate / time.Second)
}

// take puts f behind what is held, finds out what is in it, and learns from its
// pauses.
func (s *Stretch) take(f *Frame, media int64) {
	if old := max(s.from, s.at-behind); old > 0 {
		copy(s.in[:], s.in[old:s.end])
		s.from, s.at, s.end = 0, s.at-old, s.end-old
	}
	copy(s.in[s.end:], f[:])
	for range FrameSamples / pieceSize {
		before := s.pieces[pieceMost-1]
		copy(s.pieces[:], s.pieces[1:])
		next := s.in[s.end : s.end+pieceSize]
		class := s.activity.Classify(next)
		s.pieces[pieceMost-1] = piece{class, s.activity.weak, s.activity.faint}
		// One piece late, so that no word begins in it.
		if class == Pause && before.class == Pause && s.end-s.from >= pieceSize {
			s.comfort.learn(s.in[s.end-pieceSize : s.end])
		}
		s.end += pieceSize
	}
	s.media = media + FrameSamples
}

// piece is that of in[i], and where in in it ends.
func (s *Stretch) piece(i int) (piece, int) {
	back := (s.end - 1 - i) / pieceSize
	return s.pieces[pieceMost-1-back], s.end - back*pieceSize
}

// pass makes the next n samples ready as they came, after whatever they have to
// be joined with.
func (s *Stretch) pass(n int) {
	for n > 0 {
		p, end := s.piece(s.at)
		k := min(n, end-s.at)
		out := s.grow(k)
		copy(out, s.in[s.at:])
		s.fade.over(out, s.in[s.at:s.end])
		s.heard(p, k, k)
		n -= k
	}
}

// heard says that the last samples of output are what stands for the next of
// received ones.
func (s *Stretch) heard(p piece, samples, of int) {
	s.tell(Run{samples, s.media - int64(s.end-s.at), of})
	s.at += of
	s.pace.heard(p, samples)
	s.gap, s.numb = 0, false
}

// tell passes on what is known of the output, in runs as long as can be.
func (s *Stretch) tell(r Run) {
	last := &s.run
	switch {
	case r.Samples > 0 && last.Of == 0 && r.Of == 0,
		r.Samples > 0 && last.Of == last.Samples && r.Of == r.Samples && last.Media+int64(last.Of) == r.Media:
		last.Samples += r.Samples
		last.Of += r.Of
		return
	}
	if last.Samples > 0 && s.Heard != nil {
		s.Heard(*last)
	}
	*last = r
}

// Flush makes what is held back for a change of speed ready, as it came.
func (s *Stretch) Flush() {
	s.pass(s.end - s.at)
	s.tell(Run{})
}

// Ready is how many samples can be read.
func (s *Stretch) Ready() int { return s.write - s.read }

// Held is how many samples are held back beyond those.
func (s *Stretch) Held() int { return s.end - s.at }

// Read fills out with what is ready; where there is not as much, with silence.
func (s *Stretch) Read(out []float32) {
	n := copy(out, s.out[s.read:s.write])
	clear(out[n:])
	s.read += n
}

// room is how much more output fits.
func (s *Stretch) room() int { return outSize - tailSize - s.Ready() }

// grow makes n samples ready, for the caller to fill.
func (s *Stretch) grow(n int) []float32 {
	if s.write == 0 {
		s.read, s.write = tailSize, tailSize // silence before the first sample
	}
	if s.write+n > outSize {
		old := s.read - tailSize
		copy(s.out[:], s.out[old:s.write])
		s.read, s.write = tailSize, s.write-old
	}
	s.write += n
	s.made += int64(n)
	return s.out[s.write-n : s.write]
}

// tail is the output's last 25 ms, silence before the first.
func (s *Stretch) tail() []float32 {
	s.grow(0)
	return s.out[s.write-tailSize : s.write]
}
