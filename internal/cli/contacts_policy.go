package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/identity/contact"
)

// policyFlags are the flags that say who may ring.
type policyFlags struct {
	said   contact.Policy
	silent []string
}

func (p *policyFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.Var(&p.said.Ring, "from", "whose calls ring")
	f.Var(&p.said.Missed, "missed", "whose calls are listed as missed if they do not ring")
	f.StringSliceVar(&p.silent, "silent", nil, "nobody rings in this time of the day, as 22:00-07:30; may be given again; no: at no time")
}

// read is what the flags say, and nothing where they say nothing.
func (p *policyFlags) read() (contact.Policy, error) {
	if p.silent == nil {
		return p.said, nil
	}
	var err error
	if p.said.Silent, err = contact.ParseSpans(p.silent); err != nil {
		return p.said, usageError{err}
	}
	return p.said, nil
}

func (cc *contactsCommand) newPolicy() *cobra.Command {
	var flags policyFlags
	c := &cobra.Command{
		Use:   "policy [--from contacts|anyone] [--missed contacts|anyone] [--silent FROM-TO] [--json]",
		Short: "Show or set who may ring, and when",
		Long: `Shows whose calls ring, whose are listed as missed, and the times of the day in
which nobody rings; with flags it sets what they name and leaves the rest. It is
kept with the contacts, sealed. sotto up goes by it, at once if it runs already,
except for what its own flags say. Blocked people never ring.`,
		Example: `  sotto contacts policy                        show
  sotto contacts policy --silent 22:00-07:30   nobody rings at night
  sotto contacts policy --silent no            they do again
  sotto contacts policy --from anyone          strangers ring, too
  sotto contacts policy --missed contacts      strangers are not even listed`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			said, err := flags.read()
			if err != nil {
				return err
			}
			if c.Flags().Changed("from") || c.Flags().Changed("missed") || c.Flags().Changed("silent") {
				return cc.change(c, func(p *people) error {
					p.book.Policy = p.book.Policy.With(said)
					p.saved = func() error { return cc.printPolicy(c, p.book.Policy) }
					return nil
				})
			}
			p, err := cc.people(c.Context())
			if err != nil {
				return err
			}
			return cc.printPolicy(c, p.book.Policy)
		},
	}
	flags.flags(c)
	return c
}

func (cc *contactsCommand) printPolicy(c *cobra.Command, p contact.Policy) error {
	p = p.Plain()
	if cc.asJSON {
		times := []string{}
		for _, s := range p.Silent {
			times = append(times, s.String())
		}
		return cc.json(c, map[string]any{"from": p.Ring.String(), "missed": p.Missed.String(), "silent": times})
	}
	times := p.Times(", ")
	if times == "" {
		times = "no"
	}
	_, err := fmt.Fprintf(stdout(c), "from     %s\nmissed   %s\nsilent   %s\n", &p.Ring, &p.Missed, times)
	return err
}
