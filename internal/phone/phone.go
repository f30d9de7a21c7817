// Package phone puts the rooms together: a tor of its own, an identity, the
// codec and sound, so that the command line, the demo and later programs need
// only say who calls whom.
//
//	HOME/              a profile
//	HOME/identity      the key (identity/vault), HOME/lock its one process
//	HOME/bridges       by which tor enters the network, if any are kept
//	HOME/tor/          tor's data for the live network
//	HOME/tor-XXXXXXXX/ the same for a private network, by what it is
//	HOME/once/         one-time callers: a tor and a lock apart from the
//	                   profile's, so that uptime and load do not tie a
//	                   one-time call to a published address
//
// The guard that tor keeps in its data stays the same from call to call: a new
// one each time would cost anonymity.
package phone

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/call/playout"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/tornet"
	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/opus"
)

// Config says where a phone lives.
type Config struct {
	Home     string        // the profile's folder
	Network  string        // folder of a private network; "": the live Tor network
	Tor      string        // path of the tor program; "": looked for
	Running  onion.Running // a tor that runs already, in place of one of our own
	Bridges  string        // file of bridges for a tor of our own; "", or none of this name: no bridges
	Progress func(onion.Bootstrap)
	Log      *slog.Logger
}

// Phone is a tor of our own, and what calls over it need.
type Phone struct {
	Node *onion.Node
}

// New finds tor and the network; nothing runs yet.
func New(c Config) (*Phone, error) {
	dir := filepath.Join(c.Home, "tor")
	var torrc []string
	if c.Network != "" && c.Running.Control != "" {
		return nil, fmt.Errorf("%w on a private network: leave out --network or --tor-control", onion.ErrNoRunning)
	}
	if c.Network != "" {
		lines, err := tornet.Client(c.Network)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", onion.ErrNotReady, err)
		}
		torrc = lines
		sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
		dir = fmt.Sprintf("%s-%x", dir, sum[:4])
	}
	var bridges []onion.Bridge
	if c.Bridges != "" && c.Running.Control == "" {
		var err error
		if bridges, err = LoadBridges(c.Bridges); err != nil {
			return nil, err
		}
	}
	node, err := onion.New(onion.Config{Tor: c.Tor, Running: c.Running, Bridges: bridges, Dir: dir, Torrc: torrc, Progress: c.Progress, Log: c.Log})
	if err != nil {
		return nil, err
	}
	return &Phone{Node: node}, nil
}

// Run runs tor for as long as work does. When ctx ends work is told, and tor
// goes on until work has returned, so that a call can be hung up over it.
func (p *Phone) Run(ctx context.Context, work func(context.Context) error) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	inner, cancel := context.WithCancelCause(ctx)
	go func() {
		err := p.Node.Run(background)
		if err != nil {
			cancel(err)
		}
		ended <- err
	}()
	err := work(inner)
	stop()
	cancel(nil)
	if torErr := <-ended; torErr != nil && err != nil && ctx.Err() == nil {
		return torErr // the reason behind what work met
	}
	return err
}

// Calls is the part of a call's configuration that does not depend on sound.
func (p *Phone) Calls(key *identity.Key) call.Config {
	join := func(ctx context.Context, a identity.Address) (net.Conn, error) {
		return p.Node.Dial(ctx, a, onion.NewIsolation())
	}
	return call.Config{
		Key:   key,
		Codec: Codec{},
		Dial:  p.Node.Reach,
		Join:  join,
		Redial: func(ctx context.Context, a identity.Address) (net.Conn, error) {
			p.Node.Forget(ctx)
			return join(ctx, a)
		},
		Alarm: voice.NewAlarm,
	}
}

// Codec is Opus, by the profile that the two sides agreed on.
type Codec struct{}

// NewEncoder makes an encoder for a profile of the protocol.
func (Codec) NewEncoder(p record.Profile) (call.Encoder, error) {
	profile, err := opus.ParseProfile(p.Name)
	if err != nil {
		return nil, err
	}
	return opus.NewEncoder(profile)
}

// NewDecoder makes a decoder for a profile of the protocol.
func (Codec) NewDecoder(p record.Profile) (playout.Decoder, error) {
	profile, err := opus.ParseProfile(p.Name)
	if err != nil {
		return nil, err
	}
	return opus.NewDecoder(profile)
}
