package history_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/phone/history"
)

// paper is a file in memory.
type paper struct {
	mu      sync.Mutex
	text    []byte
	saved   int
	refuses []error // of what comes next
}

func (p *paper) History() ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]byte(nil), p.text...), nil
}

func (p *paper) ChangeHistory(f func([]byte) ([]byte, error)) error {
	old, _ := p.History()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.refuses) > 0 {
		err := p.refuses[0]
		p.refuses = p.refuses[1:]
		return err
	}
	text, err := f(old)
	if err == nil {
		p.text, p.saved = text, p.saved+1
	}
	return err
}

func (p *paper) state() (text string, saved int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.text), p.saved
}

// keeper runs until end is called.
func keeper(t *testing.T, file history.File) (k *history.Keeper, end func() (warned []string)) {
	var warned []string
	k = history.New(file, func(err error) { warned = append(warned, err.Error()) })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); k.Run(ctx) }()
	return k, func() []string { cancel(); <-ended; return warned }
}

// The first call is saved at once, those soon after it together, and what is
// left at the end.
func TestCallsAreSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &paper{}
		k, end := keeper(t, p)
		synctest.Wait()
		if text, saved := p.state(); saved != 0 {
			t.Errorf("saved before any call: %q", text)
		}
		k.Keep(entry(t, history.Missed, 0))
		synctest.Wait()
		if _, saved := p.state(); saved != 1 {
			t.Errorf("saved %d times", saved)
		}
		for i := range 600 {
			k.Keep(entry(t, history.Missed, time.Duration(i)*time.Second))
		}
		<-time.After(5 * time.Second)
		if _, saved := p.state(); saved != 1 {
			t.Errorf("saved %d times", saved)
		}
		<-time.After(6 * time.Second)
		if list, err := history.List(p); err != nil || len(list) != history.Most {
			t.Errorf("%d, %v", len(list), err)
		}
		k.Keep(entry(t, history.Busy, 0))
		if list, err := k.List(); err != nil || list[history.Most-1].How != history.Busy {
			t.Errorf("%v, %v", list, err)
		}
		k.Keep(entry(t, history.Answered, 0))
		if warned := end(); warned != nil {
			t.Error(warned)
		}
		list, err := history.List(p)
		if _, saved := p.state(); err != nil || saved != 4 || list[history.Most-1].How != history.Answered {
			t.Errorf("%d, %v", saved, err)
		}
	})
}

// A disk that is full is told of once; a file that others change is asked for
// again; and what lies there and is no history stays.
func TestWhatCannotBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("no space left")
		busy := fmt.Errorf("%w by another", vault.ErrInUse)
		p := &paper{refuses: []error{full, full, busy, busy}}
		k, end := keeper(t, p)
		for _, how := range []history.How{history.Missed, history.Declined, history.Answered} {
			k.Keep(entry(t, how, 0))
			<-time.After(time.Minute)
		}
		if warned := end(); len(warned) != 1 || warned[0] != full.Error() {
			t.Error(warned)
		}
		if list, err := history.List(p); err != nil || len(list) != 1 || list[0].How != history.Answered {
			t.Errorf("%v, %v", list, err)
		}
		for _, text := range []string{"sotto history 2\nwho knows\n", whole[:40]} {
			p := &paper{text: []byte(text)}
			k, end := keeper(t, p)
			for range 3 {
				k.Keep(entry(t, history.Missed, 0))
				<-time.After(time.Minute)
			}
			if _, err := k.List(); err == nil {
				t.Error("listed")
			}
			if warned := end(); len(warned) != 1 {
				t.Error(warned)
			}
			if left, saved := p.state(); left != text || saved != 0 {
				t.Errorf("%q", left)
			}
		}
	})
}
