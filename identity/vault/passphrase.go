package vault

import (
	"errors"
	"fmt"
	"unsafe"
)

// Passphrase seals and opens. It lies on a page of its own that is neither
// swapped out nor dumped, where the system lets us, and prints as nothing but a
// note that it is secret. The codec of age makes copies for a moment, which
// stay in Go's memory until that is used again.
type Passphrase struct {
	// Work is the logarithm of scrypt's N when sealing; 0: 18, about a second.
	Work int
	// MostWork is the greatest that is tried when opening, since the file says
	// how much it takes; 0: 22, about 15 s.
	MostWork int

	secret []byte
	page   []byte
}

// NewPassphrase takes the passphrase out of text, which is overwritten.
func NewPassphrase(text []byte) (*Passphrase, error) {
	defer clear(text)
	if len(text) == 0 {
		return nil, ErrEmpty
	}
	page := secretPage(len(text))
	return &Passphrase{secret: page[:copy(page, text)], page: page}, nil
}

// Wipe forgets the passphrase. A nil one has nothing to forget.
func (p *Passphrase) Wipe() {
	if p == nil || p.page == nil {
		return
	}
	clear(p.page)
	freePage(p.page)
	p.page, p.secret = nil, nil
}

// Equal says whether two are the same.
func (p *Passphrase) Equal(q *Passphrase) bool { return string(p.secret) == string(q.secret) }

// view is the secret as a string, without a copy; not to be kept.
func (p *Passphrase) view() string { return unsafe.String(unsafe.SliceData(p.secret), len(p.secret)) }

func (p *Passphrase) work() int {
	if p.Work == 0 {
		return defaultWork
	}
	return p.Work
}

func (p *Passphrase) mostWork() int {
	if p.MostWork == 0 {
		return mostWork
	}
	return p.MostWork
}

// String, GoString, Format and MarshalJSON show nothing of it.
func (p *Passphrase) String() string             { return "vault.Passphrase(secret)" }
func (p *Passphrase) GoString() string           { return p.String() }
func (p *Passphrase) Format(f fmt.State, _ rune) { fmt.Fprint(f, p.String()) }
func (p *Passphrase) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a passphrase is not written as JSON")
}
