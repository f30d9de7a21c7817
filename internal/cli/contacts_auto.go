package cli

import (
	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/identity/contact"
)

func (cc *contactsCommand) newAuto() *cobra.Command {
	var off bool
	c := &cobra.Command{
		Use:   "auto [--off] [--json] NAME",
		Short: "Answer somebody's calls without asking",
		Long: `Calls of this contact are answered at once while sotto up runs and no other call
is on: your microphone opens without a word from you. It is off for everybody
until you say so, and --off ends it.`,
		Example:           "  sotto contacts auto ann\n  sotto contacts auto --off ann",
		Args:              one("a name"),
		ValidArgsFunction: cc.completeNames,
		RunE: func(c *cobra.Command, args []string) error {
			return cc.change(c, func(p *people) error {
				who, err := p.find(args[0])
				if err != nil {
					return err
				}
				if who.Name == "" {
					return p.unknown(args[0])
				}
				who.Auto = !off
				p.saved = func() error {
					switch {
					case cc.asJSON:
						return cc.json(c, described(who))
					case off:
						note(c, "%s's calls ring again", who.Name)
					default:
						note(c, "%s's calls are answered without asking, with the microphone open: --off ends that", who.Name)
					}
					return nil
				}
				return p.book.Change(who.Address, func(c *contact.Contact) { c.Auto = who.Auto })
			})
		},
	}
	c.Flags().BoolVar(&off, "off", false, "let them ring again")
	return c
}
