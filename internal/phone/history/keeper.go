package history

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sottovoce/sotto/identity/vault"
)

// File is where a history lies: a [vault.Vault].
type File interface {
	History() ([]byte, error)
	ChangeHistory(f func(old []byte) ([]byte, error)) error
}

// Keeper keeps the history of a phone. It holds none of it in memory but what is
// about to be saved, so that who deletes the file has deleted all.
type Keeper struct {
	file File
	warn func(error)
	once sync.Once
	more chan struct{} // something waits

	mu      sync.Mutex // held for moments, by calls as well
	waiting []Entry    // to be saved

	saving sync.Mutex // held while the file is used
}

// New makes a keeper; nothing is read or written before [Keeper.Run]. warn is
// told once why calls are not kept.
func New(file File, warn func(error)) *Keeper {
	return &Keeper{file: file, warn: warn, more: make(chan struct{}, 1)}
}

// Keep has a call kept. It waits for nothing and may be called under any lock.
func (k *Keeper) Keep(e Entry) {
	k.mu.Lock()
	if k.waiting = append(k.waiting, e); len(k.waiting) > Most {
		k.waiting = k.waiting[1:]
	}
	k.mu.Unlock()
	select {
	case k.more <- struct{}{}:
	default: // it is known, and not looked at yet
	}
}

// pause is the least time between two savings: callers in numbers are no work
// for the disk.
const pause = 10 * time.Second

// Run saves what is to be kept until ctx ends, and then what is left. What
// cannot be saved is not kept. A history that cannot be read is told of at once.
func (k *Keeper) Run(ctx context.Context) {
	_, err := List(k.file)
	k.tell(err)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-k.more:
			k.save()
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	k.save()
}

func (k *Keeper) tell(err error) {
	if err != nil {
		k.once.Do(func() { k.warn(err) })
	}
}

// save saves what waits, all at once.
func (k *Keeper) save() { k.tell(k.saved()) }

// tries is how often the file is asked for that somebody else changes.
const tries = 5

func (k *Keeper) saved() error {
	k.saving.Lock()
	defer k.saving.Unlock()
	k.mu.Lock()
	fresh := k.waiting
	k.waiting = nil
	k.mu.Unlock()
	if len(fresh) == 0 {
		return nil
	}
	for try := 1; ; try++ {
		err := k.file.ChangeHistory(func(old []byte) ([]byte, error) {
			list, err := Parse(old)
			if err != nil {
				return nil, err
			}
			return Text(append(list, fresh...)), nil
		})
		if try == tries || !errors.Is(err, vault.ErrInUse) {
			return err
		}
	}
}

// List is all that is kept, what waits among that, in the order in which the
// calls ended. Errors are those of [Parse] and of the file.
func (k *Keeper) List() ([]Entry, error) {
	k.save()
	return List(k.file)
}

// List is what is kept in a file.
func List(file File) ([]Entry, error) {
	text, err := file.History()
	if err != nil {
		return nil, err
	}
	defer clear(text)
	return Parse(text)
}
