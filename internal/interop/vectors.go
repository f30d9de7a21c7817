// Package interop holds the protocol against a second reading of it.
//
// docs/vectors has the protocol's cases as data, one JSON file each: what must
// work, byte for byte, and what must be refused, with the stage at which it is.
// Its README.md describes the files; [Read] reads them. They are written by
//
//	go test ./internal/interop -run TestVectors -update
//
// and read, exactly as they lie there, by the tests of this package, by those
// of call, and by python/vectors.py.
//
// python/ is the second reading: an implementation in another language and
// style, written from docs/protocol.md alone. The tests here let it call a real
// call.Line over a socket, be called by call.Dial, join, talk and hang up.
package interop

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Hex is bytes, written as hexadecimal digits.
type Hex []byte

// MarshalText writes small letters.
func (h Hex) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// UnmarshalText reads them.
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// Case is one vector.
type Case struct {
	Name  string `json:"-"` // the file's, without .json
	About string `json:"about"`
	Kind  string `json:"kind"`
	Stage string `json:"stage"` // at which it is refused, or "ok"
	In    In     `json:"in"`
	Out   Out    `json:"out"`
}

// In is what one side has and gets. Which fields a kind uses: README.md there.
type In struct {
	Expanded      Hex       `json:"expanded,omitempty"` // 64: this side's secret key
	Onion         string    `json:"onion,omitempty"`
	Point         Hex       `json:"point,omitempty"` // 32, perhaps an address
	Offer         [3]uint16 `json:"offer,omitzero"`  // versions, profiles, paces
	Ephemeral     Hex       `json:"ephemeral,omitempty"`
	KEMSeed       Hex       `json:"kem_seed,omitempty"`      // 64: d and z of FIPS 203
	Encapsulation Hex       `json:"encapsulation,omitempty"` // 32: m of FIPS 203
	Callee        Hex       `json:"callee,omitempty"`        // 32: the address dialled
	CallID        Hex       `json:"call_id,omitempty"`
	Paths         uint8     `json:"paths,omitempty"`
	M1            Hex       `json:"m1,omitempty"`
	M2            Hex       `json:"m2,omitempty"`
	M3            Hex       `json:"m3,omitempty"`

	Secrets *Secrets `json:"secrets,omitempty"`
	Burned  []int    `json:"burned,omitempty"` // numbers that joined before
	Number  int      `json:"number,omitempty"`
	Nc      Hex      `json:"nc,omitempty"`
	Ns      Hex      `json:"ns,omitempty"`
	Block   Hex      `json:"block,omitempty"`

	Key     Hex   `json:"key,omitempty"`
	Before  int   `json:"before,omitempty"` // records that came before
	Profile int   `json:"profile,omitempty"`
	Blocks  []Hex `json:"blocks,omitempty"`
	Pieces  []Hex `json:"pieces,omitempty"`
}

// Out is what must come of it.
type Out struct {
	Address Hex      `json:"address,omitempty"`
	Onion   string   `json:"onion,omitempty"`
	X25519  Hex      `json:"x25519,omitempty"`
	M1      Hex      `json:"m1,omitempty"`
	M2      Hex      `json:"m2,omitempty"`
	Choice  [3]uint8 `json:"choice,omitzero"` // version, profile, pace
	M3      Hex      `json:"m3,omitempty"`
	Caller  Hex      `json:"caller,omitempty"`
	CallID  Hex      `json:"call_id,omitempty"`
	Paths   uint8    `json:"paths,omitempty"`
	Secrets *Secrets `json:"secrets,omitempty"`

	Links  []Link `json:"links,omitempty"`
	Number int    `json:"number,omitempty"`
	Nc     Hex    `json:"nc,omitempty"`
	Ns     Hex    `json:"ns,omitempty"`
	Block  Hex    `json:"block,omitempty"`
	Kc     Hex    `json:"kc,omitempty"`
	Ks     Hex    `json:"ks,omitempty"`

	Plains   []Hex     `json:"plains,omitempty"`
	Contents []Content `json:"contents,omitempty"`
	Messages []Message `json:"messages,omitempty"`
}

// Secrets are what a handshake gives: the handshake hash and Split's keys.
type Secrets struct {
	H  Hex `json:"h"`
	K1 Hex `json:"k1"`
	K2 Hex `json:"k2"`
}

// Link is one link of the chain of path keys.
type Link struct {
	Tag Hex `json:"tag"`
	Jc  Hex `json:"jc"`
	Js  Hex `json:"js"`
}

// Content is what a record says.
type Content struct {
	Tick    uint32      `json:"tick"`
	Newest  uint32      `json:"newest"`
	Frames  []Hex       `json:"frames"`
	Reports [][3]uint32 `json:"reports"` // path, lateness, number
	Control Hex         `json:"control"`
}

// Message is one message of the control stream.
type Message struct {
	Kind uint8 `json:"kind"`
	Body Hex   `json:"body"`
}

// Stages are the names of where things are refused, as in docs/protocol.md,
// section 13.
var Stages = []string{
	"key", "address", "m1", "offer", "ek", "m2", "choice", "m3", "caller",
	"tag", "join", "answer", "record", "contents", "control",
}

// Read reads all the cases of a folder, in order of their names.
func Read(dir string) ([]Case, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no vectors in %s", dir)
	}
	var cases []Case
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		c := Case{Name: strings.TrimSuffix(filepath.Base(file), ".json")}
		d := json.NewDecoder(f)
		d.DisallowUnknownFields()
		err = d.Decode(&c)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}
