package onion

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Who listens at a socket is known, and another person is not trusted with it.
func TestPeersAreKnown(t *testing.T) {
	for _, at := range []place{{"unix", filepath.Join(t.TempDir(), "s")}, {"tcp", "127.0.0.1:0"}, {"tcp", "[::1]:0"}} {
		l, err := net.Listen(at.network, at.address)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial(at.network, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if uid, err := peerUser(conn); err != nil || uid != os.Geteuid() {
			t.Errorf("%s: user %d, %v, want %d", at.network, uid, err, os.Geteuid())
		}
		if err := checkPeer(conn); err != nil {
			t.Error(err)
		}
		conn.Close()
		l.Close()
	}
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:235B 00000000:0000 0A 00000000:00000000 00:00000000 00000000   105        0 1 1 0 100 0 0 10 0
   1: 0100007F:235B 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1003        0 2 1 0 20 4 30 10 -1
   2: 00000000:235B 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 3 1 0 100 0 0 10 0
   3: 0100007F:23BF 00000000:0000 0A 00000000:00000000 00:00000000 00000000 65534        0 4 1 0 100 0 0 10 0
   4: short 0A
`
	for port, want := range map[uint16]int{0x235B: 1001, 0x23BF: -1, 0x1234: -1} {
		if uid := listenerIn(strings.NewReader(table), port); uid != want {
			t.Errorf("port %#x: user %d, want %d", port, uid, want)
		}
	}
	for uid, good := range map[int]bool{-1: true, 0: true, os.Geteuid(): true, 105: true, 61200: true, 1001 + os.Geteuid(): false, 60000: false} {
		if err := trustedPeer(uid); (err == nil) != good {
			t.Errorf("user %d: %v", uid, err)
		}
	}
}
