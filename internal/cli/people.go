package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/identity/vault"
	"github.com/sottovoce/sotto/internal/api"
)

// people are an opened profile and the contacts in it.
type people struct {
	home  string
	vault *vault.Vault
	book  *contact.Book
	saved func() error // says what edit has done, once it is saved; nil: nothing
}

// people opens the profile, which may ask for its passphrase.
func (o *options) people(ctx context.Context) (*people, error) {
	home, err := o.profile()
	if err != nil {
		return nil, err
	}
	v, passphrase, err := o.open(ctx, home)
	passphrase.Wipe()
	clear(o.line) // no second one is wanted
	if err != nil {
		return nil, err
	}
	p := &people{home: home, vault: v}
	p.book, err = p.read()
	return p, err
}

// read reads the contacts as they are now.
func (p *people) read() (*contact.Book, error) {
	text, err := p.vault.Contacts()
	if err != nil {
		return nil, err
	}
	defer clear(text)
	book, err := contact.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", vault.ContactsPath(p.home), err)
	}
	return book, nil
}

// change opens the profile, lets f change the contacts, and saves them.
func (o *options) change(c *cobra.Command, f func(*people) error) error {
	p, err := o.people(c.Context())
	if err != nil {
		return err
	}
	return p.edit(c.Context(), c.CommandPath(), func() error { return f(p) })
}

// edit lets f change the contacts as they are now, saves them, and has a phone
// that is up go by them before it returns. f must not wait for anybody.
func (p *people) edit(ctx context.Context, purpose string, f func() error) error {
	if err := p.save(purpose, f); err != nil {
		return err
	}
	if err := p.count(ctx); err != nil {
		return fmt.Errorf("it is saved, but the phone that is up does not go by it yet: %w", err)
	}
	if p.saved == nil {
		return nil
	}
	return p.saved()
}

func (p *people) save(purpose string, f func() error) error {
	lock, err := vault.AcquireContacts(p.home, purpose)
	if err != nil {
		return err
	}
	defer lock.Release()
	if p.book, err = p.read(); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	text := p.book.Bytes()
	defer clear(text)
	return p.vault.SaveContacts(text)
}

// count waits until a phone that is up goes by the contacts as they are kept now.
func (p *people) count(ctx context.Context) error {
	phone, err := api.Dial(p.home)
	if err == nil {
		err = phone.Reread(ctx)
	}
	if errors.Is(err, api.ErrNoPhone) || errors.Is(err, api.ErrGone) {
		return nil
	}
	return err
}

// find is the contact that text names, by name, address or card.
func (p *people) find(text string) (contact.Contact, error) {
	if c, ok := p.book.Named(text); ok {
		return c, nil
	}
	if contact.LooksLikeAddress(text) {
		card, err := contact.ParseCard(text)
		if err != nil {
			return contact.Contact{}, err
		}
		if c, ok := p.book.At(card.Address); ok {
			return c, nil
		}
		return contact.Contact{}, fmt.Errorf("%w: nobody has this address", contact.ErrUnknown)
	}
	return contact.Contact{}, p.unknown(text)
}

func (p *people) unknown(text string) error {
	hint := "sotto contacts list shows all"
	if near := p.book.Near(text); near != "" {
		hint = "did you mean " + near + "?"
	}
	return fmt.Errorf("%w: %q (%s)", contact.ErrUnknown, text, hint)
}

// peer is whom to call: a contact by name, or anybody by address or card.
func (p *people) peer(text string) (contact.Contact, error) {
	c, err := p.find(text)
	if errors.Is(err, contact.ErrUnknown) {
		if card, wrong := contact.ParseCard(text); wrong == nil {
			return contact.Contact{Card: card}, nil
		} else if !contact.LooksLikeAddress(text) {
			return c, fmt.Errorf("%w, and not an onion address either", err)
		}
	}
	return c, err
}

// piped is a line of standard input that is no terminal, "" if there is none.
// Where the passphrase comes that way, too, it comes first: opened says that it
// has come.
func (o *options) piped(opened bool) string {
	if term.IsTerminal(int(os.Stdin.Fd())) || opened != (o.passphraseFD == 0) {
		return ""
	}
	line, err := lineOf(os.Stdin)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(line))
}

// pipedAll is the same with all its lines.
func (o *options) pipedAll(opened bool) string {
	if term.IsTerminal(int(os.Stdin.Fd())) || opened != (o.passphraseFD == 0) {
		return ""
	}
	text, err := io.ReadAll(io.LimitReader(os.Stdin, maxPiped))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// maxPiped is how much of a text is searched for a card, in bytes.
const maxPiped = 64 << 10

// nameOf is a contact's name, or a stranger's address.
func nameOf(c contact.Contact) string {
	if c.Name == "" {
		return c.Address.Onion()
	}
	return c.Name
}

// title is a contact's name, and whether it is certain.
func title(c contact.Contact) string {
	if c.Verified {
		return c.Name + " (verified)"
	}
	return c.Name
}

// quoted is a name or a path as a shell takes it.
func quoted(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool {
		return r < 0x80 && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("/.-_", r)
	}) {
		return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return name
}

// completeNames completes an argument with the names of contacts, as far as
// nobody must be asked for a passphrase: a phone that is up knows them.
func (o *options) completeNames(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	home, err := o.profile()
	if err != nil || len(args) > 0 {
		return nil, none
	}
	if phone, err := api.Dial(home); err == nil {
		ctx := c.Context()
		if ctx == nil {
			ctx = context.Background()
		}
		if all, err := phone.Contacts(ctx); err == nil {
			return beginning(all, begun), none
		}
	}
	v, err := vault.Open(home, func() (*vault.Passphrase, error) {
		if o.passphraseFD < 0 && os.Getenv(passphraseFile) == "" {
			return nil, errSealed
		}
		return o.passphrase(context.Background(), "")
	})
	if errors.Is(err, errSealed) {
		return cobra.AppendActiveHelp(nil, "names are sealed while no phone is up: type it whole, or let sotto call ask and press Tab there"), none
	}
	if err != nil {
		return nil, none
	}
	book, err := (&people{home: home, vault: v}).read()
	if err != nil {
		return nil, none
	}
	return namesLike(book, begun), none
}

// beginning are the names that begin like begun, in small or capital letters.
func beginning(all []api.Contact, begun string) (names []string) {
	for _, c := range all {
		if strings.HasPrefix(strings.ToLower(c.Name), strings.ToLower(begun)) {
			names = append(names, c.Name)
		}
	}
	return names
}

// namesLike are the names that begin like begun, in small or capital letters.
func namesLike(book *contact.Book, begun string) (names []string) {
	for _, c := range book.List() {
		if c.Name != "" && strings.HasPrefix(strings.ToLower(c.Name), strings.ToLower(begun)) {
			names = append(names, c.Name)
		}
	}
	return names
}
