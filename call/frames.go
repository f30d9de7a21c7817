package call

import "github.com/sottovoce/sotto/call/record"

// kept is how many frames are held for the records to come: the most that any
// profile puts into one.
const kept = 12

// frames are the newest packets of this side's voice, by number.
type frames struct {
	packets [kept][record.FramesSize / 6]byte
	count   uint32 // frames so far: the newest is number count − 1
}

// add numbers a packet and keeps it.
func (f *frames) add(packet []byte) uint32 {
	copy(f.packets[f.count%kept][:], packet)
	f.count++
	return f.count - 1
}

// fill puts the newest frames into a record.
func (f *frames) fill(c *record.Contents, profile record.Profile) {
	c.Count = uint8(min(f.count, uint32(profile.Frames)))
	c.Newest = 0
	if f.count > 0 {
		c.Newest = f.count - 1
	}
	for i := range uint32(c.Count) {
		copy(c.Frame(profile, int(i)), f.packets[(c.Newest-i)%kept][:])
	}
}
