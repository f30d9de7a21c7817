package onion_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/onion"
)

func newClientKey(t *testing.T) (*ecdh.PrivateKey, [32]byte) {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key, [32]byte(key.PublicKey().Bytes())
}

// refusedAs dials and wants a reply that says what is wrong with the key.
func refusedAs(t *testing.T, from *onion.Node, to identity.Address, want onion.Reply) {
	t.Helper()
	began := time.Now()
	conn, err := from.Reach(t.Context(), to)
	if err == nil {
		conn.Close()
	}
	if !errors.Is(err, onion.ErrAuthorisation) || !errors.Is(err, want) || !strings.Contains(err.Error(), "card") {
		t.Errorf("want %v; got %v", want, err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("a verdict after %v", took)
	}
	t.Logf("refused after %.2f s: %v", time.Since(began).Seconds(), err)
}

// A closed address lets in who owns one of its clients' keys. Changing them
// neither ends a stream nor needs a new listener; it counts at once.
func TestClosedAddressLetsInItsClientsAlone(t *testing.T) {
	t.Parallel()
	friend, stranger := start(t, onion.Config{}), start(t, onion.Config{})
	friendKey, friendPublic := newClientKey(t)
	strangerKey, strangerPublic := newClientKey(t)
	key := newKey(t)
	to := key.Address()

	l := echoing(t, callee, key, onion.Service{Closed: true}) // to everybody
	forget := friend.UseKey(to, friendKey)
	refusedAs(t, friend, to, onion.WrongAuthorisation)
	refusedAs(t, stranger, to, onion.NeedsAuthorisation)

	change := func(clients ...[32]byte) {
		t.Helper()
		began := time.Now()
		if err := callee.Authorise(t.Context(), to, clients); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d clients: published again after %.2f s", len(clients), time.Since(began).Seconds())
	}
	change(friendPublic)
	first := reach(t, friend, l)
	refusedAs(t, stranger, to, onion.NeedsAuthorisation)
	forgetStranger := stranger.UseKey(to, strangerKey)
	refusedAs(t, stranger, to, onion.WrongAuthorisation)

	change(friendPublic, strangerPublic)
	second := reach(t, stranger, l)
	change(strangerPublic)
	if _, err := friend.Reach(t.Context(), to); !errors.Is(err, onion.ErrAuthorisation) {
		t.Errorf("who has lost authorisation: %v", err)
	}
	reach(t, stranger, l)
	for i, conn := range []net.Conn{first, second} {
		if err := speak(conn, "still there"); err != nil {
			t.Errorf("stream %d, opened before the clients were changed: %v", i, err)
		}
	}
	forget()
	forgetStranger()
	refusedAs(t, friend, to, onion.NeedsAuthorisation)
}

// A key is no hindrance where none is needed: a caller cannot know that.
func TestOpenAddressTakesCallersWithAKey(t *testing.T) {
	t.Parallel()
	from := start(t, onion.Config{})
	l := echoing(t, callee, newKey(t), onion.Service{})
	key, _ := newClientKey(t)
	defer from.UseKey(addressOf(l), key)()
	reach(t, from, l)
}

// As many clients as are allowed do fit into a descriptor.
func TestMostClientsFit(t *testing.T) {
	t.Parallel()
	from := start(t, onion.Config{})
	clients := make([][32]byte, onion.MaxClients)
	var last *ecdh.PrivateKey
	for i := range clients {
		last, clients[i] = newClientKey(t)
	}
	l := echoing(t, callee, newKey(t), onion.Service{Closed: true, Clients: clients})
	defer from.UseKey(addressOf(l), last)()
	reach(t, from, l)
}

// A tor that was made to forget is given the keys again, and its streams stay.
func TestForget(t *testing.T) {
	t.Parallel()
	from := start(t, onion.Config{})
	key, public := newClientKey(t)
	l := echoing(t, callee, newKey(t), onion.Service{Closed: true, Clients: [][32]byte{public}})
	defer from.UseKey(addressOf(l), key)()
	before := reach(t, from, l)
	for range 2 { // the second is too soon, and does nothing
		from.Forget(t.Context())
		reach(t, from, l)
	}
	if err := speak(before, "still there"); err != nil {
		t.Errorf("a stream from before: %v", err)
	}
}
