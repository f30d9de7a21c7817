package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/vault"
)

type idCommand struct {
	*options
	yes, plain, tor, asJSON bool
}

func newID(o *options) *cobra.Command {
	ic := &idCommand{options: o}
	c := &cobra.Command{
		Use:   "id [--yes] [--no-passphrase] [--json]",
		Short: "Show your address, making an identity if there is none",
		Long: `Shows the onion address that others call you by. Without an identity it asks
whether to make one: a fresh key in the profile's folder, sealed with a
passphrase that you choose (or let it make up). Who has both the file and the
passphrase is you; who has lost one of them has lost the address: make a backup.

` + passphraseHelp + `
With --no-passphrase the key lies there unsealed, for whoever can read your
files. An identity that is there, even a damaged one, is never replaced.

The file is an age file (age-encryption.org): age -d opens it without sotto.`,
		Example: `  sotto id                              show the address; the first time, make one
  sotto id export backup.age            all of it, contacts too, in one sealed file
  sotto id import backup.age            the same back, on a new machine
  sotto id seal                         change the passphrase
  sotto id import --tor /var/lib/tor/x  take an onion service's key`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return ic.show(c) },
	}
	f := c.Flags()
	f.BoolVarP(&ic.yes, "yes", "y", false, "make an identity without asking whether to")
	ic.plainFlag(c)
	ic.jsonFlag(c)
	c.AddCommand(ic.newExport(), ic.newImport(), ic.newSeal())
	return c
}

func (ic *idCommand) plainFlag(c *cobra.Command) {
	c.Flags().BoolVar(&ic.plain, "no-passphrase", false, "do not seal it: whoever can read the file is you")
}

func (ic *idCommand) jsonFlag(c *cobra.Command) {
	c.Flags().BoolVar(&ic.asJSON, "json", false, "print one JSON object")
}

func (ic *idCommand) torFlag(c *cobra.Command) {
	c.Flags().BoolVar(&ic.tor, "tor", false, "a folder as tor's HiddenServiceDir, unsealed, in place of a backup")
}

// show prints the address, of an identity that is made if need be.
func (ic *idCommand) show(c *cobra.Command) error {
	home, err := ic.profile()
	if err != nil {
		return err
	}
	made := !vault.Exists(home)
	var v *vault.Vault
	var p *vault.Passphrase
	if made {
		v, err = ic.make(c, home)
	} else {
		v, p, err = ic.open(c.Context(), home)
	}
	p.Wipe()
	if err != nil {
		return err
	}
	return ic.print(c, v, home, made)
}

func (ic *idCommand) print(c *cobra.Command, v *vault.Vault, home string, made bool) error {
	address := v.Key.Address().Onion()
	if ic.asJSON {
		return json.NewEncoder(stdout(c)).Encode(map[string]any{
			"address": address, "file": vault.Path(home), "made": made, "sealed": v.Sealed,
		})
	}
	_, err := fmt.Fprintln(stdout(c), address)
	return err
}

func (ic *idCommand) make(c *cobra.Command, home string) (*vault.Vault, error) {
	ctx := c.Context()
	if !ic.yes {
		ok, err := confirm(ctx, fmt.Sprintf("There is no identity in %s yet. Make one?", home))
		if errors.Is(err, errInterrupted) {
			return nil, err
		}
		if err != nil {
			return nil, fmt.Errorf("%w (to make one without being asked whether to: sotto id --yes)", vault.ErrNone)
		}
		if !ok {
			return nil, vault.ErrNone
		}
	}
	p, err := ic.seal(ctx)
	if err != nil {
		return nil, err
	}
	defer p.Wipe()
	key, err := identity.NewKey(nil)
	if err != nil {
		return nil, err
	}
	v, err := vault.Create(home, key, p)
	if err == nil && p != nil {
		tell("%s", aim(c, "Keep a backup elsewhere (sotto id export FILE): without the file, or without the\npassphrase, the address is lost."))
	}
	return v, err
}

// seal is the passphrase to seal with; nil: none is wanted.
func (ic *idCommand) seal(ctx context.Context) (*vault.Passphrase, error) {
	if ic.plain {
		return nil, nil
	}
	return ic.newPassphrase(ctx)
}
