package onion

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// ErrNoRunning says that there is no running tor, or none that can be used.
var ErrNoRunning = errors.New("no running tor can be used")

// Running names a tor that runs already and is used in place of one of our own:
// the system's, Tor Browser's, that of Tails or Whonix. It is not ours: nothing
// of its settings is changed, it is not stopped, and it stays when we go.
//
// What is lost by it: its owner sees whom we call and when, local users can
// connect to the port where it brings callers, and where it runs without
// ExtendedErrors a failed call says less about why.
type Running struct {
	// Control is its control socket: a path, an IP address with a port, or a
	// port of this machine. "auto" looks in the usual places, in order: what
	// TOR_CONTROL_IPC_PATH, or TOR_CONTROL_HOST and TOR_CONTROL_PORT say,
	// /run/tor/control, ports 9051 (system), 9151 (Tor Browser) and 951 (Tails),
	// and Whonix's gateway. "": none, a tor of our own.
	//
	// A password is taken from TOR_CONTROL_PASSWD, a cookie from where
	// TOR_CONTROL_COOKIE_AUTH_FILE or tor itself says.
	Control string
	// Listen is the IP address at which tor brings callers, on the first free
	// one of ports 18760 to 18769. "": the one from which tor is spoken to.
	Listen string
	// Target is Listen as tor has to name it, if that differs. "": the same.
	Target string
}

// Auto looks for a running tor in the usual places.
const Auto = "auto"

// The local ports for callers: few, so that a filter before the control port
// can name them.
const firstPort, lastPort = 18760, 18769

// attach finds the running tor and uses it until the connection to it ends.
func (n *Node) attach(ctx context.Context) (up, ready bool, err error) {
	places, err := n.cfg.Running.places()
	if err != nil {
		return false, false, fmt.Errorf("%w: %w", ErrNoRunning, err)
	}
	var failed []error
	for _, p := range places {
		link, err := n.connect(ctx, p)
		if err == nil {
			n.log.Info("attached to a running tor", "control", p.String(), "by", link.running.security, "events", link.running.tellsOf)
			return n.serve(ctx, link, link.running.phase)
		}
		failed = append(failed, fmt.Errorf("%v: %w", p, err))
	}
	return false, false, fmt.Errorf("%w: %w", ErrNoRunning, errors.Join(failed...))
}

// connect opens the control connection at p and makes itself known there.
func (n *Node) connect(ctx context.Context, p place) (*link, error) {
	dialing, cancel := context.WithTimeout(ctx, commandTimeout)
	conn, err := n.cfg.Wire.Dial(dialing, p.network, p.address)
	cancel()
	if err != nil {
		return nil, err
	}
	l := newLink(conn)
	defer context.AfterFunc(ctx, l.close)()
	if err = checkPeer(conn); err == nil {
		l.running, err = l.attach(p)
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, conn.SetDeadline(time.Time{})
}

// attachment is what is known of a running tor.
type attachment struct {
	version  Version // zero: it did not tell
	phase    string  // STATUS_CLIENT's text of how far it was
	socks    place
	local    netip.Addr // from where it is spoken to; not valid over a unix socket
	tellsOf  string     // the events that it lets us have
	security string     // how it was authenticated to
}

// attach authenticates and asks what has to be known. Only authentication must
// succeed: filters refuse the rest as they like.
func (l *link) attach(p place) (*attachment, error) {
	a := &attachment{}
	if err := l.introduce(a, p); err != nil {
		return nil, err
	}
	if !a.version.zero() && a.version.Before(oldest) {
		return nil, fmt.Errorf("%w (it is %v)", ErrTorTooOld, a.version)
	}
	if local, err := netip.ParseAddrPort(l.conn.LocalAddr().String()); err == nil {
		a.local = local.Addr().Unmap()
	}
	var err error
	if a.socks, err = l.findSocks(p); err != nil {
		return nil, err
	}
	for _, events := range []string{statusEvents + " HS_DESC", "STATUS_CLIENT HS_DESC", "HS_DESC", "STATUS_CLIENT"} {
		if _, err := l.ask("SETEVENTS " + events); err == nil {
			a.tellsOf = events
			break
		} else if refusalOf(err) == nil {
			return nil, err
		}
	}
	a.phase = `NOTICE BOOTSTRAP PROGRESS=100 TAG=unknown SUMMARY="The running tor does not tell how far it is"`
	r, err := l.ask("GETINFO status/bootstrap-phase")
	switch {
	case err == nil && len(r.Data) > 0:
		_, a.phase, _ = strings.Cut(r.Data[0], "=")
	case err != nil && refusalOf(err) == nil:
		return nil, err
	}
	return a, nil
}
