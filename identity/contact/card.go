package contact

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"github.com/sottovoce/sotto/identity"
)

// Card is what one gives to a friend, and no secret: an address, and perhaps the
// public X25519 key by which its owner would come to an onion service that is
// closed to others (tor's client authorisation). As text it is one line of
// letters, digits and three signs, which a QR code holds well and in which
// capital and small letters are alike:
//
//	sotto:<address, 56>-<sum, 8>
//	sotto:<address, 56>-<key, 52>-<sum, 8>
//
// all in base32 (RFC 4648, small letters, no padding). The sum is the first 40
// bits of SHA-256("sotto card 1" ‖ address (32 bytes) ‖ key (32, or none)).
type Card struct {
	Address identity.Address
	Key     [32]byte // zeros: none
}

// ErrCard says that a text is not a card.
var ErrCard = errors.New("not a card")

const cardScheme = "sotto:"

var cardBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// HasKey says whether there is a key for client authorisation.
func (c Card) HasKey() bool { return c.Key != [32]byte{} }

// Text is the card as a line of text, without a line break.
func (c Card) Text() string {
	address := strings.TrimSuffix(c.Address.Onion(), ".onion")
	data := append([]byte("sotto card 1"), c.Address[:]...)
	key := ""
	if c.HasKey() {
		data = append(data, c.Key[:]...)
		key = "-" + cardBase32.EncodeToString(c.Key[:])
	}
	sum := sha256.Sum256(data)
	return cardScheme + address + key + "-" + cardBase32.EncodeToString(sum[:5])
}

// ParseCard reads a card, or a bare address, as a person pastes it. Errors wrap
// [ErrCard] or are those of [identity.Parse].
func ParseCard(text string) (Card, error) {
	t := strings.ToLower(strings.TrimSpace(text))
	if !strings.HasPrefix(t, cardScheme) || strings.HasPrefix(t, cardScheme+"//") {
		a, err := identity.Parse(text)
		return Card{Address: a}, err
	}
	c, err := readCard(t)
	if err != nil {
		return Card{}, err
	}
	if _, err := identity.FromBytes(c.Address[:]); err != nil {
		return Card{}, fmt.Errorf("%w: %w", ErrCard, err)
	}
	if c.HasKey() {
		if err := checkKey(c.Key); err != nil {
			return Card{}, fmt.Errorf("%w: %w", ErrCard, err)
		}
	}
	return c, nil
}

// readCard reads a card's text, whose address and key were checked before or
// are yet to be. What it takes is exactly what Text writes.
func readCard(text string) (c Card, err error) {
	parts := strings.Split(strings.TrimPrefix(text, cardScheme), "-")
	if len(parts) > 3 || len(parts[0]) != 56 || len(parts[len(parts)-1]) != 8 || len(parts) == 3 && len(parts[1]) != 52 {
		return c, fmt.Errorf("%w: a part of it is missing or too long, copy it again", ErrCard)
	}
	if strings.ContainsAny(text, "\r\n") { // which base32 would pass over
		return c, fmt.Errorf("%w: it has a line break in it, copy it as one line", ErrCard)
	}
	raw, err := cardBase32.DecodeString(parts[0])
	if err != nil {
		return c, fmt.Errorf("%w: it has characters other than a-z, 2-7 and -", ErrCard)
	}
	c.Address = identity.Address(raw[:32])
	if len(parts) == 3 {
		if raw, err = cardBase32.DecodeString(parts[1]); err != nil {
			return c, fmt.Errorf("%w: it has characters other than a-z, 2-7 and -", ErrCard)
		}
		c.Key = [32]byte(raw)
	}
	if c.Text() != text {
		return c, fmt.Errorf("%w: it does not add up: a character is wrong, copy it again", ErrCard)
	}
	return c, nil
}

// checkKey refuses a key that would let anyone in, on which tor breaks, or that
// has two spellings.
func checkKey(key [32]byte) error {
	top := [32]byte{0xed}
	for i := 1; i < 31; i++ {
		top[i] = 0xff
	}
	top[31] = 0x7f // 2^255 − 19, little endian
	for i := 31; ; i-- {
		if key[i] < top[i] {
			break
		}
		if key[i] > top[i] || i == 0 {
			return errors.New("its key is not canonical")
		}
	}
	public, err := ecdh.X25519().NewPublicKey(key[:])
	if err != nil {
		return err
	}
	one, err := ecdh.X25519().NewPrivateKey(append(make([]byte, 31), 64))
	if err != nil {
		return err
	}
	if _, err := one.ECDH(public); err != nil {
		return errors.New("its key is of small order: do not trust who sent it")
	}
	return nil
}

// AuthKey is the key by which key's owner comes to onion services that are
// closed to others: HKDF-SHA256 over tor's 64-byte key. Its public half is what
// a card has.
func AuthKey(key *identity.Key) (*ecdh.PrivateKey, error) {
	raw := key.Tor()
	defer clear(raw[:])
	secret, err := hkdf.Key(sha256.New, raw[:], nil, "sotto client authorisation 1", 32)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	return ecdh.X25519().NewPrivateKey(secret)
}
