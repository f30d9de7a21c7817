package onion

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/identity"
)

// scriptedSocks is a tor in memory that gives one reply for each attempt, the
// last one for all that follow; reply 0 opens the stream, silence is no reply.
type scriptedSocks struct {
	script []Reply
	mu     sync.Mutex
	asked  int
	open   sync.WaitGroup // attempts that the caller has not ended
}

const silence Reply = 0xFF

func (s *scriptedSocks) Listen(string, string) (net.Listener, error) { return nil, errors.New("no") }

func (s *scriptedSocks) Dial(context.Context, string, string) (net.Conn, error) {
	s.mu.Lock()
	reply := s.script[min(s.asked, len(s.script)-1)]
	s.asked++
	s.mu.Unlock()
	ours, theirs := net.Pipe()
	s.open.Go(func() {
		defer ours.Close()
		for _, step := range []struct {
			length int
			answer []byte
		}{{3, []byte{5, 2}}, {36, []byte{1, 0}}, {7 + len(somebody), []byte{5, byte(reply), 0, 1, 0, 0, 0, 0, 0, 0}}} {
			if _, err := io.CopyN(io.Discard, ours, int64(step.length)); err != nil {
				return
			}
			if reply == silence && step.length > 36 {
				break
			}
			if _, err := ours.Write(step.answer); err != nil {
				return
			}
		}
		io.Copy(io.Discard, ours) // until the caller goes
	})
	return theirs, nil
}

func scripted(script ...Reply) (*Node, *scriptedSocks) {
	s := &scriptedSocks{script: script}
	return &Node{
		ready: true, changed: make(chan struct{}), cfg: Config{Wire: s}, log: slog.New(slog.DiscardHandler),
		keys: map[identity.Address]*credential{}, streams: map[*stream]struct{}{},
	}, s
}

func parsed(t *testing.T) identity.Address {
	t.Helper()
	address, err := identity.Parse(somebody)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// How long a Dial goes on depends on what tor says, and is never more than 40 s.
func TestDialGoesOnAsLongAsItMayHelp(t *testing.T) {
	for name, test := range map[string]struct {
		script      []Reply
		least, most time.Duration
		want        error // nil: reached
		advice      string
	}{
		"at once":                      {[]Reply{0}, 0, 0, nil, ""},
		"not yet uploaded":             {[]Reply{NoDescriptor, NoDescriptor, NoDescriptor, 0}, 1750 * time.Millisecond, 1750 * time.Millisecond, nil, ""},
		"published anew":               {[]Reply{IntroductionFailed, 0}, 250 * time.Millisecond, 250 * time.Millisecond, nil, ""},
		"let in a moment ago":          {[]Reply{WrongAuthorisation, 0}, 250 * time.Millisecond, 250 * time.Millisecond, nil, ""},
		"never published":              {[]Reply{NoDescriptor}, 25 * time.Second, 30 * time.Second, NoDescriptor, "check the address"},
		"offline":                      {[]Reply{IntroductionFailed}, 25 * time.Second, 30 * time.Second, IntroductionFailed, "try again later"},
		"offline, and tor is silent":   {[]Reply{silence}, 40 * time.Second, 40 * time.Second, ErrUnreachable, "try again later"},
		"its line is bad":              {[]Reply{RendezvousFailed}, 40 * time.Second, 40 * time.Second, RendezvousFailed, ""},
		"needs authorisation":          {[]Reply{NeedsAuthorisation}, 0, 0, ErrAuthorisation, "card"},
		"wrong authorisation":          {[]Reply{WrongAuthorisation}, 6 * time.Second, 10 * time.Second, ErrAuthorisation, "card"},
		"bad address":                  {[]Reply{BadAddress}, 0, 0, ErrBadAddress, "copy it again"},
		"another program on tor's end": {[]Reply{7}, 0, 0, Reply(7), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, s := scripted(test.script...)
				began := time.Now()
				conn, err := n.Dial(t.Context(), parsed(t), NewIsolation())
				took := time.Since(began)
				if !errors.Is(err, test.want) || took < test.least || took > test.most {
					t.Errorf("%v after %v", err, took)
				}
				if err != nil && !strings.Contains(err.Error(), test.advice) {
					t.Errorf("%v does not say %q", err, test.advice)
				}
				if errors.Is(err, ErrUnreachable) && errors.Is(err, ErrAuthorisation) {
					t.Errorf("two verdicts in %v", err)
				}
				if err == nil {
					conn.Close()
				}
				s.open.Wait() // that nothing is left open at tor
			})
		})
	}
}

// However far an attempt has come, its cancellation ends it at once; no
// goroutine is left (synctest would say so) and no connection to tor.
func TestCancelledDialLeavesNothing(t *testing.T) {
	for _, script := range [][]Reply{{silence}, {NoDescriptor}, {NoDescriptor, silence}, {0}} {
		synctest.Test(t, func(t *testing.T) {
			n, s := scripted(script...)
			var dials sync.WaitGroup
			mine := errors.New("mine")
			for i := range 100 {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Duration(i)*7*time.Millisecond, func() { cancel(mine) })
				dials.Go(func() {
					began := time.Now()
					conn, err := n.Dial(ctx, parsed(t), NewIsolation())
					if err == nil {
						conn.Close()
					} else if took := time.Since(began); !errors.Is(err, mine) || took != time.Duration(i)*7*time.Millisecond {
						t.Errorf("cancelled after %d ms: %v after %v", i*7, err, took)
					}
				})
			}
			dials.Wait()
			s.open.Wait()
			if len(n.streams) != 0 {
				t.Errorf("%d streams are kept", len(n.streams))
			}
		})
	}
}

// What is open when a Node ends is closed: a tor that is not ours would go on.
func TestStreamsEndWithTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, s := scripted(0)
		conn, err := n.Dial(t.Context(), parsed(t), NewIsolation())
		if err != nil {
			t.Fatal(err)
		}
		n.end(nil)
		s.open.Wait()
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("a stream outlived its node")
		}
		conn.Close()
		if conn, err := n.keep(conn); !errors.Is(err, ErrTorStopped) {
			t.Errorf("a stream that comes later: %v, %v", conn, err)
		}
	})
}
