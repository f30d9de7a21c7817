// Package onion is where a call meets Tor: a tor of our own that publishes an
// address and dials others, and that is kept running.
//
//	n, err := onion.New(onion.Config{Dir: dir})       // finds tor, starts nothing
//	go n.Run(ctx)                                     // a tor, until ctx ends
//	l, err := n.Listen(ctx, key, onion.Service{})     // callers come out of l.Accept
//	c, err := n.Reach(ctx, address)                   // and n.Dial for further streams
//
// What Run does:
//
//	       ┌────────────────── pause, doubling ──────────────────┐
//	       ▼                                                     │
//	start tor ─► authenticate ─► bootstrap ─► ready: publish ─► tor dies
//	                │                            every service
//	                └─ SAFECOOKIE, TAKEOWNERSHIP
//
// A first start that fails is final: its error carries tor's own last words.
// Later ones are tried eight times in a row. Listeners stay across restarts. A
// tor that does not answer is replaced, too.
//
// [Config].Running has a tor that runs already used in place of one of our own,
// the system's or that of Tails and Whonix (attach.go). It is told as little as
// publishing takes, in one order, so that a filter can be made for it; it is
// waited for when it goes, and never changed or stopped.
//
// Who talks to whom, all of it in one folder that no other user can enter:
//
//	Dial ───── socket "socks", SOCKS5 ──────► tor ◄── Tor ──► tor ──┐
//	Run  ───── socket "control" ────────────► tor                   │
//	Accept ◄── a socket for each service ◄──────────────────────────┘
//
// Nothing else is connected to, no name is looked up, and tor itself is told to
// take .onion names alone. Secrets and addresses go over these sockets, never
// into arguments, logs or errors; addresses print redacted.
//
// A circuit belongs to one [Isolation], the random SOCKS user name of a stream.
// Fresh ones give a call several circuits to one address. A service takes one
// stream a circuit: a second one on it ends both.
//
// Publishing is not detached from the control connection, so an address goes
// down with us, and Run closes what streams are left. Only an upload that began
// after ADD_ONION counts as published. Where tor can (0.4.9.5), callers' tors are
// asked for proof of work as soon as more of them come than can be served. A
// service may be closed to all but the owners of some keys ([Service].Clients,
// [Node.Authorise]; [Node.UseKey] is the caller's side).
//
// tor is slow to give up: 120 s when a callee is offline and its descriptor is
// cached, 60 s when it was started anew. [Node.Dial] has its own deadlines and
// names what tor last said, and [Node.Reach] asks anew beside what is not answered.
//
// Sources: tor's control-spec (ADD_ONION, HS_DESC, bootstrap phases),
// socks-extensions (extended errors), tor's manual.
package onion
