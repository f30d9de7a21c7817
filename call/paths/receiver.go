package paths

import "time"

// Heard is what the receiver has to say of one path.
type Heard struct {
	Path     ID
	Number   uint32        // the last record got on it, from 0
	Lateness time.Duration // that record's, against the best path just then
}

type inbound struct {
	open   bool
	news   bool // something came since it was last reported
	got    uint32
	offset time.Duration // arrival less the sender's tick, of the last record
	mean   mean
}

// Receiver watches the records that come, path by path. Its zero value has
// heard nothing.
type Receiver struct {
	paths [Most]inbound
	next  ID
}

// Open says that records may come on path p.
func (r *Receiver) Open(p ID) {
	if p < Most {
		r.paths[p] = inbound{open: true}
	}
}

// Close says that path p is gone.
func (r *Receiver) Close(p ID) {
	if p < Most {
		r.paths[p].open = false
	}
}

// Got takes the next record of path p: when it came, and the tick at which it
// says it was sent.
func (r *Receiver) Got(now time.Duration, p ID, tick uint32) {
	if p >= Most || !r.paths[p].open {
		return
	}
	in := &r.paths[p]
	in.got++
	in.news = true
	sent := time.Duration(tick) * Tick
	in.offset = now - sent
	in.mean.add(sent, in.offset-r.best())
}

// Mean is how late the records of path p came of late; 0 if none did.
func (r *Receiver) Mean(p ID) time.Duration {
	if p >= Most {
		return 0
	}
	return r.paths[p].mean.late
}

// Reports fills out and gives how many it put there: first the paths where
// something came since they were last reported, then the others, that nothing
// came there being news too. Each kind takes turns. A path of which nothing
// ever came has no report.
func (r *Receiver) Reports(out []Heard) int {
	best := r.best()
	first := r.next
	n := 0
	for _, news := range [...]bool{true, false} {
		told := n
		for i := range ID(Most) {
			if n == len(out) {
				return n
			}
			p := (first + i) % Most
			in := &r.paths[p]
			if !in.open || in.got == 0 || in.news != news || heard(out[:told], p) {
				continue
			}
			in.news = false
			out[n] = Heard{Path: p, Number: in.got - 1, Lateness: in.offset - best}
			n++
			r.next = (p + 1) % Most
		}
	}
	return n
}

func heard(out []Heard, p ID) bool {
	for i := range out {
		if out[i].Path == p {
			return true
		}
	}
	return false
}

// best is the least offset of an open path's last record.
func (r *Receiver) best() time.Duration {
	best, any := time.Duration(0), false
	for i := range r.paths {
		if in := &r.paths[i]; in.open && in.got > 0 && (!any || in.offset < best) {
			best, any = in.offset, true
		}
	}
	return best
}
