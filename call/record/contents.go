package record

import (
	"encoding/binary"
	"errors"
)

// The inside of a record, in bytes.
const (
	FramesSize   = 360 // room for frames
	ControlSize  = 48  // room for a piece of the control stream
	ReportCount  = 4   // reports on paths in one record
	tickAt       = 0
	newestAt     = 4
	countAt      = 8
	reportsAt    = 12
	reportSize   = 8
	controlAt    = reportsAt + ReportCount*reportSize
	framesAt     = controlAt + ControlSize
	noPath       = 255
	LatenessUnit = 5 // ms; coarse on purpose: exact times are a clock's fingerprint
)

// Report is what a receiver says of one path.
type Report struct {
	Path     uint8  // its number, as in the key schedule
	Lateness uint16 // of the last record, in LatenessUnit, against the best path
	Number   uint32 // of the last record got on it, from 0, never restarted
}

// Contents is what a record says.
type Contents struct {
	Tick    uint32 // sender's 20 ms ticks since its call began
	Newest  uint32 // number of the first frame in Frames
	Count   uint8  // frames in Frames
	Reports [ReportCount]Report
	Heard   int // how many of Reports are filled
	Control [ControlSize]byte
	Frames  [FramesSize]byte // newest first
}

// ErrContents says that an opened record makes no sense. Its path ends.
var ErrContents = errors.New("a record holds what this version does not allow")

// Put writes the contents into p.
func (c *Contents) Put(p *Plain) {
	clear(p[:reportsAt])
	binary.BigEndian.PutUint32(p[tickAt:], c.Tick)
	binary.BigEndian.PutUint32(p[newestAt:], c.Newest)
	p[countAt] = c.Count
	for i := range c.Reports {
		b := p[reportsAt+i*reportSize:][:reportSize]
		if i >= c.Heard {
			clear(b)
			b[0] = noPath
			continue
		}
		r := &c.Reports[i]
		b[0], b[1] = r.Path, 0
		binary.BigEndian.PutUint16(b[2:], r.Lateness)
		binary.BigEndian.PutUint32(b[4:], r.Number)
	}
	copy(p[controlAt:], c.Control[:])
	copy(p[framesAt:], c.Frames[:])
}

// Get reads the contents of p. profile bounds the number of frames.
func (c *Contents) Get(p *Plain, profile Profile) error {
	c.Tick = binary.BigEndian.Uint32(p[tickAt:])
	c.Newest = binary.BigEndian.Uint32(p[newestAt:])
	c.Count = p[countAt]
	if int(c.Count) > profile.Frames || uint64(c.Count) > uint64(c.Newest)+1 {
		return ErrContents
	}
	c.Heard = 0
	for i := range c.Reports {
		b := p[reportsAt+i*reportSize:][:reportSize]
		if b[0] == noPath {
			continue
		}
		c.Reports[c.Heard] = Report{
			Path:     b[0],
			Lateness: binary.BigEndian.Uint16(b[2:]),
			Number:   binary.BigEndian.Uint32(b[4:]),
		}
		c.Heard++
	}
	copy(c.Control[:], p[controlAt:])
	copy(c.Frames[:], p[framesAt:])
	return nil
}

// Frame is the i-th newest frame's packet, numbered Newest − i.
func (c *Contents) Frame(profile Profile, i int) []byte {
	return c.Frames[i*profile.Bytes:][:profile.Bytes]
}

// Profile is how a record's 360 bytes of sound are shared out. It is agreed in
// the handshake and never changed by what is said.
type Profile struct {
	Name   string
	Frames int // frames in a record
	Bytes  int // bytes of one 20 ms frame
}

// Profiles by their number in the handshake.
var Profiles = [...]Profile{
	{Name: "24k", Frames: 6, Bytes: 60},
	{Name: "16k", Frames: 9, Bytes: 40},
	{Name: "12k", Frames: 12, Bytes: 30},
}
