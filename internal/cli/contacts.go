package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/identity/contact"
)

type contactsCommand struct {
	*options
	asJSON bool
}

func newContacts(o *options) *cobra.Command {
	cc := &contactsCommand{options: o}
	c := &cobra.Command{
		Use:   "contacts",
		Short: "People you know: names, cards, who may ring",
		Long: `Keeps names for people's addresses. You give the names; nobody else sees them.
To know each other, two people

  1. exchange cards, by copy and paste or by a QR code:
       sotto contacts card                 show mine
       sotto contacts add ann              paste hers
  2. compare twelve words, in person or by a voice they know:
       sotto contacts verify ann
  3. call:
       sotto call ann

Only contacts ring, unless sotto contacts policy says otherwise. The list is
sealed with the identity. While sotto up runs, changes count from when the command
returns, also for who rings at that moment.`,
		Example: `  sotto contacts add ann                   asks for her card or address
  sotto contacts add ann < ann.card
  zbarimg -q --raw photo.png | sotto contacts add ann
  sotto contacts list
  sotto contacts block mallory`,
		Args: knownVerb,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(cc.newAdd(), cc.newList(), cc.newShow(), cc.newRename(), cc.newRemove(),
		cc.newBlock(), cc.newUnblock(), cc.newCard(), cc.newImport(), cc.newVerify(), cc.newAuto(), cc.newPolicy())
	for _, sub := range c.Commands() {
		sub.Flags().BoolVar(&cc.asJSON, "json", false, "print JSON")
		sub.DisableFlagsInUseLine = true
	}
	return c
}

// knownVerb refuses what is no command here, and says which was meant.
func knownVerb(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	hint := ""
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf(": did you mean %s %s?", c.CommandPath(), near[0])
	}
	return misuse{fmt.Errorf("there is no %s %s%s", c.CommandPath(), args[0], hint)}
}

// described is a contact as JSON.
func described(c contact.Contact) map[string]any {
	d := map[string]any{"name": c.Name, "address": c.Address.Onion(), "card": c.Text(), "verified": c.Verified, "blocked": c.Blocked, "auto": c.Auto}
	if c.Name == "" {
		d["name"] = nil
	}
	return d
}

func (cc *contactsCommand) json(c *cobra.Command, v any) error {
	return json.NewEncoder(stdout(c)).Encode(v)
}

// note writes a line for the person, away from the data.
func note(c *cobra.Command, format string, args ...any) {
	fmt.Fprintln(c.ErrOrStderr(), aim(c, fmt.Sprintf(format, args...)))
}

func (cc *contactsCommand) newList() *cobra.Command {
	var cards bool
	c := &cobra.Command{
		Use:     "list [--cards] [--json]",
		Short:   "List everybody",
		Long:    "Lists contacts, and strangers who are blocked. With --cards it prints a card and a\nname a line, which sotto contacts import reads.",
		Example: "  sotto contacts list\n  sotto contacts list --cards > friends.txt",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			p, err := cc.people(c.Context())
			if err != nil {
				return err
			}
			list := p.book.List()
			if cc.asJSON {
				all := make([]any, 0, len(list))
				for _, who := range list {
					all = append(all, described(who))
				}
				return cc.json(c, all)
			}
			if len(list) == 0 {
				note(c, "no contacts yet: sotto contacts add NAME")
			}
			return printList(c, list, cards)
		},
	}
	c.Flags().BoolVar(&cards, "cards", false, "print a card and a name a line, without those who are blocked")
	return c
}

func printList(c *cobra.Command, list []contact.Contact, cards bool) error {
	w := tabwriter.NewWriter(stdout(c), 0, 0, 2, ' ', 0)
	for _, who := range list {
		switch {
		case cards && who.Blocked:
		case cards:
			fmt.Fprintf(w, "%s %s\n", who.Text(), who.Name)
		case who.Name == "":
			fmt.Fprintf(w, "(a stranger)\t%s\tblocked\n", who.Address.Onion())
		default:
			fmt.Fprintf(w, "%s\t%v\t%s\n", who.Name, who.Address, strings.Join(marks(who), ", "))
		}
	}
	return w.Flush()
}

func marks(c contact.Contact) (m []string) {
	if c.Blocked {
		m = append(m, "blocked")
	}
	if c.Auto {
		m = append(m, "answered without asking")
	}
	if c.Verified {
		return append(m, "verified")
	}
	return append(m, "not verified")
}

func (cc *contactsCommand) newShow() *cobra.Command {
	return &cobra.Command{
		Use:               "show [--json] NAME",
		Short:             "Show all about somebody",
		Long:              "Shows a contact's address, card and marks. Instead of a name an address will do.",
		Example:           "  sotto contacts show ann",
		Args:              one("a name"),
		ValidArgsFunction: cc.completeNames,
		RunE: func(c *cobra.Command, args []string) error {
			p, err := cc.people(c.Context())
			if err != nil {
				return err
			}
			who, err := p.find(args[0])
			if err != nil {
				return err
			}
			if cc.asJSON {
				return cc.json(c, described(who))
			}
			_, err = fmt.Fprintf(stdout(c), "name     %s\naddress  %s\ncard     %s\nmarks    %s\n", cmp.Or(who.Name, "(a stranger)"), who.Address.Onion(), who.Text(), strings.Join(marks(who), ", "))
			return err
		},
	}
}
