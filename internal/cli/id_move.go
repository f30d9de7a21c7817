package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sottovoce/sotto/identity/vault"
)

// one wants exactly one argument, and says what it is.
func one(what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return misuse{fmt.Errorf("%s wants %s, and nothing else (a name with spaces goes in quotes)", c.CommandPath(), what)}
		}
		return nil
	}
}

func (ic *idCommand) newExport() *cobra.Command {
	c := &cobra.Command{
		Use:   "export [--no-passphrase] [--tor] FILE",
		Short: "Write a backup: identity and contacts, sealed",
		Long: `Writes identity and contacts into one new file, sealed with the passphrase of the
profile (an unsealed one asks for one). sotto id import reads it, and so does
plain age -d. FILE may be - for standard output.

With --tor it writes a folder as tor keeps one for an onion service, byte for
byte: hs_ed25519_secret_key, hs_ed25519_public_key and hostname. That is never
sealed: whoever has it is you.`,
		Example: "  sotto id export /media/stick/sotto.age\n  sotto id export --tor hidden_service\n  age -d sotto.age",
		Args:    one("a file"),
		RunE:    func(c *cobra.Command, args []string) error { return ic.export(c, args[0]) },
	}
	ic.plainFlag(c)
	ic.torFlag(c)
	return c
}

func (ic *idCommand) export(c *cobra.Command, path string) error {
	home, err := ic.profile()
	if err != nil {
		return err
	}
	v, p, err := ic.open(c.Context(), home)
	if err != nil {
		return err
	}
	defer p.Wipe()
	if ic.tor {
		return vault.ToTor(path, v.Key)
	}
	contacts, err := v.Contacts()
	if err != nil {
		return err
	}
	defer clear(contacts)
	if ic.plain {
		p.Wipe()
		p = nil
	} else if p == nil {
		if p, err = ic.newPassphrase(c.Context()); err != nil {
			return err
		}
	}
	backup, err := vault.Backup(v.Key, contacts, p)
	if err != nil {
		return err
	}
	if path == "-" {
		_, err := stdout(c).Write(backup)
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("exporting: %w", err)
	}
	_, err = f.Write(backup)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(path)
		return fmt.Errorf("exporting: %w", err)
	}
	return nil
}

func (ic *idCommand) newImport() *cobra.Command {
	c := &cobra.Command{
		Use:   "import [--no-passphrase] [--tor] FILE",
		Short: "Read a backup, or an onion service's folder of tor's",
		Long: `Makes the identity of a profile that has none: from a backup or an identity file
of sotto's, which keeps its passphrase, or with --tor from the folder that tor
keeps for an onion service (HiddenServiceDir). FILE may be - for standard input.

The key is checked: that tor and sotto take it for the same address, and that
public key and host name agree. An identity that is there is never replaced. Do
not let tor publish the same service elsewhere: the last to publish wins.`,
		Example: "  sotto id import sotto.age\n  sotto id import --tor /var/lib/tor/hidden_service",
		Args:    one("a file"),
		RunE:    func(c *cobra.Command, args []string) error { return ic.bring(c, args[0]) },
	}
	ic.plainFlag(c)
	ic.jsonFlag(c)
	ic.torFlag(c)
	return c
}

func (ic *idCommand) bring(c *cobra.Command, path string) error {
	home, err := ic.profile()
	if err != nil {
		return err
	}
	if vault.Exists(home) {
		return fmt.Errorf("%s: %w: take another profile with --home", vault.Path(home), vault.ErrExists)
	}
	var v *vault.Vault
	if ic.tor {
		v, err = ic.bringTor(c, home, path)
	} else {
		v, err = ic.bringBackup(c, home, path)
	}
	if err != nil {
		return err
	}
	return ic.print(c, v, home, true)
}

func (ic *idCommand) bringTor(c *cobra.Command, home, dir string) (*vault.Vault, error) {
	key, err := vault.FromTor(dir)
	if err != nil {
		return nil, err
	}
	p, err := ic.seal(c.Context())
	if err != nil {
		return nil, err
	}
	defer p.Wipe()
	return vault.Create(home, key, p)
}

func (ic *idCommand) bringBackup(c *cobra.Command, home, path string) (*vault.Vault, error) {
	var p *vault.Passphrase
	defer func() { p.Wipe() }()
	backup, err := readAll(path)
	if err != nil {
		return nil, err
	}
	ask := func() (*vault.Passphrase, error) {
		p, err = ic.passphrase(c.Context(), "Passphrase of the backup:")
		return p, err
	}
	with := func() (*vault.Passphrase, error) {
		if ic.plain {
			return nil, nil
		}
		if p == nil { // the backup is not sealed
			p, err = ic.newPassphrase(c.Context())
		}
		return p, err
	}
	return vault.Restore(home, backup, ask, with)
}

// maxBackup is how much is read as a backup, in bytes.
const maxBackup = 64 << 20

func readAll(path string) ([]byte, error) {
	f := os.Stdin
	if path != "-" {
		var err error
		if f, err = os.Open(filepath.Clean(path)); err != nil {
			return nil, fmt.Errorf("importing: %w", err)
		}
		defer f.Close()
	}
	b, err := io.ReadAll(io.LimitReader(f, maxBackup))
	if err != nil {
		return nil, fmt.Errorf("importing: %w", err)
	}
	return b, nil
}

func (ic *idCommand) newSeal() *cobra.Command {
	c := &cobra.Command{
		Use:   "seal [--no-passphrase]",
		Short: "Seal the identity with another passphrase",
		Long: `Asks for the passphrase, then for a new one, and seals the identity anew; the
contacts go with it. With --no-passphrase the seal is taken off. What the file
held before may stay on the disk for a time, and in backups: if somebody has
the old passphrase and an old copy, only a new identity helps.

` + passphraseHelp,
		Example: "  sotto id seal",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return ic.reseal(c) },
	}
	ic.plainFlag(c)
	return c
}

func (ic *idCommand) reseal(c *cobra.Command) error {
	home, err := ic.profile()
	if err != nil {
		return err
	}
	v, old, err := ic.open(c.Context(), home)
	if err != nil {
		return err
	}
	old.Wipe()
	p, err := ic.seal(c.Context())
	if err != nil {
		return err
	}
	defer p.Wipe()
	if err := v.Reseal(p); err != nil {
		return err
	}
	if p == nil {
		tell("The identity is not sealed any more.")
	} else {
		tell("The identity is sealed with the new passphrase.")
	}
	return nil
}
