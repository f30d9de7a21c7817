package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sottovoce/sotto/identity/contact"
)

func (cc *contactsCommand) newCard() *cobra.Command {
	var short bool
	var look string
	c := &cobra.Command{
		Use:   "card [--short] [--qr LOOK] [--json] [NAME]",
		Short: "Show your card, or somebody's, as a line and a QR code",
		Long: `A card is one line: an address, a key, and a sum that finds slips of the pen. It
is no secret and has no name in it. On a terminal it is shown as a QR code too.
Without NAME it is yours; with it you introduce somebody.

The key is the one by which you come to the addresses of friends who are closed
to strangers (sotto up --closed): they need it to let you in. --short leaves it
out of your card.

--qr colour draws the code by the terminal's colours (as on a terminal), dark
and light without colours for a dark or a light ground, no leaves it out.`,
		Example: `  sotto contacts card
  sotto contacts card > my.card
  sotto contacts card ann --qr light`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return one("one name at most")(c, args)
			}
			return nil
		},
		ValidArgsFunction: cc.completeNames,
		RunE:              func(c *cobra.Command, args []string) error { return cc.card(c, args, short, look) },
	}
	c.Flags().BoolVar(&short, "short", false, "your address alone, without your key")
	c.Flags().StringVar(&look, "qr", "", "colour, dark, light or no (default: colour on a terminal, else no)")
	return c
}

var schemes = map[string]contact.Scheme{"colour": contact.Colour, "color": contact.Colour, "dark": contact.Dark, "light": contact.Light}

func (cc *contactsCommand) card(c *cobra.Command, args []string, short bool, look string) error {
	scheme, draw := schemes[look]
	if look == "" {
		draw = !cc.asJSON && term.IsTerminal(int(os.Stdout.Fd()))
	} else if !draw && look != "no" {
		return usageError{fmt.Errorf("--qr %s: colour, dark, light or no", look)}
	}
	if short && len(args) > 0 {
		return usageError{errors.New("--short is for your own card")}
	}
	p, err := cc.people(c.Context())
	if err != nil {
		return err
	}
	card := contact.Card{Address: p.vault.Key.Address()}
	if len(args) > 0 {
		who, err := p.find(args[0])
		if err != nil {
			return err
		}
		card = who.Card
	}
	if len(args) == 0 && !short {
		auth, err := contact.AuthKey(p.vault.Key)
		if err != nil {
			return err
		}
		card.Key = [32]byte(auth.PublicKey().Bytes())
	}
	if cc.asJSON {
		return cc.json(c, map[string]any{"card": card.Text(), "address": card.Address.Onion(), "key": card.HasKey()})
	}
	code := ""
	if draw {
		if code, err = card.QR(scheme); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(stdout(c), "%s%s\n", code, card.Text())
	return err
}

func (cc *contactsCommand) newVerify() *cobra.Command {
	off := false
	c := &cobra.Command{
		Use:   "verify [--off] [--json] NAME [WORD ...]",
		Short: "Compare twelve words, to be sure of somebody's address",
		Long: `Shows twelve words, which follow from your address and theirs. They see the same
on their side if each of you has the other's true address. Read them to each
other in person, or by a voice you know, one saying the odd words and one the
even ones; then say whether they were the same, or give the words that you
heard (four letters of each are enough) and let sotto compare. With --off the mark
is taken from somebody who has it.

The words are no secret. The list of them is published: docs/contacts.md.`,
		Example: "  sotto contacts verify ann\n  sotto contacts verify ann simple torch three …",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 && len(args) != 1+contact.WordCount {
				return misuse{fmt.Errorf("%s wants a name, and then either nothing or the %d words that you heard", c.CommandPath(), contact.WordCount)}
			}
			return nil
		},
		ValidArgsFunction: cc.completeNames,
		RunE: func(c *cobra.Command, args []string) error {
			if off {
				return cc.unverify(c, args[0])
			}
			return cc.verify(c, args[0], args[1:])
		},
	}
	c.Flags().BoolVar(&off, "off", false, "take the mark away")
	return c
}

// unverify takes the mark from somebody.
func (cc *contactsCommand) unverify(c *cobra.Command, name string) error {
	p, err := cc.people(c.Context())
	if err != nil {
		return err
	}
	who, err := p.find(name)
	if err != nil {
		return err
	}
	unmark := func(c *contact.Contact) { c.Verified = false }
	if err := p.edit(c.Context(), c.CommandPath(), func() error { return p.book.Change(who.Address, unmark) }); err != nil {
		return err
	}
	who.Verified = false
	if cc.asJSON {
		return cc.json(c, described(who))
	}
	note(c, "%s is not marked as verified any more.", who.Name)
	return nil
}

// errWords says that two people do not see the same words.
var errWords = errors.New("the words differ: one of you has a wrong address. Exchange cards again, by another way, and do not trust this one")

// compare says what is wrong with the words that were heard; nil: nothing. With
// another's address nearly all differ.
func compare(want [contact.WordCount]string, heard []string, name string) error {
	differ := contact.WordsApart(want, heard)
	for _, n := range differ {
		if !contact.IsWord(heard[n-1]) {
			return usageError{fmt.Errorf("%q is not one of the words: listen to word %d again", heard[n-1], n)}
		}
	}
	switch {
	case len(differ) > 2:
		return errWords
	case len(differ) > 0:
		return fmt.Errorf("word %d differs from what %s should see, most others do not: it may have been misheard. Compare again", differ[0], name)
	}
	return nil
}

func (cc *contactsCommand) verify(c *cobra.Command, name string, heard []string) error {
	p, err := cc.people(c.Context())
	if err != nil {
		return err
	}
	who, err := p.find(name)
	if err != nil {
		return err
	}
	if who.Name == "" {
		return usageError{errors.New("a blocked stranger is not verified: sotto contacts unblock, then add")}
	}
	words := contact.Words(p.vault.Key.Address(), who.Address)
	same := false
	if len(heard) > 0 {
		if err := compare(words, heard, who.Name); errors.Is(err, errWords) && who.Verified {
			return fmt.Errorf("%w; %s", err, stillMarked(who))
		} else if err != nil {
			return err
		}
		same = true
	} else if !cc.asJSON {
		if err := printWords(c, words); err != nil {
			return err
		}
		switch same, err = confirm(c.Context(), fmt.Sprintf("Does %s see the same words?", who.Name)); {
		case errors.Is(err, errInterrupted):
			return err
		case err != nil:
			note(c, "not marked, as nobody can be asked here: sotto contacts verify %s WORD ...", quoted(who.Name))
			return nil
		}
	}
	if same {
		mark := func(c *contact.Contact) { c.Verified = true }
		if err := p.edit(c.Context(), c.CommandPath(), func() error { return p.book.Change(who.Address, mark) }); err != nil {
			return err
		}
		who.Verified = true
	}
	switch {
	case cc.asJSON:
		d := described(who)
		d["words"] = words[:]
		return cc.json(c, d)
	case same:
		note(c, "%s is verified.", who.Name)
	case who.Verified:
		note(c, "If the words differ, one of you has a wrong address: exchange cards again, by another way. %s.", stillMarked(who))
	default:
		note(c, "%s is not marked. If the words differ, one of you has a wrong address: exchange cards again, by another way.", who.Name)
	}
	return nil
}

// stillMarked says how a mark that was given before is taken away.
func stillMarked(who contact.Contact) string {
	return fmt.Sprintf("%s stays marked as verified: sotto contacts verify --off %s takes that back", who.Name, quoted(who.Name))
}

// printWords shows them in three lines of four, numbered.
func printWords(c *cobra.Command, words [contact.WordCount]string) error {
	for i, w := range words {
		end := ""
		if i%4 == 3 {
			end = "\n"
		}
		if _, err := fmt.Fprintf(stdout(c), "%4d %-10s%s", i+1, w, end); err != nil {
			return err
		}
	}
	return nil
}
