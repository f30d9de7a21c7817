package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sottovoce/sotto/identity"
)

// Tor's own form of an onion service's identity is a folder (HiddenServiceDir)
// of three files. The headers are padded with zeros to 32 bytes.
const (
	torSecret, torSecretHeader = "hs_ed25519_secret_key", "== ed25519v1-secret: type0 ==\x00\x00\x00" // then 64 bytes, the expanded key
	torPublic, torPublicHeader = "hs_ed25519_public_key", "== ed25519v1-public: type0 ==\x00\x00\x00" // then 32 bytes
	torHostname                = "hostname"                                                           // the address and a line break
)

// ErrTor says that a folder does not hold an onion service's key, or one that
// does not agree with itself.
var ErrTor = errors.New("not an onion service's folder of tor's")

// FromTor reads the key of an onion service in tor's folder. The key is checked
// as always, and against the public key and the host name where these are
// there. Errors wrap [ErrTor].
func FromTor(dir string) (*identity.Key, error) {
	raw, err := readPrivate(filepath.Join(dir, torSecret), 96)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTor, err)
	}
	defer clear(raw)
	if len(raw) != 96 || !bytes.HasPrefix(raw, []byte(torSecretHeader)) {
		return nil, fmt.Errorf("%w: %s is not a v3 secret key", ErrTor, torSecret)
	}
	key, err := identity.KeyFromTor([64]byte(raw[32:]))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTor, err)
	}
	for name, want := range torNames(key.Address()) {
		f, err := os.Open(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTor, err)
		}
		got, err := io.ReadAll(io.LimitReader(f, int64(len(want))+1))
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTor, err)
		}
		if !bytes.Equal(got, want) {
			return nil, fmt.Errorf("%w: %s is of another address than %s", ErrTor, name, torSecret)
		}
	}
	return key, nil
}

// ToTor writes the key as tor's folder, byte for byte as tor does. dir must not
// be there, or be empty. Whoever reads it is the service.
func ToTor(dir string, key *identity.Key) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("exporting: %w", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		return errors.Join(err, fmt.Errorf("exporting: %s: %w: name a new folder", dir, fs.ErrExist))
	}
	if err := os.Chmod(dir, 0o700); err != nil { // tor refuses another
		return fmt.Errorf("exporting: %w", err)
	}
	raw := key.Tor()
	secret := append([]byte(torSecretHeader), raw[:]...)
	clear(raw[:])
	defer clear(secret)
	files := torNames(key.Address())
	files[torSecret] = secret
	for name, data := range files {
		if err := save(disk{}, filepath.Join(dir, name), data); err != nil {
			return fmt.Errorf("exporting: %w", err)
		}
	}
	return nil
}

// torNames are the files of tor's folder that follow from the address.
func torNames(a identity.Address) map[string][]byte {
	return map[string][]byte{
		torPublic:   append([]byte(torPublicHeader), a[:]...),
		torHostname: []byte(a.Onion() + "\n"),
	}
}
