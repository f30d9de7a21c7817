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

// Faults in the middle of a call, over real tor: a relay is killed, all
// circuits are closed at once, the caller's tor dies, then the callee's. Nobody
// rings again, and speech goes on.
func TestFaultsInACall(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	network, err := tornet.Start(ctx, tornet.Config{Relays: 6}) // some to spare
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	wav, err := os.ReadFile("../demo/speech.wav")
	if err != nil {
		t.Fatal(err)
	}
	clip, err := voice.ReadWAV(bytes.NewReader(wav))
	if err != nil {
		t.Fatal(err)
	}
	alice, bob := newSide(t, network), newSide(t, network)
	err = bob.phone.Run(ctx, func(ctx context.Context) error {
		return alice.phone.Run(ctx, func(ctx context.Context) error { return converse(ctx, t, network, alice, bob, clip) })
	})
	if err != nil {
		t.Fatal(err)
	}
}

func converse(ctx context.Context, t *testing.T, network *tornet.Network, alice, bob *side, clip *voice.Clip) error {
	listener, err := alice.phone.Node.Listen(ctx, alice.key, onion.Service{})
	if err != nil {
		return err
	}
	inner, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	line := call.Line{Config: alice.config(clip), Handle: alice.live}
	go func() { served <- line.Serve(inner, listener) }()
	c, err := call.Dial(ctx, bob.config(clip), alice.key.Address())
	if err != nil {
		return err
	}
	go bob.live(ctx, c)
	for _, s := range []*side{alice, bob} {
		select {
		case <-s.ready:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	until(t, 30*time.Second, "four paths are open", func() bool { return c.Status().Paths == call.DefaultPaths })

	made := func() time.Duration {
		return alice.call.Status().Playout.Concealed + bob.call.Status().Playout.Concealed
	}
	speech := func() bool { return c.Status().Paths > 0 && c.Status().Silence < 100*time.Millisecond }
	// A relay in the middle: the paths over it end, and that is not heard. How
	// little must show in one of two rounds, as the machine may be busy.
	for round := 1; ; round++ {
		relay, err := middle(ctx, bob, alice)
		if err != nil {
			return err
		}
		before, least := made(), c.Status().Paths
		if err := network.KillRelay(relay); err != nil {
			return err
		}
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); watch(20 * time.Millisecond) {
			least = min(least, c.Status().Paths)
		}
		lost := made() - before
		t.Logf("%s killed: at least %d paths, %v made up at both ends together", relay, least, lost)
		until(t, time.Minute, "a path is open", speech)
		if least == 0 || lost <= 400*time.Millisecond { // 200 ms at each end
			break
		}
		if round == 2 {
			t.Errorf("%v were made up when a relay was killed", lost)
			break
		}
	}

	var began time.Time
	for round := 1; ; round++ {
		if err := bob.phone.Node.CloseCircuits(ctx); err != nil {
			return err
		}
		began = time.Now()
		until(t, 10*time.Second, "all paths are gone", func() bool { return c.Status().Paths == 0 })
		until(t, time.Minute, "speech again", speech)
		took := time.Since(began)
		t.Logf("all circuits closed: speech again after %.1f s", took.Seconds())
		if took <= 10*time.Second {
			break
		}
		if round == 3 {
			t.Errorf("speech again only after %v", took)
			break
		}
	}

	// A tor dies: it is started again, the address published anew, the call
	// joined. The callee's ends no stream at the caller, who hears silence.
	for _, s := range []struct {
		who  string
		side *side
	}{{"caller", bob}, {"callee", alice}} {
		killTor(t, s.side.home)
		began = time.Now()
		until(t, 10*time.Second, "nothing comes", func() bool { return c.Status().Silence > time.Second })
		until(t, 58*time.Second, "speech again", speech)
		t.Logf("the %s's tor killed: speech again after %.1f s", s.who, time.Since(began).Seconds())
	}

	c.HangUp()
	for name, s := range map[string]*side{"caller": bob, "callee": alice} {
		if err := <-s.ended; err != nil {
			t.Errorf("the %s's call ended with %v", name, err)
		}
	}
	if alice.rings != 1 {
		t.Errorf("it rang %d times", alice.rings)
	}
	stop()
	return <-served
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
