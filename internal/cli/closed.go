package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sottovoce/sotto/identity/contact"
)

// clients are the keys of those who may find a closed address, in the order of
// their names, and the names of contacts who have given none.
func clients(book *contact.Book) (keys [][32]byte, without []string) {
	for _, c := range book.List() {
		switch {
		case c.Blocked:
		case c.HasKey():
			keys = append(keys, c.Key)
		default:
			without = append(without, c.Name)
		}
	}
	return keys, without
}

// describeClosed says who can find a closed address, and what to do about
// contacts who cannot.
func describeClosed(book *contact.Book) string {
	const most = 5 // names in a line
	keys, without := clients(book)
	said := fmt.Sprintf("your address is closed to all but %d of your contacts", len(keys))
	switch len(keys) {
	case 0:
		said = "your address is closed to everybody: no contact has given you a card with a key"
	case 1:
		said = "your address is closed to all but one of your contacts"
	}
	if len(without) == 0 {
		return said
	}
	if len(without) > most {
		without = append(without[:most], fmt.Sprintf("%d more", len(without)-most))
	}
	return fmt.Sprintf("%s; not to be reached by %s, of whom no key is known: ask for their card and add it again under the same name",
		said, strings.Join(without, ", "))
}

// keepClosed lets in whom the contacts as they change name, and locks out the
// others, until ctx ends. keys are those of the first publication.
func (st *station) keepClosed(ctx context.Context, keys [][32]byte) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-st.gate.Fresh():
		}
		book := st.gate.Book()
		now, _ := clients(book)
		if slices.Equal(now, keys) {
			continue
		}
		switch err := st.phone.Node.Authorise(ctx, st.key.Address(), now); {
		case ctx.Err() != nil:
			return
		case err != nil:
			st.board.Notice(fmt.Sprintf("who can find you stays as it was, or is being changed: %v", err))
		default:
			keys = now
			st.board.Notice(describeClosed(book))
		}
	}
}
