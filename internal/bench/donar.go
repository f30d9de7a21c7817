package bench

import (
	"cmp"
	"slices"
	"time"
)

// Donar (Bromberg et al., NSDI '22) as published.
const (
	donarLinks  = 12  // half of them idle; of the active ones half fast, half slow
	donarPacket = 2   // ticks of sound in a packet, and so between two packets
	donarWindow = 100 // ticks, after which links are ranked anew
)

// donar is one end of it.
type donar struct {
	double     bool // every packet on a fast and on a slow link; else on one of them in turn
	fast, slow []int
	idle       []int // longest unused first
	used       []int // [link] when it last sent, in order of sending
	sent       []shipment
	window     int // where in sent the window began
}

func newDonar(links int, double bool) *donar {
	d := &donar{double: double, used: make([]int, links)}
	active := links
	if links >= donarLinks {
		active = links / 2
	}
	for l := range links {
		switch {
		case l < (active+1)/2:
			d.fast = append(d.fast, l)
		case l < active:
			d.slow = append(d.slow, l)
		default:
			d.idle = append(d.idle, l)
		}
	}
	return d
}

// send sends a packet: on the longest unused link of a group.
func (d *donar) send(tick int) {
	groups := [][]int{d.fast, d.slow}
	if !d.double {
		k := tick / donarPacket % 2
		groups = groups[k : k+1]
	}
	for _, group := range groups {
		link := slices.MinFunc(group, func(a, b int) int { return cmp.Compare(d.used[a], d.used[b]) })
		d.sent = append(d.sent, shipment{tick, link})
		d.used[link] = len(d.sent)
	}
}

// rank ends a window. The peer has told of all that came to it until known: it
// is given perfect reports, on the way that packets take.
func (d *donar) rank(w *way, known time.Duration) {
	sum, count := make([]time.Duration, len(d.used)), make([]time.Duration, len(d.used))
	for _, s := range d.sent[d.window:] {
		took := min(w.arrives[s.circuit][s.tick], known) - sentAt(s.tick)
		if took >= w.base { // else it cannot have come by then, nor be late
			sum[s.circuit] += took
			count[s.circuit]++
		}
	}
	d.window = len(d.sent)
	mean := func(link int) time.Duration { return sum[link] / max(1, count[link]) }
	active := slices.Concat(d.fast, d.slow)
	slices.SortStableFunc(active, func(a, b int) int { return cmp.Compare(mean(a), mean(b)) })
	if len(d.idle) > 0 {
		worst := len(active) - 1
		d.idle = append(d.idle, active[worst])
		active[worst], d.idle = d.idle[0], d.idle[1:]
	}
	half := (len(active) + 1) / 2
	d.fast, d.slow = active[:half], active[half:]
}

// runDonar runs both ends, and gives what a sends.
func runDonar(d *draw, links int, double bool) []shipment {
	a, b := newDonar(links, double), newDonar(links, double)
	for tick := donarPacket - 1; tick < len(d.out.common); tick += donarPacket {
		if tick > donarWindow && tick%donarWindow == donarPacket-1 {
			toA, toB := newest(&d.back, b.sent, tick), newest(&d.out, a.sent, tick)
			a.rank(&d.out, toA)
			b.rank(&d.back, toB)
		}
		a.send(tick)
		b.send(tick)
	}
	return a.sent
}

// newest is when the newest packet was sent that has come by a tick.
func newest(w *way, sent []shipment, tick int) time.Duration {
	for _, s := range slices.Backward(sent) {
		if w.arrives[s.circuit][s.tick] <= sentAt(tick) {
			return sentAt(s.tick)
		}
	}
	return 0
}
