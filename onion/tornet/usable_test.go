package tornet

import (
	"net"
	"strings"
	"testing"
)

func TestUsableRelaysNeedEveryFlag(t *testing.T) {
	const all = "s Exit Guard HSDir Running V2Dir Valid\n" // not Stable, not Fast
	const signed = "directory-footer\ndirectory-signature sha256 AA BB\n"
	for name, test := range map[string]struct {
		consensus string
		want      int
	}{
		"two":          {"r a\n" + all + "r b\n" + all + signed, 2},
		"half written": {"r a\n" + all + "r b\n", 0},
		"one not yet":  {"r a\n" + all + "r b\n" + strings.Replace(all, "HSDir ", "", 1) + signed, 1},
		"none":         {signed, 0},
		"empty":        {"", 0},
	} {
		if got := usableRelays(test.consensus); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

// Ports stay taken until tor is about to have them, and none is given twice.
func TestPortsAreHeld(t *testing.T) {
	nodes := []*node{{}, {}, {}}
	held, err := takePorts(nodes)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, n := range nodes {
		seen[n.orPort], seen[n.dirPort] = true, true
	}
	if len(seen) != 6 || seen[0] {
		t.Errorf("ports %v", seen)
	}
	for _, l := range held {
		if again, err := net.Listen("tcp4", l.Addr().String()); err == nil {
			again.Close()
			t.Errorf("%v was free", l.Addr())
		}
	}
	held.release()
	again, err := net.Listen("tcp4", held[0].Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}
