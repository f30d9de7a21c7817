// Package tornet runs a private Tor network on loopback: real tors that know
// only each other. The demo makes its call on it, and tests run on it.
//
//	authority ×3   votes on a consensus every 10 s, and relays
//	relay ×3       carries circuits, keeps onion services' descriptors
//
// Six relays are the least that works well: an onion circuit has up to four on
// each side, and none twice. A client is not part of it: it is an
// [onion.Node] that is given [Network.ClientTorrc]. [Network.StartBridge] adds a
// bridge behind obfs4.
//
// [Start] makes keys, starts all tors at once and waits until each of them
// holds a consensus that lists all of them with the flags that clients need:
//
//	keys ─ ports ─ wait for the beat ─ tors run ─ first vote ─ consensus ─ every tor has it
//
// Authorities vote at multiples of their interval since midnight; starting just
// after one leaves relays the most time to announce themselves before the next
// vote. A tor that dies ends the network, unless [Network.KillRelay] killed it.
// Nothing survives this program, nor its SIGKILL (see [onion.Process]).
//
// What it is not: anonymous, or slow. Its tors may be debugged, wait for nothing
// (tor's scheduler would every 10 ms, TCP for acknowledgements), and so streams take
// some 3 ms round trip where Tor's take hundreds and stall; [Delays] makes them so.
//
// Sources: tor's manual (Testing network options), dir-spec, and chutney's
// idea of what a network needs.
package tornet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sottovoce/sotto/onion"
)

// Config says what network to start; its zero value works.
type Config struct {
	Tor         string         // path of the tor program; "" looks for one
	Dir         string         // where it lives; "": a temporary folder, removed at the end
	Authorities int            // 0: 3
	Relays      int            // besides the authorities, which relay too; 0: 3
	Progress    func(Progress) // called in order from Start's goroutine; may be nil; must not block
	Log         *slog.Logger   // nil: none
}

// Progress is how far a network's start is.
type Progress struct {
	Percent int // 0–100
	Summary string
}

// Network is a running private network.
type Network struct {
	dir   string
	own   bool // dir is temporary
	torrc []string
	nodes []*node
	lock  *os.File

	start func(*node) // a tor of the network, until stop
	stop  context.CancelFunc
	tors  sync.WaitGroup
	ended context.Context // with the reason as its cause, when a tor died
	die   context.CancelCauseFunc
}

// attempts is how often Start picks other ports when one was taken meanwhile.
const attempts = 5

// Start starts a network and returns when it can carry onion services. ctx
// bounds the start alone; the network runs until [Network.Close]. Errors wrap
// [onion.ErrNoTor] or [onion.ErrTorTooOld] where that is the matter.
func Start(ctx context.Context, cfg Config) (_ *Network, err error) {
	if cfg.Authorities == 0 {
		cfg.Authorities = 3
	}
	if cfg.Relays == 0 {
		cfg.Relays = 3
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Progress == nil {
		cfg.Progress = func(Progress) {}
	}
	tor, err := onion.FindTor(cfg.Tor)
	if err != nil {
		return nil, err
	}
	gencert, err := findGencert(tor.Path)
	if err != nil {
		return nil, err
	}
	n, err := newNetwork(cfg.Dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			n.kill()
			err = errors.Join(err, n.remove())
		}
	}()
	cfg.Progress(Progress{0, "making keys for the network"})
	nodes, err := makeNodes(ctx, n.dir, cfg, tor.Path, gencert)
	if err != nil {
		return nil, fmt.Errorf("making keys for a private network: %w", err)
	}
	for attempt := 1; ; attempt++ {
		err := n.run(ctx, cfg, tor.Path, nodes)
		if err == nil {
			break
		}
		n.kill()
		if attempt == attempts || ctx.Err() != nil || !strings.Contains(err.Error(), "Address already in use") {
			return nil, fmt.Errorf("starting a private network: %w", err)
		}
		cfg.Log.Warn("a port was taken, trying others", "err", err)
	}
	if err := n.publish(); err != nil {
		return nil, err
	}
	cfg.Progress(Progress{100, "the network is up"})
	return n, nil
}

func newNetwork(dir string) (*Network, error) {
	n := &Network{dir: dir}
	n.ended, n.die = context.WithCancelCause(context.Background())
	n.stop = func() {}
	var err error
	if dir == "" {
		n.own = true
		sweep()
		n.dir, err = os.MkdirTemp("", "sotto-net-")
	} else if n.dir, err = filepath.Abs(dir); err == nil {
		err = os.MkdirAll(n.dir, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("a folder for the private network: %w", err)
	}
	if strings.ContainsAny(n.dir, "\"\\\r\n") {
		return nil, fmt.Errorf("a folder for the private network: no quotes, backslashes or line breaks in its name: %q", n.dir)
	}
	if n.lock, err = lock(n.dir, syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("the private network's folder is in use: %w", err)
	}
	return n, nil
}

// run starts all tors on fresh ports and waits until the network is usable.
func (n *Network) run(ctx context.Context, cfg Config, tor string, nodes []*node) error {
	running, stop := context.WithCancel(context.Background())
	n.stop = stop
	n.ended, n.die = context.WithCancelCause(context.Background())
	ports, err := takePorts(nodes)
	if err != nil {
		return err
	}
	n.torrc, n.nodes = clientTorrc(nodes), nodes
	for _, node := range nodes {
		if err := node.configure(nodes); err != nil {
			ports.release()
			return err
		}
	}
	if err := awaitBeat(ctx); err != nil {
		ports.release()
		return fmt.Errorf("before its tors were started: %w", err)
	}
	ports.release()
	n.start = func(node *node) {
		n.tors.Go(func() {
			err := onion.Process{
				Path:    tor,
				Args:    []string{"-f", filepath.Join(node.dir, "torrc"), "--defaults-torrc", os.DevNull},
				Line:    func(line string) { cfg.Log.Debug("tor says", "node", node.nick, "line", line) },
				Started: node.born,
			}.Run(running)
			if killed := node.died(); !killed && running.Err() == nil {
				n.die(fmt.Errorf("%s of the private network: %w", node.nick, err))
			}
		})
	}
	began := time.Now()
	for _, node := range nodes {
		n.start(node)
	}
	listening := map[int]bool{}
	for _, node := range nodes {
		listening[node.orPort] = true
	}
	n.tors.Go(func() { hurry(running, listening) })
	return n.await(ctx, cfg, nodes, began)
}

// kill stops all tors and waits for them.
func (n *Network) kill() {
	n.stop()
	n.tors.Wait()
}

// ClientTorrc is what a client's [onion.Config] needs to be on this network.
func (n *Network) ClientTorrc() []string { return append([]string(nil), n.torrc...) }

// Dir is the network's folder.
func (n *Network) Dir() string { return n.dir }

// Done is closed when a tor of the network died by itself; [Network.Err] says why.
func (n *Network) Done() <-chan struct{} { return n.ended.Done() }

// Err is why the network ended by itself, nil while it runs.
func (n *Network) Err() error { return context.Cause(n.ended) }

// Close stops every tor, waits for it and removes a temporary folder. It
// returns why the network ended before, if it did.
func (n *Network) Close() error {
	n.kill()
	return errors.Join(n.Err(), n.remove())
}

// remove takes away what would make others believe that the network runs.
func (n *Network) remove() error {
	n.lock.Close()
	if n.own {
		return os.RemoveAll(n.dir)
	}
	if err := os.Remove(clientFile(n.dir)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
