package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/identity/contact"
)

func (cc *contactsCommand) newAdd() *cobra.Command {
	return &cobra.Command{
		Use:   "add [--json] NAME [CARD]",
		Short: "Add somebody, by card or address",
		Long: `Gives somebody's address a name. It asks for the card or address on the terminal,
or finds it in standard input that is no terminal: a whole mail will do, as long
as there is one card in it. As an argument it would stand in process lists and
in the shell's history.

Names are yours alone. One that looks like another contact's, or mixes
alphabets, is warned about. A card with a key of somebody who is known without
one, under the same name, adds the key.`,
		Example: `  sotto contacts add ann
  sotto contacts add 'Ann from Oslo' < her.mail
  zbarimg -q --raw photo.png | sotto contacts add ann`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 2 {
				return misuse{fmt.Errorf("%s wants a name, and asks for the card (a name with spaces goes in quotes)", c.CommandPath())}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return cc.add(c, args) },
	}
}

func (cc *contactsCommand) add(c *cobra.Command, args []string) error {
	name, err := contact.CleanName(args[0])
	if err != nil {
		return err
	}
	text := strings.Join(args[1:], "")
	if text == "" {
		text = cc.pipedAll(false)
	}
	var card contact.Card
	if text != "" { // what is wrong with it comes before a passphrase is asked for
		if card, err = contact.FindCard(text); err != nil {
			return err
		}
	}
	p, err := cc.people(c.Context())
	if err != nil {
		return err
	}
	if text == "" {
		if text = cc.pipedAll(true); text == "" {
			card, err = askCard(c.Context(), name)
		} else {
			card, err = contact.FindCard(text)
		}
		if err != nil {
			return err
		}
	}
	return p.edit(c.Context(), c.CommandPath(), func() error {
		if card.Address == p.vault.Key.Address() {
			return errOwn
		}
		if known, is := p.book.Named(name); is && known.Address == card.Address && card.HasKey() && !known.HasKey() {
			return cc.addKey(c, p, known, card)
		}
		doubts := p.book.Doubts(name)
		who := contact.Contact{Name: name, Card: card}
		if err := p.book.Add(who); err != nil {
			return fmt.Errorf("%w%s", err, blockedHint(err))
		}
		p.saved = func() error { return cc.sayAdded(c, who, doubts) }
		return nil
	})
}

// addKey notes the key of somebody who was known by address alone.
func (cc *contactsCommand) addKey(c *cobra.Command, p *people, who contact.Contact, card contact.Card) error {
	who.Card = card
	if err := p.book.Change(card.Address, func(c *contact.Contact) { c.Key = card.Key }); err != nil {
		return err
	}
	p.saved = func() error {
		if cc.asJSON {
			return cc.json(c, described(who))
		}
		note(c, "%s's key is noted: they can find you when you are closed to others", who.Name)
		return nil
	}
	return nil
}

func (cc *contactsCommand) sayAdded(c *cobra.Command, who contact.Contact, doubts []string) error {
	for _, d := range doubts {
		note(c, "warning: %s", d)
	}
	if cc.asJSON {
		d := described(who)
		d["warnings"] = append([]string{}, doubts...)
		return cc.json(c, d)
	}
	note(c, "%s is in your contacts. To be sure of the address, compare words:\n  sotto contacts verify %s", who.Name, quoted(who.Name))
	return nil
}

func blockedHint(err error) string {
	if strings.Contains(err.Error(), "blocked") {
		return ": sotto contacts unblock ADDRESS first"
	}
	return ""
}

// askCard asks for a card on the terminal. One that was copied from a terminal
// may come as two lines, the second of which the shell would get.
func askCard(ctx context.Context, name string) (contact.Card, error) {
	line, err := ask(ctx, "Card or address of "+name+":")
	for more := " "; err == nil && more != "" && contact.Unfinished(line); line += more {
		more, err = ask(ctx, "The rest of the card (Return alone: that is all):")
	}
	if errors.Is(err, errInterrupted) {
		return contact.Card{}, err
	}
	if err != nil {
		return contact.Card{}, usageError{fmt.Errorf("whose card? %w: give the card on standard input", err)}
	}
	return contact.FindCard(line)
}

// alter is a command that changes somebody who is known.
func (cc *contactsCommand) alter(c *cobra.Command, text string, f func(*people, contact.Contact) (said string, err error)) error {
	return cc.change(c, func(p *people) error {
		who, err := p.find(text)
		if err != nil {
			return err
		}
		said, err := f(p, who)
		if err != nil {
			return err
		}
		p.saved = func() error {
			if !cc.asJSON {
				note(c, "%s", said)
				return nil
			}
			now, known := p.book.At(who.Address)
			if !known {
				return cc.json(c, map[string]any{"removed": described(who)})
			}
			return cc.json(c, described(now))
		}
		return nil
	})
}

func (cc *contactsCommand) newRename() *cobra.Command {
	return &cobra.Command{
		Use: "rename [--json] NAME NEW", SuggestFor: []string{"mv", "move"}, Short: "Give somebody another name",
		Long:    "Gives a contact another name; nobody else sees it.",
		Example: "  sotto contacts rename ann 'Ann from Oslo'",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return one("two names, the old and the new")(c, nil)
			}
			return nil
		},
		ValidArgsFunction: cc.completeNames,
		RunE: func(c *cobra.Command, args []string) error {
			return cc.alter(c, args[0], func(p *people, who contact.Contact) (string, error) {
				name, err := contact.CleanName(args[1])
				if err != nil {
					return "", err
				}
				for _, d := range p.book.Doubts(name) {
					if !strings.Contains(d, fmt.Sprintf("%q, whom", who.Name)) {
						note(c, "warning: %s", d)
					}
				}
				return fmt.Sprintf("%s is %s now", nameOf(who), name), p.book.Change(who.Address, func(c *contact.Contact) { c.Name = name })
			})
		},
	}
}

func (cc *contactsCommand) newRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove [--json] NAME", Short: "Forget somebody", SuggestFor: []string{"delete", "rm", "del", "forget"},
		Long:              "Takes somebody out of the list. Their calls are a stranger's then: to never hear of\nthem, block them instead.",
		Example:           "  sotto contacts remove ann",
		Args:              one("a name"),
		ValidArgsFunction: cc.completeNames,
		RunE: func(c *cobra.Command, args []string) error {
			return cc.alter(c, args[0], func(p *people, who contact.Contact) (string, error) {
				said := fmt.Sprintf("%s is forgotten", nameOf(who))
				if who.Name != "" {
					said += ": " + who.Address.Onion()
				}
				if who.Blocked {
					said += "\nand so is the block: their calls are a stranger's now. To go on with it:\n  sotto contacts block ADDRESS"
				}
				return said, p.book.Remove(who.Address)
			})
		},
	}
}

func (cc *contactsCommand) newBlock() *cobra.Command {
	return &cobra.Command{
		Use: "block [--json] NAME|ADDRESS", Short: "Never hear of somebody",
		Long: `Somebody who is blocked rings into the void: you are not told, and they cannot
know. Their key is what is blocked, so no alias of their address helps them; a
new identity does, of which they may make as many as they like.`,
		Example:           "  sotto contacts block mallory",
		Args:              one("a name or an address"),
		ValidArgsFunction: cc.completeNames,
		RunE: func(c *cobra.Command, args []string) error {
			return cc.blocking(c, args[0], true)
		},
	}
}

func (cc *contactsCommand) newUnblock() *cobra.Command {
	return &cobra.Command{
		Use: "unblock [--json] NAME|ADDRESS", Short: "Hear of somebody again",
		Long:              "Ends what sotto contacts block began.",
		Example:           "  sotto contacts unblock mallory",
		Args:              one("a name or an address"),
		ValidArgsFunction: cc.completeNames,
		RunE: func(c *cobra.Command, args []string) error {
			return cc.blocking(c, args[0], false)
		},
	}
}

func (cc *contactsCommand) blocking(c *cobra.Command, text string, on bool) error {
	return cc.change(c, func(p *people) error {
		who, err := p.peer(text)
		if err != nil {
			return err
		}
		if on && who.Address == p.vault.Key.Address() {
			return errOwn
		}
		said := "is blocked: you will not hear of their calls, nor they of that"
		if on {
			err = p.book.Block(who.Card)
		} else {
			said = "is not blocked any more"
			err = p.book.Unblock(who.Address)
		}
		if err != nil {
			return err
		}
		p.saved = func() error {
			if cc.asJSON {
				d := described(who)
				d["blocked"] = on
				return cc.json(c, d)
			}
			note(c, "%s %s", nameOf(who), said)
			return nil
		}
		return nil
	})
}

func (cc *contactsCommand) newImport() *cobra.Command {
	return &cobra.Command{
		Use:   "import [--json] FILE",
		Short: "Add many, from a file of cards and names",
		Long: `Reads lines of a card (or address) and a name, in this order or the other, and adds
those who are new. FILE may be - for standard input. Empty lines and those that
begin with # are passed over. Nobody is verified by that. To move your own list
use sotto id export, which keeps everything.`,
		Example: "  sotto contacts list --cards > friends.txt\n  sotto contacts import friends.txt",
		Args:    one("a file"),
		RunE:    func(c *cobra.Command, args []string) error { return cc.bring(c, args[0]) },
	}
}

// maxRefusals is how many lines are told of, each.
const maxRefusals = 10

func (cc *contactsCommand) bring(c *cobra.Command, path string) error {
	text, err := readAll(path)
	if err != nil {
		return err
	}
	var added, known, refused int
	err = cc.change(c, func(p *people) error {
		lines := bufio.NewScanner(bytes.NewReader(text))
		for number := 1; lines.Scan(); number++ {
			line := strings.TrimSpace(lines.Text())
			if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "sotto contacts ") || strings.HasPrefix(line, "policy\t") {
				continue
			}
			who, err := readEntry(line)
			doubts := p.book.Doubts(who.Name)
			if err == nil {
				if _, is := p.book.At(who.Address); is {
					known++
					continue
				}
				err = p.book.Add(who)
			}
			if err != nil {
				if refused++; refused <= maxRefusals {
					note(c, "line %d: %v", number, err)
				}
				continue
			}
			added++
			for _, d := range doubts {
				note(c, "line %d: warning: %s", number, d)
			}
		}
		if lines.Err() != nil {
			return usageError{fmt.Errorf("%s has lines that are too long for a card and a name: is it the right file? Nothing was added", path)}
		}
		if refused > maxRefusals {
			note(c, "and %d lines more", refused-maxRefusals)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if cc.asJSON {
		err = cc.json(c, map[string]int{"added": added, "known": known, "refused": refused})
	} else {
		note(c, "%d added, %d known already, %d refused", added, known, refused)
	}
	if err == nil && refused > 0 {
		err = usageError{fmt.Errorf("%d lines were refused", refused)}
	}
	return err
}

// readEntry reads a card and a name, the card first or last. A line of the
// list itself, with marks between tabs, is read too; its marks count for nothing.
func readEntry(line string) (contact.Contact, error) {
	fields := strings.Fields(line)
	if parts := strings.Split(line, "\t"); len(parts) == 3 {
		fields = []string{parts[0], parts[2]}
	}
	if len(fields) < 2 {
		return contact.Contact{}, errors.New("a card and a name are wanted")
	}
	last := len(fields) - 1
	at, name := fields[0], fields[1:]
	if !contact.LooksLikeAddress(at) && contact.LooksLikeAddress(fields[last]) {
		at, name = fields[last], fields[:last]
	}
	card, err := contact.ParseCard(at)
	return contact.Contact{Name: strings.Join(name, " "), Card: card}, err
}
