//go:build !linux

package tornet

import "context"

// hurry would keep Nagle's algorithm off the network's connections.
func hurry(context.Context, map[int]bool) {}
