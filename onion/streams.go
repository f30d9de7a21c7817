package onion

import "net"

// stream is an open stream to or from another party. A Node knows its own, as
// tor leaves them open when a service is taken down or the control connection
// ends, and a tor that is not ours goes on running.
type stream struct {
	net.Conn
	node *Node
}

// keep takes conn into the Node's care until it is closed.
func (n *Node) keep(conn net.Conn) (net.Conn, error) {
	s := &stream{conn, n}
	n.mu.Lock()
	stopped := n.stopped
	if stopped == nil {
		n.streams[s] = struct{}{}
	}
	n.mu.Unlock()
	if stopped != nil {
		conn.Close()
		return nil, stopped
	}
	return s, nil
}

// Close ends the stream.
func (s *stream) Close() error {
	s.node.mu.Lock()
	delete(s.node.streams, s)
	s.node.mu.Unlock()
	return s.Conn.Close()
}

// closeStreams ends all streams that are open. No new ones come: stopped is set.
func (n *Node) closeStreams() {
	n.mu.Lock()
	open := n.streams
	n.streams = map[*stream]struct{}{}
	n.mu.Unlock()
	for s := range open {
		s.Conn.Close()
	}
}
