package onion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sottovoce/sotto/identity"
)

// Port is the virtual port of a sotto onion service.
const Port = 1876

// Why tor cannot be used now.
var (
	// ErrNotReady says that tor has not reached the network in time.
	ErrNotReady = errors.New("tor is not connected to its network yet")
	// ErrTorStopped says that tor does not run: it could not be started or
	// kept, or [Node.Run] has ended.
	ErrTorStopped = errors.New("tor is not running")
)

// Config says which tor to use and where. Dir must be set, all else may be zero:
// then tor is one of our own.
type Config struct {
	Tor      string          // path of the tor program; "" looks in PATH, /usr/sbin, /usr/bin
	Dir      string          // a folder for tor's data and sockets alone, created 0700
	Torrc    []string        // more torrc lines, for a private network; none for the live one
	Bridges  []Bridge        // by which a tor of our own enters the network; none: by public relays
	Running  Running         // a tor that runs already, in place of one of our own
	Progress func(Bootstrap) // called in order while Run runs, one at a time; may be nil; must not block
	Log      *slog.Logger    // nil: none
	Wire     Wire            // nil: sockets of the operating system
}

// Node is a tor of our own, or a running one that is used. [New] makes one, [Node.Run] runs it once; every
// other method may be called from any goroutine while it runs.
type Node struct {
	cfg     Config
	managed bool // tor starts programs for its bridges
	log     *slog.Logger

	showing sync.Mutex // held while Progress is called
	shown   Bootstrap

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced when something below changed
	program  Program       // of a running tor known once it is attached to
	started  bool
	stopped  error // why Run has returned
	layout   layout
	link     *link // nil while tor is down
	last     Bootstrap
	moved    time.Time // when last got further
	advised  bool      // since then
	skew     string    // a warning about the clock
	bare     bool      // without the sandbox that was asked for
	ready    bool
	been     bool // ready, at some time
	entrance entrance
	forgot   time.Time // when tor was last made to forget
	uploads  transfers
	services map[identity.Address]*service
	keys     map[identity.Address]*credential
	streams  map[*stream]struct{}
}

// New finds tor and checks its version; nothing runs yet, and a running tor is
// not looked for yet. Errors wrap [ErrNoTor], [ErrTorTooOld], [ErrNoRunning] or
// [ErrTransport].
func New(cfg Config) (*Node, error) {
	if cfg.Dir == "" {
		return nil, errors.New("onion: Config.Dir is empty: tor needs a folder of its own")
	}
	if strings.ContainsAny(cfg.Dir, "\r\n\x00") {
		return nil, fmt.Errorf("onion: a folder with a line break in its name: %q", cfg.Dir)
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("onion: %w", err)
	}
	cfg.Dir = dir
	var program Program
	if cfg.Running != (Running{}) {
		err = cfg.Running.check()
	} else {
		program, err = FindTor(cfg.Tor)
	}
	if err != nil {
		return nil, err
	}
	if cfg.Running != (Running{}) && len(cfg.Bridges) > 0 {
		return nil, fmt.Errorf("%w: a running tor has bridges, or none, by its own configuration", ErrBridge)
	}
	bridges, managed, err := bridgeOptions(cfg.Bridges, findTransport)
	if err != nil {
		return nil, err
	}
	cfg.Torrc = append(slices.Clip(cfg.Torrc), bridges...)
	if cfg.Wire == nil {
		cfg.Wire = sockets{}
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Node{
		cfg: cfg, managed: managed, program: program, log: log,
		changed:  make(chan struct{}),
		uploads:  transfers{},
		services: map[identity.Address]*service{},
		keys:     map[identity.Address]*credential{},
		streams:  map[*stream]struct{}{},
	}, nil
}

// Version is tor's, such as "0.4.9.11". A running one's is known once it is
// ready, "unknown" before, or if it does not tell.
func (n *Node) Version() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.program.Version.zero() {
		return "unknown"
	}
	return n.program.Version.String()
}

// Warning is "", or why this tor should be replaced by a newer one.
func (n *Node) Warning() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.program.Version.zero() && n.program.Version.Before(fixed) {
		return fmt.Sprintf("tor %v lets a relay pose as the onion service that is called (tor bug 41297); sotto's handshake still proves who answers, but get tor %v or newer",
			n.program.Version, fixed)
	}
	return ""
}

// Ready waits until tor is fully connected to its network. It returns Run's
// failure if Run has failed, and an error that wraps [ErrNotReady] and says
// where tor stands when ctx ends first.
func (n *Node) Ready(ctx context.Context) error {
	return n.await(ctx, func() (bool, error) { return n.ready, nil })
}

// RendezvousCircuits asks tor for its open circuits that are joined with
// another party's at a rendezvous point.
func (n *Node) RendezvousCircuits(ctx context.Context) ([]Circuit, error) {
	_, circuits, err := n.circuits(ctx)
	return circuits, err
}

// CloseCircuits closes every circuit that [Node.RendezvousCircuits] names,
// and with them all streams to and from others: a fault for tests and demos.
func (n *Node) CloseCircuits(ctx context.Context) error {
	link, circuits, err := n.circuits(ctx)
	if err != nil {
		return err
	}
	for _, c := range circuits {
		_, err := link.command(ctx, "CLOSECIRCUIT "+c.id)
		if refusal := refusalOf(err); refusal != nil && refusal.Code == 552 {
			continue // it has closed by itself meanwhile
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// circuits asks tor for its joined rendezvous circuits.
func (n *Node) circuits(ctx context.Context) (*link, []Circuit, error) {
	n.mu.Lock()
	link := n.link
	n.mu.Unlock()
	if link == nil {
		return nil, nil, ErrTorStopped
	}
	r, err := link.command(ctx, "GETINFO circuit-status")
	if err != nil {
		return nil, nil, err
	}
	return link, rendezvousCircuits(strings.Join(r.Data, "\n")), nil
}

// update changes the node's state and wakes all who await a change.
func (n *Node) update(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
	close(n.changed)
	n.changed = make(chan struct{})
}

// await waits until done says so; done is called with mu held.
func (n *Node) await(ctx context.Context, done func() (bool, error)) error {
	for {
		n.mu.Lock()
		ok, err := done()
		if err == nil && !ok {
			err = n.stopped
		}
		changed, standing := n.changed, n.standing()
		n.mu.Unlock()
		if ok || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if standing == nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("%w: %w", standing, context.Cause(ctx))
		}
	}
}

// standing is nil when tor is ready, otherwise how far it is. mu is held.
func (n *Node) standing() error {
	if n.ready {
		return nil
	}
	return fmt.Errorf("%w; it stands at %v", ErrNotReady, n.stageLocked())
}

// event takes in one control event. It runs in Run's goroutine.
func (n *Node) event(text string) {
	kind, rest, _ := strings.Cut(text, " ")
	switch kind {
	case "STATUS_CLIENT":
		n.bootstrap(rest)
	case "STATUS_GENERAL":
		if strings.Contains(rest, "CLOCK_JUMPED") { // it was set, or the machine slept
			n.update(func() { n.skew = "" })
		}
		if warning, ok := parseClockSkew(rest); ok {
			n.update(func() { n.skew = warning })
			n.log.Warn("tor", "warning", warning)
			n.show(n.stage())
		}
	case "HS_DESC":
		if e, ok := parseDescriptor(rest); ok {
			n.descriptor(e)
		}
	}
}

func (n *Node) bootstrap(text string) {
	b, ok := parseBootstrap(text)
	if !ok {
		return
	}
	n.update(func() {
		if b.Percent != n.last.Percent {
			n.moved, n.advised = time.Now(), false
		}
		n.last = b
		// 100 % once is enough: what tor warns of later, it mends itself.
		n.ready = n.ready || b.Percent == 100
		n.been = n.been || n.ready
	})
	n.log.Debug("bootstrap", "percent", b.Percent, "tag", b.Tag, "warning", b.Warning)
	n.show(n.stage())
}

// stage is how far tor is, with what stands in its way.
func (n *Node) stage() Bootstrap {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stageLocked()
}

func (n *Node) stageLocked() Bootstrap {
	b := n.last
	if n.skew != "" {
		b.Warning = n.skew // tor meets many troubles with a wrong clock
	}
	b.Offline = n.been && !n.ready
	if n.entrance.offline() {
		b = n.entrance.words(b)
	}
	if n.advised {
		b.Advice = advice(b)
	}
	return b
}

// show tells Progress what is new.
func (n *Node) show(b Bootstrap) {
	n.showing.Lock()
	defer n.showing.Unlock()
	if b == n.shown {
		return
	}
	n.shown = b
	if n.cfg.Progress != nil {
		n.cfg.Progress(b)
	}
}

// adviseIfStuck says what to try when tor has been at one stage for long.
func (n *Node) adviseIfStuck() {
	stuck := false
	n.update(func() {
		stuck = !n.ready && !n.advised && time.Since(n.moved) >= stuckAfter
		n.advised = n.advised || stuck
	})
	if stuck {
		n.show(n.stage())
	}
}

func (n *Node) isReady() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ready
}

// transfers counts uploads of descriptors that tor has begun and not ended, by
// address and directory.
type transfers map[string]map[string]int

// under copies the counts of one address.
func (t transfers) under(onion string) map[string]int { return maps.Clone(t[onion]) }

// descriptor follows the uploads of our services. An upload that was under way
// before a publication began is not a sign of that publication.
func (n *Node) descriptor(e descriptorEvent) {
	var published func()
	n.update(func() {
		counts := n.uploads[e.onion]
		switch e.action {
		case "UPLOAD":
			if counts == nil { // only here: addresses that are dialled leave no trace
				counts = map[string]int{}
				n.uploads[e.onion] = counts
			}
			counts[e.directory]++
			return
		case "UPLOADED", "FAILED":
			if counts[e.directory] > 0 {
				counts[e.directory]--
			}
		default:
			return
		}
		for address, s := range n.services {
			if !s.asked || s.link != n.link || serviceID(address) != e.onion {
				continue
			}
			switch {
			case s.stale[e.directory] > 0:
				s.stale[e.directory]--
			case e.action == "FAILED":
				s.trouble = e.reason
			case !s.uploaded:
				s.uploaded = true
				published = s.published
			}
		}
	})
	if published != nil {
		published()
	}
}
