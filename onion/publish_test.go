package onion

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"strings"
	"testing"

	"github.com/sottovoce/sotto/identity"
)

// A tor that knows no proof of work in ADD_ONION is asked again without it.
func TestOlderTorPublishesWithoutProofOfWork(t *testing.T) {
	key := newKey(t)
	_, s, tor := published(t, key)
	with := hear(t, tor)
	say(t, tor, "512 Unrecognized keyword argument \"PoWDefensesEnabled\"\r\n")
	without := hear(t, tor)
	if strings.Replace(with, " PoWDefensesEnabled=1 PoWQueueRate=16 PoWQueueBurst=64", "", 1) != without || with == without {
		t.Error("the second command is not the first without proof of work")
	}
	say(t, tor, "250-ServiceID="+serviceID(key.Address())+"\r\n250 OK\r\n650 HS_DESC UPLOADED "+serviceID(key.Address())+" UNKNOWN $AA~a\r\n")
	if err := s.awaitUpload(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.node.update(func() { delete(s.node.services, key.Address()) })
}

// tor stops at an all-zero key; the others of small order are no better.
func TestUnfitClientKeysDoNotReachTor(t *testing.T) {
	good := newClientKey(t)
	top := [32]byte{31: 0x7f}
	for i := range 31 {
		top[i] = 0xff
	}
	minusOne, p := top, top
	minusOne[0], p[0] = 0xec, 0xed
	for name, bad := range map[string][32]byte{"zero": {}, "one": {1}, "minus one": minusOne, "p": p, "order 8": {
		0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
		0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
	}} {
		n := &Node{changed: make(chan struct{}), services: map[identity.Address]*service{}}
		if _, err := n.Listen(t.Context(), newKey(t), Service{Closed: true, Clients: [][32]byte{good, bad}}); !errors.Is(err, ErrClientKey) {
			t.Errorf("%s: Listen: %v", name, err)
		}
		if err := n.Authorise(t.Context(), newKey(t).Address(), [][32]byte{bad}); !errors.Is(err, ErrClientKey) {
			t.Errorf("%s: Authorise: %v", name, err)
		}
	}
	if err := checkClients(make([][32]byte, MaxClients+1)); err == nil || errors.Is(err, ErrClientKey) {
		t.Errorf("too many: %v", err)
	}
}

// Clients are named in the order of their keys, none twice; for nobody there is
// still a key, a new one each time.
func TestClientArguments(t *testing.T) {
	a, b := newClientKey(t), newClientKey(t)
	once, err := clientArguments([][32]byte{a, b})
	twice, errTwice := clientArguments([][32]byte{b, a, b})
	if err != nil || errTwice != nil || once != twice || strings.Count(once, " ClientAuthV3=") != 2 {
		t.Errorf("%q, %q", once, twice)
	}
	if !strings.Contains(once, " ClientAuthV3="+strings.TrimRight(base32.StdEncoding.EncodeToString(a[:]), "=")) {
		t.Errorf("%q", once)
	}
	nobody, _ := clientArguments(nil)
	again, _ := clientArguments(nil)
	if strings.Count(nobody, " ClientAuthV3=") != 1 || nobody == again {
		t.Errorf("%q, %q", nobody, again)
	}
}

func newClientKey(t *testing.T) [32]byte {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return [32]byte(key.PublicKey().Bytes())
}

// New clients are published by taking the old publication down first, on the
// same socket; what the old one still uploads does not count.
func TestChangedClientsAreANewPublication(t *testing.T) {
	key := newKey(t)
	id := serviceID(key.Address())
	n, s, tor := published(t, key)
	first := hear(t, tor)
	uploaded := "650 HS_DESC UPLOADED " + id + " UNKNOWN $AA~a\r\n"
	say(t, tor, "250-ServiceID="+id+"\r\n250 OK\r\n650 HS_DESC UPLOAD "+id+" UNKNOWN $AA~a\r\n"+uploaded)
	if err := s.awaitUpload(t.Context()); err != nil {
		t.Fatal(err)
	}
	client := newClientKey(t)
	done := make(chan error, 1)
	go func() { done <- n.Authorise(t.Context(), key.Address(), [][32]byte{client}) }()
	if line := hear(t, tor); line != "DEL_ONION "+id {
		t.Fatal("the old publication is not taken down first")
	}
	say(t, tor, "650 HS_DESC UPLOAD "+id+" UNKNOWN $BB~b\r\n"+uploaded+"250 OK\r\n")
	arguments, err := clientArguments([][32]byte{client})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hear(t, tor), strings.Replace(first, "CloseCircuit", "CloseCircuit,V3Auth", 1)+arguments; got != want {
		t.Error("another command than the first with the clients added")
	}
	say(t, tor, "250-ServiceID="+id+"\r\n250 OK\r\n"+strings.ReplaceAll(uploaded, "$AA~a", "$BB~b")) // the old one's
	n.mu.Lock()
	early := s.uploaded
	n.mu.Unlock()
	if early {
		t.Error("an upload of the old publication counts for the new one")
	}
	say(t, tor, "650 HS_DESC UPLOAD "+id+" UNKNOWN $BB~b\r\n"+strings.ReplaceAll(uploaded, "$AA~a", "$BB~b"))
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := n.Authorise(t.Context(), newKey(t).Address(), nil); err == nil || !strings.Contains(err.Error(), "not published") {
		t.Errorf("of an address that is not published: %v", err)
	}
	n.update(func() { delete(n.services, key.Address()) })
}

// A deadline's error says what a directory had against the descriptor.
func TestDeadlineOfAPublicationHasAReason(t *testing.T) {
	key := newKey(t)
	id := serviceID(key.Address())
	n, s, tor := published(t, key)
	hear(t, tor)
	say(t, tor, "250-ServiceID="+id+"\r\n250 OK\r\n650 HS_DESC FAILED "+id+" UNKNOWN $AA~a REASON=UPLOAD_REJECTED\r\n")
	if err := n.await(t.Context(), func() (bool, error) { return s.trouble != "", nil }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := publishing(t.Context())
	cancel()
	if err := s.awaitUpload(ctx); err == nil || !strings.Contains(err.Error(), "UPLOAD_REJECTED") {
		t.Error(err)
	}
	n.update(func() { delete(n.services, key.Address()) })
}

// tor gets a key before the first dial that needs it, once, and is made to
// forget it.
func TestKeysAreGivenOnceAndTakenBack(t *testing.T) {
	key := newKey(t)
	id := serviceID(key.Address())
	n, s, tor := published(t, newKey(t))
	hear(t, tor) // the service is not what this is about
	say(t, tor, "250-ServiceID="+serviceID(s.key.Address())+"\r\n250 OK\r\n")
	n.update(func() { delete(n.services, s.key.Address()) })
	secret, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	forget := n.UseKey(key.Address(), secret)
	given := make(chan error)
	go func() { given <- n.present(t.Context(), key.Address()) }()
	if line := hear(t, tor); !strings.HasPrefix(line, "ONION_CLIENT_AUTH_ADD "+id+" x25519:") || strings.Contains(line, "Flags") {
		t.Error("the key is not given as agreed")
	}
	say(t, tor, "252 Registered client and decrypted descriptor\r\n")
	for range 2 {
		if err := <-given; err != nil {
			t.Error(err)
		}
		go func() { given <- n.present(t.Context(), key.Address()) }() // says nothing more
	}
	<-given
	gone := make(chan struct{})
	go func() { forget(); close(gone) }()
	if line := hear(t, tor); line != "ONION_CLIENT_AUTH_REMOVE "+id {
		t.Error("the key is not taken back")
	}
	say(t, tor, "250 OK\r\n")
	<-gone
	forget() // says nothing more
	if err := n.present(t.Context(), key.Address()); err != nil {
		t.Error(err)
	}
}

// What a filter has against keys is told only with a refusal by the callee.
func TestARefusedKeyIsTold(t *testing.T) {
	n, s, tor := published(t, newKey(t))
	hear(t, tor)
	say(t, tor, "250-ServiceID="+serviceID(s.key.Address())+"\r\n250 OK\r\n")
	n.update(func() { delete(n.services, s.key.Address()) })
	secret, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	to := newKey(t).Address()
	defer n.UseKey(to, secret)() // of which tor is not told, as it has no such key
	given := make(chan error)
	go func() { given <- n.present(t.Context(), to) }()
	line := hear(t, tor)
	say(t, tor, "510 Command filtered\r\n")
	if err := <-given; err == nil || strings.Contains(err.Error(), line[22:60]) || !strings.Contains(err.Error(), "filtered") {
		t.Errorf("%v", err)
	}
}
