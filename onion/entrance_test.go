package onion

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// connected are answers to GETINFO orconn-status.
const (
	connected = "250-orconn-status=$0123456789ABCDEF0123456789ABCDEF01234567~guard CONNECTED\r\n250 OK\r\n"
	trying    = "250+orconn-status=\r\n$0123456789ABCDEF0123456789ABCDEF01234567~guard LAUNCHED\r\n$1123456789ABCDEF0123456789ABCDEF01234567~b FAILED\r\n.\r\n250 OK\r\n"
	alone     = "250-orconn-status=\r\n250 OK\r\n"
)

// A tor that loses its way into the network is said to be offline after two asks
// in a row, and not before; when it is back that is said as well. Calls that fail
// meanwhile do not blame the other side.
func TestALostEntranceIsTold(t *testing.T) {
	for _, none := range []string{alone, trying} {
		synctest.Test(t, func(t *testing.T) {
			n, _ := scripted(NoDescriptor)
			var told []Bootstrap
			n.cfg.Progress = func(b Bootstrap) { told = append(told, b) }
			n.last, n.been = Bootstrap{Percent: 100, Tag: "done", Summary: "Done"}, true
			n.show(n.last)
			link, tor, hangUp := pipeLink(t, n.event)
			watched := make(chan struct{})
			go func() { defer close(watched); n.watch(t.Context(), link) }()
			defer func() { hangUp(); <-watched }()
			answer := func(says string) {
				if asked := hear(t, tor); asked != askEntrance {
					t.Errorf("asked %q", asked)
				}
				say(t, tor, says)
				synctest.Wait()
			}
			for _, says := range []string{connected, none, connected, none} {
				answer(says)
			}
			if len(told) != 1 {
				t.Errorf("told %v", told)
			}
			answer(none)
			answer(none)
			if b := told[len(told)-1]; len(told) != 2 || b.Tag != "offline" || !b.Offline || b.Percent != 100 || !strings.Contains(b.Warning, "nobody can reach you") {
				t.Errorf("told %v", told)
			}
			answers, stop := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(answers)
				for {
					select {
					case <-stop:
						return
					case <-time.After(pulse):
						answer(none)
					}
				}
			}()
			_, err := n.Reach(t.Context(), parsed(t))
			close(stop)
			<-answers
			if !errors.Is(err, ErrOffline) || errors.Is(err, ErrUnreachable) || strings.Contains(err.Error(), "offline a moment") {
				t.Error(err)
			}
			answer(connected)
			if b := told[len(told)-1]; len(told) != 3 || b.Offline || b.Warning != "" || b.Summary != "Done" {
				t.Errorf("told %v", told)
			}
			if _, err := n.Reach(t.Context(), parsed(t)); !errors.Is(err, ErrUnreachable) {
				t.Error(err)
			}
		})
	}
}
