package interop_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/cryptotest"

	"github.com/sottovoce/sotto/call/control"
	"github.com/sottovoce/sotto/call/handshake"
	"github.com/sottovoce/sotto/call/record"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/internal/interop"
)

var update = flag.Bool("update", false, "write docs/vectors anew")

const folder = "../../docs/vectors"

// TestVectors reads what lies in docs/vectors and does it.
func TestVectors(t *testing.T) {
	if *update {
		write(t)
	}
	cases, err := interop.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	stages := map[string]int{}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			out, stage := run(t, c)
			if stage != c.Stage {
				t.Fatalf("ends at %q, not at %q", stage, c.Stage)
			}
			if got, want := text(t, out), text(t, c.Out); got != want {
				t.Errorf("gives\n%s\nnot\n%s", got, want)
			}
		})
		stages[c.Stage]++
	}
	refused := len(cases) - stages["ok"]
	t.Logf("%d cases, %d of them refused: %v", len(cases), refused, stages)
	if refused < 40 || stages["ok"] < 20 {
		t.Error("too few")
	}
	for _, stage := range interop.Stages {
		if stages[stage] == 0 {
			t.Errorf("nothing is refused at %q", stage)
		}
		delete(stages, stage)
	}
	if delete(stages, "ok"); len(stages) > 0 {
		t.Errorf("no such stages: %v", stages)
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// write makes the folder's cases anew. What comes of each is what our code
// makes of it; python/vectors.py has the other opinion.
func write(t *testing.T) {
	old, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	names := map[string]bool{}
	for _, c := range generate(t) {
		out, stage := run(t, c)
		if stage != c.Stage || names[c.Name] {
			t.Fatalf("%s ends at %q, not at %q, or is there twice", c.Name, stage, c.Stage)
		}
		names[c.Name], c.Out = true, out
		if err := os.WriteFile(filepath.Join(folder, c.Name+".json"), []byte(text(t, c)+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// run does one case: what comes of it, and the stage where it ends.
func run(t *testing.T, c interop.Case) (interop.Out, string) {
	switch in := &c.In; c.Kind {
	case "key":
		key, err := identity.KeyFromTor([64]byte(in.Expanded))
		if err != nil {
			return interop.Out{}, "key"
		}
		return whoIs(key.Address())
	case "address":
		a, err := identity.Parse(in.Onion)
		if err != nil {
			return interop.Out{}, "address"
		}
		return whoIs(a)
	case "point":
		a, err := identity.FromBytes(in.Point)
		if err != nil {
			return interop.Out{}, "address"
		}
		return whoIs(a)
	case "callee":
		return runCallee(t, in)
	case "caller":
		return runCaller(t, in)
	case "chain":
		return runChain(t, in)
	case "join":
		return runJoin(in)
	case "answer":
		return runAnswer(in)
	case "record":
		return runRecord(t, in)
	case "control":
		return runControl(in)
	}
	t.Fatalf("%s: no kind %q", c.Name, c.Kind)
	return interop.Out{}, ""
}

func whoIs(a identity.Address) (interop.Out, string) {
	form := a.X25519()
	return interop.Out{Address: a[:], Onion: a.Onion(), X25519: form[:]}, "ok"
}

// globalSeed gives the randomness of ML-KEM's encapsulation, which can be had
// from the whole process's alone. The vectors hold what comes of it.
const globalSeed = 1876

func encapsulation(t *testing.T) interop.Hex {
	cryptotest.SetGlobalRandom(t, globalSeed)
	m := make([]byte, 32)
	rand.Read(m)
	cryptotest.SetGlobalRandom(t, globalSeed)
	return m
}

func runCallee(t *testing.T, in *interop.In) (out interop.Out, stage string) {
	if m := encapsulation(t); !bytes.Equal(m, in.Encapsulation) {
		t.Fatalf("our own randomness for encapsulation is %x", []byte(m))
	}
	h, err := handshake.NewCallee(keyOf(t, in.Expanded), offerOf(in), bytes.NewReader(in.Ephemeral))
	if err != nil {
		t.Fatal(err)
	}
	if h.M1(in.M1) != nil {
		return out, "m1"
	}
	m2, choice, err := h.M2()
	switch {
	case errors.Is(err, handshake.ErrVersion):
		return out, "offer"
	case err != nil:
		return out, "ek"
	}
	out.M2, out.Choice = m2, [3]uint8{choice.Version, choice.Profile, choice.Pace}
	caller, wishes, secrets, err := h.M3(in.M3)
	switch {
	case errors.Is(err, handshake.ErrPeer):
		return out, "caller"
	case err != nil:
		return out, "m3"
	}
	out.Caller, out.CallID, out.Paths, out.Secrets = caller[:], wishes.CallID[:], wishes.Paths, secretsOf(secrets)
	return out, "ok"
}

func runCaller(t *testing.T, in *interop.In) (out interop.Out, stage string) {
	callee, err := identity.FromBytes(in.Callee)
	if err != nil {
		return out, "address"
	}
	random := bytes.NewReader(slices.Concat(in.KEMSeed, in.Ephemeral))
	h, err := handshake.NewCaller(keyOf(t, in.Expanded), callee, offerOf(in), random)
	if err != nil {
		t.Fatal(err)
	}
	if out.M1, err = h.M1(); err != nil {
		t.Fatal(err)
	}
	choice, err := h.M2(in.M2)
	switch {
	case errors.Is(err, handshake.ErrVersion):
		return out, "choice"
	case err != nil:
		return out, "m2"
	}
	m3, secrets, err := h.M3(handshake.Wishes{CallID: [16]byte(in.CallID), Paths: in.Paths})
	if err != nil {
		t.Fatal(err)
	}
	out.Choice, out.M3, out.Secrets = [3]uint8{choice.Version, choice.Profile, choice.Pace}, m3, secretsOf(secrets)
	return out, "ok"
}

// runChain takes the keys of joins apart by hand: the package shows them to
// nobody, but what it makes of them must be the same.
func runChain(t *testing.T, in *interop.In) (out interop.Out, stage string) {
	chain, ours := chainOf(in), link0(in.Secrets)
	for range 4 {
		keys := chain.Next()
		var link interop.Link
		link, ours = nextLink(ours)
		if !bytes.Equal(link.Tag, keys.Tag[:]) {
			t.Fatalf("path %d has another tag", keys.Number)
		}
		want, err := hkdf.Key(sha256.New, slices.Concat(link.Jc, link.Js), nil, "sotto/1 record", 64)
		if err != nil {
			t.Fatal(err)
		}
		if kc, ks := keys.Records(nil); !bytes.Equal(want, slices.Concat(kc[:], ks[:])) {
			t.Fatalf("path %d has other keys", keys.Number)
		}
		if keys.Number == 0 {
			out.Kc, out.Ks = want[:32], want[32:]
		}
		out.Links = append(out.Links, link)
	}
	return out, "ok"
}

// runJoin looks the tag up as a callee does; call has a test of its own for
// that, with these cases.
func runJoin(in *interop.In) (out interop.Out, stage string) {
	chain, highest := chainOf(in), 0
	for _, n := range in.Burned {
		highest = max(highest, n)
	}
	chain.Next() // path 0 does not join
	for chain.Number() <= min(highest+16, 63) {
		keys := chain.Next()
		if slices.Contains(in.Burned, keys.Number) || !bytes.Equal(keys.Tag[:], in.Block[:record.TagSize]) {
			continue
		}
		join := record.Cell(in.Block)
		nc, err := keys.OpenJoin(&join)
		if err != nil {
			return out, "join"
		}
		var answer record.Cell
		keys.SealJoined(&answer, &join, [32]byte(in.Ns))
		kc, ks := keys.Records(slices.Concat(nc[:], in.Ns))
		return interop.Out{Number: keys.Number, Nc: nc[:], Block: answer[:], Kc: kc[:], Ks: ks[:]}, "ok"
	}
	return out, "tag"
}

func runAnswer(in *interop.In) (out interop.Out, stage string) {
	keys := pathOf(in, in.Number)
	var join record.Cell
	keys.SealJoin(&join, [32]byte(in.Nc))
	answer := record.Cell(in.Block)
	ns, err := keys.OpenJoined(&answer, &join)
	if err != nil {
		return out, "answer"
	}
	kc, ks := keys.Records(slices.Concat(in.Nc, ns[:]))
	return interop.Out{Block: join[:], Ns: ns[:], Kc: kc[:], Ks: ks[:]}, "ok"
}

func runRecord(t *testing.T, in *interop.In) (out interop.Out, stage string) {
	opener := record.NewOpener([32]byte(in.Key))
	sealer := sealerAt(in.Key, in.Before, func(c record.Cell) {
		var p record.Plain
		if err := opener.Open(&p, &c); err != nil {
			t.Fatal(err)
		}
	})
	for _, block := range in.Blocks {
		if len(block) != record.Size {
			return out, "record" // the stream ended in it
		}
		var p record.Plain
		cell := record.Cell(block)
		if opener.Open(&p, &cell) != nil {
			return out, "record"
		}
		var again record.Cell
		if sealer.Seal(&again, &p); !bytes.Equal(again[:], block) {
			t.Fatal("sealed again it is another record")
		}
		out.Plains = append(out.Plains, p[:])
		var c record.Contents
		profile := record.Profiles[in.Profile]
		if c.Get(&p, profile) != nil {
			return out, "contents"
		}
		said := interop.Content{Tick: c.Tick, Newest: c.Newest, Control: c.Control[:], Frames: []interop.Hex{}, Reports: [][3]uint32{}}
		for i := range int(c.Count) {
			said.Frames = append(said.Frames, bytes.Clone(c.Frame(profile, i)))
		}
		for _, r := range c.Reports[:c.Heard] {
			said.Reports = append(said.Reports, [3]uint32{uint32(r.Path), uint32(r.Lateness), r.Number})
		}
		out.Contents = append(out.Contents, said)
	}
	return out, "ok"
}

func runControl(in *interop.In) (out interop.Out, stage string) {
	var s control.Stream
	for _, piece := range in.Pieces {
		p := [control.PieceSize]byte(piece)
		if s.Take(&p) != nil {
			return out, "control"
		}
		for m, ok := s.Next(); ok; m, ok = s.Next() {
			out.Messages = append(out.Messages, interop.Message{Kind: uint8(m.Kind), Body: bytes.Clone(m.Body)})
		}
	}
	return out, "ok"
}
