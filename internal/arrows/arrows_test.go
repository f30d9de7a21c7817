// Package arrows has no code: its test holds the imports of the whole module
// against the arrows of docs/design.md.
package arrows

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/sottovoce/sotto/"

// level is how far to the left a top folder stands. A package may import what
// stands to its right, its own children, and its parents; never a sibling.
var level = map[string]int{"cmd": 4, "internal": 3, "call": 2, "onion": 1, "jitter": 1, "voice": 1, "identity": 0}

// cgo packages are leaves, and internal alone (the phone, the demo, the
// command line) imports them.
var cgo = map[string]bool{"voice/opus": true, "voice/portaudio": true, "voice/clean": true}

type pkg struct {
	ImportPath string
	Imports    []string
	CgoFiles   []string
}

func TestArrowsPointOneWay(t *testing.T) {
	list := exec.Command("go", "list", "-json=ImportPath,Imports,CgoFiles", "../../...")
	list.Stderr = os.Stderr
	out, err := list.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Start(); err != nil {
		t.Fatal(err)
	}
	packages := 0
	for d := json.NewDecoder(out); ; packages++ {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		from := strings.TrimPrefix(p.ImportPath, module)
		if len(p.CgoFiles) > 0 && !cgo[from] {
			t.Errorf("%s uses cgo", from)
		}
		for _, i := range p.Imports {
			if to, ours := strings.CutPrefix(i, module); ours {
				if why := refuse(from, to); why != "" {
					t.Errorf("%s imports %s: %s", from, to, why)
				}
			}
		}
	}
	if err := list.Wait(); err != nil {
		t.Fatal(err)
	}
	if packages < 15 {
		t.Errorf("only %d packages seen", packages)
	}
}

// refuse says why from must not import to, "" if it may.
func refuse(from, to string) string {
	top := func(p string) string { t, _, _ := strings.Cut(p, "/"); return t }
	a, known := level[top(from)]
	b, known2 := level[top(to)]
	switch {
	case !known || !known2:
		return "a top folder that docs/design.md does not know"
	case cgo[to] && top(from) != "internal":
		return "only internal imports the cgo packages"
	case strings.HasPrefix(to, from+"/") || strings.HasPrefix(from, to+"/"):
		return ""
	case top(from) == "internal" && top(to) == "internal":
		return "" // rooms of one house; the compiler forbids circles
	case top(from) == "cmd" && top(to) == "cmd":
		return "commands do not import each other"
	case a <= b:
		return "it does not stand to the right"
	case (top(from) == "jitter" || top(from) == "voice"):
		return "jitter and voice import nothing of ours"
	}
	return ""
}

func TestTheFenceStands(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"cmd/sotto", "internal/cli", true},
		{"internal/cli", "call", true},
		{"call", "call/record", true},
		{"call", "identity", true},
		{"call/playout", "jitter", true},
		{"onion", "identity", true},
		{"internal/phone", "voice/opus", true},
		{"onion/tornet", "onion", true},
		{"voice/opus", "voice", true},
		{"call/record", "call/paths", false},
		{"identity", "onion", false},
		{"onion", "voice", false},
		{"jitter", "identity", false},
		{"voice", "jitter", false},
		{"call", "voice/opus", false},
		{"cmd/sotto", "cmd/sotto-bench", false},
		{"call", "internal/cli", false},
		{"utils", "call", false},
	} {
		if why := refuse(c.from, c.to); (why == "") != c.ok {
			t.Errorf("%s imports %s: %q", c.from, c.to, why)
		}
	}
}
