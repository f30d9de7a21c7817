package oniontest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/oniontest"
)

// An address that tor still has from a lost connection is asked for again; a
// filter's refusal says what helps.
func TestWhatBecomesOfARefusedPublication(t *testing.T) {
	bubble(t, func(t *testing.T, network *oniontest.Network) {
		began := time.Now()
		l := echo(t, attach(t, network.Tor(oniontest.Script{Reply: func(line string) (string, bool) {
			return "550 Onion address collision\r\n", strings.HasPrefix(line, "ADD_ONION") && time.Since(began) < 10*time.Second
		}}), nil), onion.Service{})
		if _, err := speak(dial(t, attach(t, network.Tor(oniontest.Script{}), nil), l), "here"); err != nil {
			t.Error(err)
		}
	})
	for refusal, want := range map[string]string{
		"510 Command filtered":  "docs/onion-grater",
		"512 Bad arguments":     "Bad arguments",
		"550 Address collision": "Address collision",
	} {
		bubble(t, func(t *testing.T, network *oniontest.Network) {
			n := attach(t, network.Tor(oniontest.Script{Reply: refusing(refusal, "ADD_ONION")}), nil)
			if _, err := n.Listen(t.Context(), newKey(t), onion.Service{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", refusal, err)
			}
		})
	}
}

// A connection that is lost, or a tor that hangs, while it is asked to publish
// closes no listener.
func TestLostWhilePublishing(t *testing.T) {
	for name, fault := range map[string]func(*oniontest.Tor){
		"cut":  func(tor *oniontest.Tor) { tor.Cut() },
		"hung": func(tor *oniontest.Tor) { tor.Hang(true); time.AfterFunc(20*time.Second, func() { tor.Hang(false) }) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, network *oniontest.Network) {
				var tor *oniontest.Tor
				first := true
				tor = network.Tor(oniontest.Script{Reply: func(line string) (string, bool) {
					if !first || !strings.HasPrefix(line, "ADD_ONION") {
						return "", false
					}
					first = false
					fault(tor)
					return "", true
				}})
				l := echo(t, attach(t, tor, nil), onion.Service{})
				if _, err := speak(dial(t, attach(t, network.Tor(oniontest.Script{}), nil), l), "here"); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Closed addresses over running tors: with a key, without, and published where
// no tor tells of it.
func TestClosedAddresses(t *testing.T) {
	for name, script := range map[string]oniontest.Script{
		"told":               {},
		"not told":           {NoDescriptorEvents: true},
		"not told, extended": {NoDescriptorEvents: true, Extended: true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, network *oniontest.Network) {
				callee := attach(t, network.Tor(script), nil)
				caller := attach(t, network.Tor(oniontest.Script{Extended: true}), nil)
				key := newKey(t).ECDH()
				l := echo(t, callee, onion.Service{Closed: true, Clients: [][32]byte{[32]byte(key.PublicKey().Bytes())}})
				for _, known := range []bool{false, true} {
					if known {
						defer caller.UseKey(addressOf(l), key)()
					}
					conn, err := caller.Dial(t.Context(), addressOf(l), onion.NewIsolation())
					if known && err != nil || !known && !errors.Is(err, onion.ErrAuthorisation) {
						t.Errorf("key known %v: %v", known, err)
					}
					if conn != nil {
						conn.Close()
					}
				}
			})
		})
	}
}

// The later of two tors with one key gets the callers, as on the real network;
// an address that nobody has published is no one's.
func TestTheLastToPublishWins(t *testing.T) {
	bubble(t, func(t *testing.T, network *oniontest.Network) {
		key := newKey(t)
		first, second := network.Tor(oniontest.Script{}), network.Tor(oniontest.Script{})
		for _, tor := range []*oniontest.Tor{first, second} {
			l, err := attach(t, tor, nil).Listen(t.Context(), key, onion.Service{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
		}
		if len(first.Published()) != 0 || len(second.Published()) != 1 {
			t.Error("the first one has it still")
		}
		caller := attach(t, network.Tor(oniontest.Script{Extended: true}), nil)
		if _, err := caller.Dial(t.Context(), newKey(t).Address(), onion.NewIsolation()); !errors.Is(err, onion.NoDescriptor) {
			t.Errorf("never published: %v", err)
		}
		var nobody identity.Address
		if _, err := caller.Dial(t.Context(), nobody, onion.NewIsolation()); !errors.Is(err, onion.ErrBadAddress) {
			t.Errorf("no address: %v", err)
		}
	})
}
