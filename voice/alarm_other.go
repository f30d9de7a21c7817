//go:build !linux

package voice

// NewAlarm is the best alarm that this system has: [NewTimer]'s.
func NewAlarm() Alarm { return NewTimer() }
