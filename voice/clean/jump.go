package clean

import "math"

// jump finds out when all of the echo comes earlier or later than before: a sound
// server has changed its own delay, which no callback tells. To learn the way anew
// takes seconds, in which the far side hears itself, but only the delay is another.
// So what the microphone hears is looked for in the echo that was believed, at every
// delay within reach, by correlation: at 8 kHz first, then to the sample.
//
//	believed  ├── reach ──┼─── window ───┼── reach ──┤  newest
//	heard                 ├──────────────┤              looked for in all of it
type jump struct {
	heard, believed trail
	mic, y, e       float64 // mean squares of what is heard, believed and left, lately
	wait            int     // hops before it is looked for again
	a, b            [held + 1]float32
	like            [2*reach/coarse + 1]float32
}

const (
	lastThird = window * 2 / 3   // where the last third of window begins
	window    = 14400            // samples that are looked for: 0.3 s
	reach     = 7200             // by which they may have moved, either way: 150 ms
	held      = window + 2*reach // samples
	coarse    = 6                // samples in one of the first search

	lately    = 0.95 // of a mean square, from one hop to the next
	search    = 20   // hops between searches
	audible   = 1e-6 // mean square of an echo that is looked for: −60 dBFS
	missed    = 0.05 // of what is heard is left where the echo is not where it was
	there     = 0.6  // correlation of an echo that is where it was, whatever else is heard
	found     = 0.3  // and of one that is elsewhere,
	apart     = 0.2  // which is so much more than where it was
	helps     = 0.2  // of its power must be gone by a move,
	helpsMuch = 0.5  // or so much of the last third, as what is before may be of before
	mostEcho  = 1.5  // of the power of all that is heard
	unsure    = 0.05 // of the way that is wrong once it has moved, by power
)

// trail is the newest of a sound: held samples, and those before them until there is
// no room for another hop.
type trail struct {
	x [2 * held]float32
	n int
}

func (t *trail) add(sound []float32) {
	if t.n+len(sound) > len(t.x) {
		t.n = copy(t.x[:], t.x[t.n-held:t.n])
	}
	t.n += copy(t.x[t.n:], sound)
}

// last is what was kept of it, once there is so much.
func (t *trail) last() []float32 { return t.x[t.n-held : t.n] }

// follow takes a hop of what is heard and of the echo believed in it, the mean squares
// of the first and of what is left, and returns by how many samples the echo now comes
// later; 0 also where that cannot be told.
func (j *jump) follow(heard, believed []float32, power, left float64) int {
	j.heard.add(heard)
	j.believed.add(believed)
	j.mic += (1 - lately) * (power - j.mic)
	j.y += (1 - lately) * (meanSquare(believed) - j.y)
	j.e += (1 - lately) * (left - j.e)
	if j.wait--; j.wait > 0 || j.y < audible || j.e < missed*j.mic {
		return 0
	}
	j.wait = search
	by := j.find()
	if by != 0 {
		j.wait = held / hop // what was believed before is of no use
	}
	return by
}

// find looks for what was heard in all that was believed: 1 ms of the processor.
func (j *jump) find() int {
	heard, believed := j.heard.last()[reach:][:window], j.believed.last()
	a, b := j.a[:window/coarse], j.b[:held/coarse]
	thin(a, heard, coarse)
	thin(b, believed, coarse)
	w := whiten(a)
	w.run(a)
	w.run(b)
	const still = reach / coarse
	if match(j.like[:1], a, b[still:]); j.like[0] > there {
		return 0
	}
	match(j.like[:], a, b)
	at := loudest(j.like[:])
	if j.like[at] < max(found, j.like[still]+apart) {
		return 0
	}
	// Two of the first search's to either side.
	if at < 2 || at+2 >= len(j.like) {
		return 0 // louder beyond, as likely as not
	}
	first, last := (at-2)*coarse, (at+2)*coarse
	a, b = j.a[:window], j.b[:window+last-first]
	thin(a, heard, 1)
	thin(b, believed[first:], 1)
	like := j.like[:last-first+1]
	match(like, a, b)
	by := reach - first - loudest(like)
	was, now := believed[reach:][:window], believed[reach-by:][:window]
	if !better(heard, was, now, helps) && !better(heard[lastThird:], was[lastThird:], now[lastThird:], helpsMuch) {
		return 0
	}
	return by
}

// better reports whether the echo in heard is clearly what is now believed to be it, and
// not what was: sounds that come again and again, as a busy tone's, are alike at many
// delays.
func better(heard, was, now []float32, helps float64) bool {
	var all, left, leaves, echo float64
	for i, h := range heard {
		all += float64(h) * float64(h)
		left += float64(h-was[i]) * float64(h-was[i])
		leaves += float64(h-now[i]) * float64(h-now[i])
		echo += float64(now[i]) * float64(now[i])
	}
	return echo < mostEcho*all && left > missed*all && left-leaves > helps*echo
}

// thin makes to of the means of n samples of from each, less the mean before: what is
// low is louder in speech, and tells less about when it came.
func thin(to, from []float32, n int) {
	before := float32(0)
	for i := range to {
		var mean float32
		for _, v := range from[i*n:][:n] {
			mean += v
		}
		to[i], before = mean-before, mean
	}
}

type whitener [16]float32

// whiten finds the linear prediction of x, by Levinson and Durbin's recursion.
func whiten(x []float32) (w whitener) {
	var r [len(w) + 1]float64
	for i := range r {
		for n := i; n < len(x); n++ {
			r[i] += float64(x[n]) * float64(x[n-i])
		}
	}
	var a, b [len(w)]float64
	left := r[0]*1.0001 + 1e-12
	for i := range a {
		sum := r[i+1]
		for k := range i {
			sum -= a[k] * r[i-k]
		}
		k := sum / left
		b = a
		a[i] = k
		for n := range i {
			a[n] = b[n] - k*b[i-1-n]
		}
		left *= 1 - k*k
	}
	for i := range w {
		w[i] = float32(a[i])
	}
	return w
}

// run takes away from x what is foretold of it.
func (w *whitener) run(x []float32) {
	for n := len(x) - 1; n >= 0; n-- {
		for i, a := range w[:min(n, len(w))] {
			x[n] -= a * x[n-1-i]
		}
	}
}

func loudest(x []float32) (at int) {
	for i, v := range x {
		if v > x[at] {
			at = i
		}
	}
	return at
}

// move moves the way by so many samples later.
func (e *echo) move(by int) {
	way, wrong := e.jump.b[:parts*hop], e.wrong
	var s spectrum
	for p := range e.w {
		copy(s[:], e.w[p][:])
		e.t.backward(&e.work, &s)
		copy(way[p*hop:], e.work[:hop])
	}
	whole := int(math.Floor(float64(by) / hop))
	part := float32(by-whole*hop) / hop
	for p := range e.w {
		clear(e.work[:])
		for i := range hop {
			if from := p*hop + i - by; from >= 0 && from < len(way) {
				e.work[i] = way[from]
			}
		}
		e.t.forward(&s, &e.work)
		copy(e.w[p][:], s[:])
		a, b := min(max(p-whole, 0), parts-1), min(max(p-whole-1, 0), parts-1)
		for k := range e.wrong[p] {
			e.wrong[p][k] = (1-part)*wrong[a][k] + part*wrong[b][k] + unsure*power(s[k])
		}
	}
}
