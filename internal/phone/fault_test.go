package phone_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/onion"
	"github.com/sottovoce/sotto/onion/tornet"
	"github.com/sottovoce/sotto/voice"
)

// side is one end of a call over real tor.
type side struct {
	key   *identity.Key
	phone *phone.Phone
	home  string
	rings int
	call  *call.Call
	ready chan struct{} // closed when it talks
	ended chan error
}

func newSide(t *testing.T, n *tornet.Network) *side {
	t.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	p, err := phone.New(phone.Config{Home: home, Network: n.Dir()})
	if err != nil {
		t.Fatal(err)
	}
	return &side{key: key, phone: p, home: home, ready: make(chan struct{}), ended: make(chan error, 1)}
}

func (s *side) config(clip *voice.Clip) call.Config {
	c := s.phone.Calls(s.key)
	c.Open = func(context.Context) (call.Sound, error) {
		return call.Sound{Source: clip.Play(true), Sink: &voice.Clocked{}}, nil
	}
	return c
}

// live is the call c from this side, which answers when it rings.
func (s *side) live(ctx context.Context, c *call.Call) {
	s.call = c
	var acts sync.WaitGroup
	defer acts.Wait()
	c.OnPhase = func(p call.Phase) {
		switch {
		case p == call.Ringing && !c.Outgoing:
			s.rings++
			acts.Go(func() { c.Answer() })
		case p == call.Talking:
			close(s.ready)
		}
	}
	s.ended <- c.Run(ctx)
}

// Faults in the middle of a call, over real tor: all circuits are closed at once,
// the caller's tor dies, then the callee's; in another call a relay is killed.
// Nobody rings again, and speech goes on.
func TestFaultsInACall(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	network, err := tornet.Start(ctx, tornet.Config{Relays: 6}) // some to spare
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	// The relay dies last: this network lists a dead one for as long as the test
	// takes, and a tor started anew that picks it for an introduction point, one of
	// nine and not of thousands, publishes nothing for a minute.
	for _, faults := range [][]fault{{circuitsClose, torsDie}, {relayDies}} {
		if err := converse(ctx, t, network, faults); err != nil {
			t.Fatal(err)
		}
	}
}

type fault func(context.Context, *testing.T, *spoken) error

// spoken is a call of Bob's to Alice, in which both speak.
type spoken struct {
	network    *tornet.Network
	alice, bob *side
}

// goesOn reports whether Bob hears Alice.
func (s *spoken) goesOn() bool {
	at := s.bob.call.Status()
	return at.Paths > 0 && at.Silence < 100*time.Millisecond
}

// converse has two people who have just started their phones call each other, and
// faults befall them.
func converse(ctx context.Context, t *testing.T, network *tornet.Network, faults []fault) error {
	wav, err := os.ReadFile("../demo/speech.wav")
	if err != nil {
		return err
	}
	clip, err := voice.ReadWAV(bytes.NewReader(wav))
	if err != nil {
		return err
	}
	s := &spoken{network, newSide(t, network), newSide(t, network)}
	return s.bob.phone.Run(ctx, func(ctx context.Context) error {
		return s.alice.phone.Run(ctx, func(ctx context.Context) error { return s.speak(ctx, t, clip, faults) })
	})
}

func (s *spoken) speak(ctx context.Context, t *testing.T, clip *voice.Clip, faults []fault) error {
	listener, err := s.alice.phone.Node.Listen(ctx, s.alice.key, onion.Service{})
	if err != nil {
		return err
	}
	inner, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	line := call.Line{Config: s.alice.config(clip), Handle: s.alice.live}
	go func() { served <- line.Serve(inner, listener) }()
	c, err := call.Dial(ctx, s.bob.config(clip), s.alice.key.Address())
	if err != nil {
		return err
	}
	go s.bob.live(ctx, c)
	for _, side := range []*side{s.alice, s.bob} {
		select {
		case <-side.ready:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	until(t, 30*time.Second, "four paths are open", func() bool { return c.Status().Paths == call.DefaultPaths })
	for _, befalls := range faults {
		if err := befalls(ctx, t, s); err != nil {
			return err
		}
	}
	c.HangUp()
	for name, side := range map[string]*side{"caller": s.bob, "callee": s.alice} {
		if err := <-side.ended; err != nil {
			t.Errorf("the %s's call ended with %v", name, err)
		}
	}
	if s.alice.rings != 1 {
		t.Errorf("it rang %d times", s.alice.rings)
	}
	stop()
	return <-served
}

// A tor dies: it is started again, the address published anew, the call joined.
// The callee's ends no stream at the caller, who hears silence.
func torsDie(_ context.Context, t *testing.T, s *spoken) error {
	for _, who := range []struct {
		name string
		side *side
	}{{"caller", s.bob}, {"callee", s.alice}} {
		killTor(t, who.side.home)
		began := time.Now()
		until(t, 10*time.Second, "nothing comes", func() bool { return s.bob.call.Status().Silence > time.Second })
		until(t, 58*time.Second, "speech again", s.goesOn)
		t.Logf("the %s's tor killed: speech again after %.1f s", who.name, time.Since(began).Seconds())
	}
	return nil
}

// All circuits are closed at once: speech again within 10 s, in one of three rounds,
// as the machine may be busy.
func circuitsClose(ctx context.Context, t *testing.T, s *spoken) error {
	for round := 1; ; round++ {
		if err := s.bob.phone.Node.CloseCircuits(ctx); err != nil {
			return err
		}
		began := time.Now()
		until(t, 10*time.Second, "all paths are gone", func() bool { return s.bob.call.Status().Paths == 0 })
		until(t, time.Minute, "speech again", s.goesOn)
		took := time.Since(began)
		t.Logf("all circuits closed: speech again after %.1f s", took.Seconds())
		if took <= 10*time.Second {
			return nil
		}
		if round == 3 {
			return fmt.Errorf("speech again only after %v", took)
		}
	}
}

// A relay in the middle: the paths over it end, and that is not heard, in one of two
// rounds.
func relayDies(ctx context.Context, t *testing.T, s *spoken) error {
	made := func() time.Duration {
		return s.alice.call.Status().Playout.Concealed + s.bob.call.Status().Playout.Concealed
	}
	for round := 1; ; round++ {
		relay, err := middle(ctx, s.bob, s.alice)
		if err != nil {
			return err
		}
		before, least := made(), s.bob.call.Status().Paths
		if err := s.network.KillRelay(relay); err != nil {
			return err
		}
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); watch(20 * time.Millisecond) {
			least = min(least, s.bob.call.Status().Paths)
		}
		lost := made() - before
		t.Logf("%s killed: at least %d paths, %v made up at both ends together", relay, least, lost)
		until(t, time.Minute, "a path is open", s.goesOn)
		switch {
		case least > 0 && lost <= 400*time.Millisecond: // 200 ms at each end
			return nil
		case round < 2:
		case least == 0: // all paths went over it, again
			return nil
		default:
			return fmt.Errorf("%v were made up when a relay was killed", lost)
		}
	}
}

// middle finds the relay that the fewest circuits between the sides go over,
// but some do, and that is nobody's guard: all circuits of a tor go over that.
func middle(ctx context.Context, sides ...*side) (string, error) {
	over, guards := map[string]int{}, map[string]bool{}
	for _, s := range sides {
		circuits, err := s.phone.Node.RendezvousCircuits(ctx)
		if err != nil {
			return "", err
		}
		for _, c := range circuits {
			guards[c.Relays[0]] = true
			for _, nick := range c.Relays[1:] {
				over[nick]++
			}
		}
	}
	best := ""
	for nick, n := range over {
		if strings.HasPrefix(nick, "relay") && !guards[nick] && (best == "" || n < over[best]) {
			best = nick
		}
	}
	if best == "" {
		return "", fmt.Errorf("no relay is in the middle of circuits only: %v, guards %v", over, guards)
	}
	return best, nil
}

// killTor kills the tor that lives in home.
func killTor(t *testing.T, home string) {
	t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range commands {
		b, err := os.ReadFile(path)
		pid, bad := strconv.Atoi(strings.Split(path, "/")[2])
		if err == nil && bad == nil && strings.Contains(string(b), home) && pid != os.Getpid() {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("no tor runs in %s", home)
}

// until waits for something to become true.
func until(t *testing.T, long time.Duration, what string, done func() bool) {
	t.Helper()
	deadline := time.NewTimer(long)
	defer deadline.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !done() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("%s: not within %v", what, long)
		}
	}
}

// watch lets time pass: what is measured is what happens in it.
func watch(long time.Duration) { <-time.After(long) }
