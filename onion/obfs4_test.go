package onion_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sottovoce/sotto/onion"
)

// Calls go out and come in by a private obfs4 bridge, and by nothing else; its
// transport's program does not outlive tor.
func TestObfs4BridgeCarriesCalls(t *testing.T) {
	t.Parallel()
	began := time.Now()
	line, err := network.StartBridge(t.Context(), "/usr/bin/obfs4proxy")
	if err != nil {
		t.Fatal(err)
	}
	bridge, err := onion.ParseBridge(line)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a bridge after %.1f s", time.Since(began).Seconds())
	dir := t.TempDir()
	began = time.Now()
	n := start(t, onion.Config{Dir: dir, Bridges: []onion.Bridge{bridge}})
	reach(t, n, echoing(t, callee, newKey(t), onion.Service{}))
	t.Logf("reached somebody through it after %.1f s", time.Since(began).Seconds())
	reach(t, caller, echoing(t, n, newKey(t), onion.Service{}))
	circuits, err := n.RendezvousCircuits(t.Context())
	if err != nil || len(circuits) < 2 {
		t.Fatalf("%v, %v", circuits, err)
	}
	for _, c := range circuits {
		if !slices.Equal(c.Relays[:1], []string{"bridge"}) {
			t.Errorf("a circuit by %v, want all by the bridge", c.Relays)
		}
	}
	if status := askTor(t, dir, "GETINFO orconn-status"); strings.Count(status, "CONNECTED") != 1 || !strings.Contains(status, bridge.Fingerprint) {
		t.Errorf("connections:\n%s\nwant one to %s", status, bridge.Fingerprint)
	}
	for pid, arguments := range children("tor") {
		if strings.Contains(arguments, dir) {
			proxies := withParent(pid)
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if len(proxies) != 1 {
				t.Errorf("tor had the programs %v", proxies)
			}
			for _, proxy := range proxies {
				for gone := time.Now(); alive(proxy); {
					if time.Since(gone) > 10*time.Second {
						t.Fatalf("the transport's program has outlived its tor")
					}
				}
			}
		}
	}
}

// withParent lists the processes that pid has started.
func withParent(pid int) (pids []string) {
	list, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "task", strconv.Itoa(pid), "children"))
	return strings.Fields(string(list))
}

// alive says whether a process runs still.
func alive(pid string) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}
