package contact_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/edwards25519"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
)

func cards(t testing.TB) (plain, keyed contact.Card) {
	t.Helper()
	key := newKey(t, 1)
	auth, err := contact.AuthKey(key)
	if err != nil {
		t.Fatal(err)
	}
	plain = contact.Card{Address: key.Address()}
	keyed = contact.Card{Address: key.Address(), Key: [32]byte(auth.PublicKey().Bytes())}
	return plain, keyed
}

func TestACardIsReadAsItIsPasted(t *testing.T) {
	plain, keyed := cards(t)
	for _, want := range []contact.Card{plain, keyed} {
		text := want.Text()
		for _, pasted := range []string{text, "  " + text + "\r\n", strings.ToUpper(text), "Sotto:" + text[6:]} {
			if got, err := contact.ParseCard(pasted); err != nil || got != want {
				t.Errorf("%q: %v, %v", pasted, got, err)
			}
		}
	}
	for _, pasted := range []string{plain.Address.Onion(), "sotto://" + plain.Address.Onion(), "HTTP://" + strings.ToUpper(plain.Address.Onion()) + "/"} {
		if got, err := contact.ParseCard(pasted); err != nil || got != plain {
			t.Errorf("%q: %v, %v", pasted, got, err)
		}
	}
	if _, err := contact.ParseCard("expyuzz4wqqyqhjn.onion"); !errors.Is(err, identity.ErrV2) {
		t.Error(err)
	}
}

// Every truncation and every changed character is refused; in particular no
// card with a key is taken for one without.
func TestADamagedCardIsRefused(t *testing.T) {
	plain, keyed := cards(t)
	for _, c := range []contact.Card{plain, keyed} {
		text := c.Text()
		for i := len("sotto:"); i < len(text); i++ {
			if got, err := contact.ParseCard(text[:i]); !errors.Is(err, contact.ErrCard) {
				t.Errorf("cut to %d: %v, %v", i, got, err)
			}
			for _, other := range "az27-=1" {
				changed := text[:i] + string(other) + text[i+1:]
				if got, err := contact.ParseCard(changed); changed != text && !errors.Is(err, contact.ErrCard) {
					t.Errorf("%s: %v, %v", changed, got, err)
				}
			}
		}
	}
	address, key := plain.Text()[6:62], keyed.Text()[63:115]
	for _, text := range []string{"sotto:", "sotto:" + address, "sotto:-" + address, "sotto:" + address + "-" + key, plain.Text() + "-" + plain.Text()[63:], plain.Text() + " Ann"} {
		if got, err := contact.ParseCard(text); !errors.Is(err, contact.ErrCard) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// A card whose sum is right but whose address or key is not fit for use.
func TestAHostileCardIsRefused(t *testing.T) {
	plain, _ := cards(t)
	p, err := new(edwards25519.Point).SetBytes(plain.Address[:])
	if err != nil {
		t.Fatal(err)
	}
	four, err := new(edwards25519.Point).SetBytes(make([]byte, 32)) // of order 4
	if err != nil {
		t.Fatal(err)
	}
	hostile := map[string]contact.Card{"torsion": {Address: identity.Address(p.Add(p, four).Bytes())}}
	prime := bytes.Repeat([]byte{0xff}, 32) // 2^255 − 19, little endian
	prime[0], prime[31] = 0xed, 0x7f
	for what, key := range map[string][]byte{
		"one": append([]byte{1}, make([]byte, 31)...), "p": prime, "p + 1": append([]byte{0xee}, prime[1:]...), "p − 1": append([]byte{0xec}, prime[1:]...),
		"a set top bit": append(make([]byte, 31), 0x89), "of order 8": unhex(t, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
	} {
		hostile["key: "+what] = contact.Card{Address: plain.Address, Key: [32]byte(key)}
	}
	for what, c := range hostile {
		if got, err := contact.ParseCard(c.Text()); !errors.Is(err, contact.ErrCard) {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	// Nine, the base point, is a key like any other.
	nine := contact.Card{Address: plain.Address, Key: [32]byte{9}}
	if _, err := contact.ParseCard(nine.Text()); err != nil {
		t.Error(err)
	}
}

func unhex(t *testing.T, s string) (b []byte) {
	t.Helper()
	if _, err := fmt.Sscanf(s, "%x", &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// As docs/contacts.md has it, worked out once more.
func TestCardsOfThePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/contacts.md")
	if err != nil {
		t.Fatal(err)
	}
	plain, keyed := cards(t)
	base := base32.StdEncoding.WithPadding(base32.NoPadding)
	sum := sha256.Sum256(append(append([]byte("sotto card 1"), keyed.Address[:]...), keyed.Key[:]...))
	want := strings.ToLower("sotto:" + strings.TrimSuffix(keyed.Address.Onion(), ".onion") + "-" + base.EncodeToString(keyed.Key[:]) + "-" + base.EncodeToString(sum[:5]))
	if keyed.Text() != want {
		t.Errorf("%s\nnot %s", keyed.Text(), want)
	}
	for _, c := range []contact.Card{plain, keyed} {
		if !strings.Contains(string(page), c.Text()) {
			t.Errorf("docs/contacts.md lacks %s", c.Text())
		}
	}
}

func TestTheKeyOfACardIsOnesOwn(t *testing.T) {
	a, err := contact.AuthKey(newKey(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	b, err := contact.AuthKey(newKey(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if a.Equal(b) || a.Equal(other) || a.Equal(newKey(t, 1).ECDH()) {
		t.Error("keys are alike that should not be")
	}
}

// What the terminal shows is read by a camera's software: with the terminal's
// own colours, and drawn on a dark ground and on a light one.
func TestTheCodeIsReadFromAPicture(t *testing.T) {
	if _, err := exec.LookPath("zbarimg"); err != nil {
		t.Fatal("no zbarimg here: install the package zbar-tools (./setup.sh test)")
	}
	dark, light := color.Gray{12}, color.Gray{240}
	plain, keyed := cards(t)
	for name, c := range map[string]contact.Card{"plain": plain, "keyed": keyed} {
		for _, look := range []struct {
			name   string
			scheme contact.Scheme
			letter color.Gray // of the terminal
			ground color.Gray
		}{
			{"coloured on dark", contact.Colour, light, dark},
			{"coloured on light", contact.Colour, dark, light},
			{"dark", contact.Dark, light, dark},
			{"light", contact.Light, dark, light},
		} {
			text, err := c.QR(look.scheme)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(text, "\n"); n > 23 {
				t.Errorf("%s: %d lines", name, n)
			}
			path := filepath.Join(t.TempDir(), "card.png")
			render(t, path, text, look.letter, look.ground)
			out, err := exec.Command("zbarimg", "--quiet", "--raw", "--nodbus", path).Output()
			if err != nil {
				t.Errorf("%s, %s: %v: %s", name, look.name, err, text)
				continue
			}
			if got, err := contact.ParseCard(string(out)); err != nil || got != c {
				t.Errorf("%s, %s: %q, %v", name, look.name, out, err)
			}
		}
	}
}

// render draws text as a terminal does, eight pixels to a character's width and
// sixteen to its height, with a margin.
func render(t *testing.T, path, text string, letter, ground color.Gray) {
	t.Helper()
	const w, h, margin = 8, 16, 40
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	wide := 0
	for _, l := range lines {
		wide = max(wide, len([]rune(l)))
	}
	img := image.NewGray(image.Rect(0, 0, wide*w+2*margin, len(lines)*h+2*margin))
	draw.Draw(img, img.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)
	for y, line := range lines {
		fg, bg := letter, ground
		if rest, coloured := strings.CutPrefix(line, "\x1b[38;5;16;48;5;231m"); coloured {
			fg, bg = color.Gray{0}, color.Gray{255}
			line = strings.TrimSuffix(rest, "\x1b[0m")
		}
		for x, r := range []rune(line) {
			at := image.Rect(margin+x*w, margin+y*h, margin+(x+1)*w, margin+(y+1)*h)
			top, bottom := bg, bg
			switch r {
			case '█':
				top, bottom = fg, fg
			case '▀':
				top = fg
			case '▄':
				bottom = fg
			case ' ':
			default:
				t.Fatalf("an unexpected character: %q", r)
			}
			middle := at.Min.Y + h/2
			draw.Draw(img, image.Rect(at.Min.X, at.Min.Y, at.Max.X, middle), image.NewUniform(top), image.Point{}, draw.Src)
			draw.Draw(img, image.Rect(at.Min.X, middle, at.Max.X, at.Max.Y), image.NewUniform(bottom), image.Point{}, draw.Src)
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, img), f.Close()); err != nil {
		t.Fatal(err)
	}
}
